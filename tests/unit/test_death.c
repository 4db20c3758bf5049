/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process dies between a change and the flush that records it: each file is what it was before or what it
 * became, never anybody else's bytes, nor zeroes. A child does it, and really dies. */
#include "store.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define LENGTH 20000u

static struct store store;
static void (*at_touch)(void); /* when a change takes the time: its bytes are done */

/* Comes before libc's. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	void (*now)(void) = clock == CLOCK_REALTIME_COARSE ? at_touch : NULL;

	if (now) {
		at_touch = NULL;
		now();
	}
	return (int)syscall(SYS_clock_gettime, clock, ret);
}

static void fill(struct inode *inode, int byte)
{
	char data[LENGTH];

	memset(data, byte, sizeof data);
	assert_int_equal(body_write(store.tree, inode, data, sizeof data, 0), 0);
}

#define EMPTY (-1)

/* All of a file is one byte over and over. */
static int content(const char *name)
{
	char data[LENGTH];
	struct inode *inode;
	int64_t got;

	assert_int_equal(tree_get(store.tree, store_ino(&store, name), &inode), 0);
	got = body_read(store.tree, inode, data, sizeof data, 0);
	tree_put(store.tree, inode);
	if (got == 0)
		return EMPTY;
	assert_int_equal(got, LENGTH);
	for (size_t i = 1; i < LENGTH; i++)
		assert_int_equal(data[i], data[0]);
	return data[0];
}

static struct inode *open_file(const char *name)
{
	struct inode *inode;

	if (store_ino(&store, name) == 0)
		assert_int_equal(store_make(&store, name, S_IFREG | 0644), 0);
	assert_int_equal(tree_get(store.tree, store_ino(&store, name), &inode), 0);
	return inode;
}

/* Two files that have the same bytes 'o' of the spool, lastingly. */
static void share(struct inode **ret_a, struct inode **ret_b)
{
	*ret_a = open_file("a");
	*ret_b = open_file("b");
	fill(*ret_a, 'o');
	assert_int_equal(body_copy(store.tree, *ret_a, 0, *ret_b, 0, LENGTH), LENGTH);
	assert_int_equal(tree_sync(store.tree), 0);
}

static void die(void)
{
	_exit(0);
}

/* Runs it in a process that dies in it, and opens what that left. */
static void live_and_die(void (*life)(void))
{
	int status;
	pid_t child;

	store_open(&store);
	base_end(&store);
	tree_close(store.tree);
	child = fork();
	if (child == 0) {
		store_start_tree(&store);
		life();
		die();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	store_start_tree(&store);
}

static void part_and_write_both(void)
{
	struct inode *a, *b;

	share(&a, &b);
	fill(a, 'A');
	fill(b, 'B');
}

/* Nobody shares the old bytes any more, but the rows of both still point there. */
static void test_parted_copies(void **state)
{
	live_and_die(part_and_write_both);
	assert_int_equal(content("a"), 'o');
	assert_int_equal(content("b"), 'o');
	store_close(&store);
}

static void delete_and_write(void)
{
	struct inode *a, *b;
	uint64_t ino;

	share(&a, &b);
	ino = a->node.attr.ino;
	tree_put(store.tree, a);
	assert_int_equal(store_unlink(&store, "a"), 0);
	tree_forget(store.tree, ino);
	fill(b, 'B');
}

static void test_deleted_copy(void **state)
{
	live_and_die(delete_and_write);
	assert_int_equal(content("a"), 'o');
	assert_int_equal(content("b"), 'o');
	store_close(&store);
}

static void part_sync_and_write(void)
{
	struct inode *a, *b;
	uint64_t origin;

	share(&a, &b);
	origin = b->node.map.items[0].origin;
	fill(a, 'A');
	assert_int_equal(tree_sync(store.tree), 0);
	fill(b, 'B');
	assert_int_equal(b->node.map.items[0].origin, origin); /* in place again */
}

static void test_parted_lastingly(void **state)
{
	live_and_die(part_sync_and_write);
	assert_int_equal(content("a"), 'A');
	assert_int_equal(content("b"), 'B');
	store_close(&store);
}

static void *sync_all(void *self)
{
	assert_int_equal(tree_sync(store.tree), 0);
	return NULL;
}

/* Somebody else syncs at this moment; the sync may have to wait for the change. */
static void sync_and_die(void)
{
	struct timespec end;
	pthread_t thread;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += 300000000;
	end.tv_sec += end.tv_nsec / NS_PER_SEC;
	end.tv_nsec %= NS_PER_SEC;
	assert_int_equal(pthread_create(&thread, NULL, sync_all, NULL), 0);
	if (pthread_timedjoin_np(thread, NULL, &end) == 0)
		die();
}

static void cut_in_a_sync(void)
{
	struct inode *a = open_file("a");

	fill(a, 'o');
	assert_int_equal(tree_sync(store.tree), 0);
	at_touch = sync_and_die;
	assert_int_equal(body_truncate(store.tree, a, 0), 0);
}

/* What a change gave back isn't punched while the row still points there. */
static void test_sync_in_a_change(void **state)
{
	int now;

	live_and_die(cut_in_a_sync);
	now = content("a");
	assert_true(now == EMPTY || now == 'o');
	store_close(&store);
}

static void copy_in_a_sync(void)
{
	struct inode *a = open_file("a"), *b = open_file("b");

	fill(a, 'n');
	fill(b, 'o');
	assert_int_equal(tree_sync(store.tree), 0);
	at_touch = sync_and_die;
	assert_int_equal(body_copy(store.tree, a, 0, b, 0, LENGTH), LENGTH);
}

static void test_sync_in_a_copy(void **state)
{
	int now;

	live_and_die(copy_in_a_sync);
	now = content("b");
	assert_true(now == 'n' || now == 'o');
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parted_copies),	 cmocka_unit_test(test_deleted_copy),
		cmocka_unit_test(test_parted_lastingly), cmocka_unit_test(test_sync_in_a_change),
		cmocka_unit_test(test_sync_in_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
