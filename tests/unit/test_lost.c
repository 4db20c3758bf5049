/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of which a write was refused: when they count as incomplete, and when no more. */
#include "store.h"

#include "store/discard.h"
#include "store/lost.h"

#include <linux/falloc.h>

#define MIB (1u << 20)

static struct inode *open_file(struct store *store, const char *path)
{
	struct inode *inode;

	if (!store_ino(store, path))
		assert_int_equal(store_make(store, path, S_IFREG | 0644), 0);
	assert_int_equal(tree_get(store->tree, store_ino(store, path), &inode), 0);
	body_opened(inode);
	return inode;
}

static void close_file(struct store *store, struct inode *inode)
{
	body_closed(store->tree, inode);
	tree_put(store->tree, inode);
}

static int put(struct store *store, struct inode *inode, uint64_t offset, size_t length)
{
	uint8_t *data = calloc(1, length);
	int ret;

	memset(data, 'x', length);
	ret = body_write_late(store->tree, inode, data, length, offset);
	free(data);
	return ret;
}

/* The paths, each with its reason's number. */
static void assert_lost(struct store *store, const char *wanted)
{
	struct lost_files files CLEANUP(lost_files_clear) = { 0 };
	struct text found AUTO_TEXT = { 0 };
	struct reason why = { 0 };

	text_add(&found, "%s", "");
	assert_int_equal(lost_list(store->tree, GEN_NEWEST, 10, &files), 0);
	vec_each (&files.list, file)
		text_add(&found, "%s%s:%d", found.length ? " " : "", file->path, (int)file->why);
	assert_string_equal(found.data, wanted);
	assert_int_equal(lost_refuse(store->tree, GEN_NEWEST, &why), *wanted ? -EIO : 0);
}

/* A tree over a base with one file of 10,000 bytes, and a spool of 4 MiB. */
static void begin(struct store *store)
{
	static uint8_t data[10000];

	store_open(store);
	memset(data, 'o', sizeof data);
	base_file(store, ROOT_INO, "old", data, sizeof data);
	base_end(store);
	store->tree->spool.limit = 4 * MIB;
}

static void test_pieces_that_come_later_make_it_whole(void **state)
{
	struct store store;
	struct inode *file;

	begin(&store);
	file = open_file(&store, "file");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(put(&store, file, i * MIB, MIB), 0);
	assert_int_equal(put(&store, file, 4 * MIB, MIB), -ENOSPC);
	assert_int_equal(put(&store, file, 5 * MIB, 100),
			 -ENOSPC); /* it would fit, but not where it belongs */
	assert_int_equal(body_truncate(store.tree, file, 6 * MIB), -ENOSPC);
	assert_int_equal(file->node.attr.size, 4 * MIB);
	assert_lost(&store, "file:1");
	store.tree->spool.limit = 0;
	assert_int_equal(put(&store, file, 5 * MIB, 100), 0); /* in any order */
	assert_lost(&store, "file:1");
	assert_int_equal(put(&store, file, 4 * MIB, MIB), 0);
	assert_lost(&store, "");
	assert_int_equal(file->node.attr.size, 5 * MIB + 100);
	close_file(&store, file);
	store_check(&store);
	store_close(&store);
}

static void test_it_ends_at_the_last_good_byte(void **state)
{
	struct store store;
	struct inode *file;

	begin(&store);
	file = open_file(&store, "file");
	assert_int_equal(put(&store, file, 0, MIB), 0);
	assert_int_equal(put(&store, file, 3 * MIB, MIB), 0);
	store.tree->spool.limit = 2 * MIB;
	assert_int_equal(put(&store, file, MIB, MIB), -ENOSPC);
	assert_int_equal(file->node.attr.size, 4 * MIB);
	close_file(&store, file);
	assert_int_equal(store_attr(&store, "file").size, MIB);
	assert_lost(&store, "file:1");
	store_check(&store);
	/* what was there before it was opened stays */
	store.tree->spool.limit = 0;
	file = open_file(&store, "file");
	assert_int_equal(body_truncate(store.tree, file, 8 * MIB), 0);
	assert_lost(&store, "file:1");
	assert_int_equal(put(&store, file, 0, 8 * MIB), 0);
	assert_lost(&store, "");
	assert_int_equal(body_truncate(store.tree, file, 20 * MIB), 0);
	store.tree->spool.limit = 8 * MIB;
	assert_int_equal(put(&store, file, 10 * MIB, MIB), -ENOSPC);
	close_file(&store, file);
	assert_int_equal(store_attr(&store, "file").size, 20 * MIB);
	assert_lost(&store, "file:1");
	store_check(&store);
	store_close(&store);
}

static void test_ways_back(void **state)
{
	struct store store;
	struct inode *file;
	uint32_t gen;

	begin(&store);
	file = open_file(&store, "file");
	/* cut off before it */
	assert_int_equal(put(&store, file, 0, 5 * MIB), -ENOSPC);
	assert_lost(&store, "file:1");
	assert_int_equal(body_truncate(store.tree, file, 1), 0);
	assert_lost(&store, "file:1");
	assert_int_equal(body_truncate(store.tree, file, 0), 0);
	assert_lost(&store, "");
	/* a hole is what somebody wants there */
	assert_int_equal(put(&store, file, 0, 5 * MIB), -ENOSPC);
	assert_int_equal(
	    body_allocate(store.tree, file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 9 * MIB), 0);
	assert_lost(&store, "");
	/* deleted */
	assert_int_equal(put(&store, file, 0, 5 * MIB), -ENOSPC);
	assert_int_equal(store_rename(&store, "file", "renamed", 0), 0);
	assert_lost(&store, "renamed:1");
	assert_int_equal(store_unlink(&store, "renamed"), 0);
	assert_lost(&store, "");
	close_file(&store, file);
	/* discarded, though not a byte of it is staged */
	file = open_file(&store, "old");
	assert_int_equal(put(&store, file, 10000, 5 * MIB), -ENOSPC);
	assert_int_equal(body_truncate(store.tree, file, 10000), 0);
	assert_int_equal(put(&store, file, 1ull << 60, 1), -EFBIG); /* no file can have that */
	assert_lost(&store, "");
	lost_note(store.tree, file, 10000, 1, -EIO);
	close_file(&store, file);
	assert_lost(&store, "old:2");
	gen = store_freeze(&store); /* a generation that comes back */
	store_thaw(&store, gen);
	assert_lost(&store, "old:2");
	store_reopen(&store);
	assert_lost(&store, "old:2");
	assert_int_equal(discard_staged(store.tree, "old", NULL), 0);
	assert_lost(&store, "");
	assert_int_equal(store_attr(&store, "old").size, 10000);
	store_check(&store);
	store_close(&store);
}

static void test_copies_lack_it_too(void **state)
{
	struct store store;
	struct inode *file, *part, *rest;

	begin(&store);
	file = open_file(&store, "file");
	part = open_file(&store, "part");
	rest = open_file(&store, "rest");
	assert_int_equal(put(&store, file, 0, 3 * MIB), 0);
	assert_int_equal(put(&store, file, 3 * MIB, 2 * MIB), -ENOSPC);
	assert_int_equal(body_copy(store.tree, file, 0, part, 0, MIB), MIB);
	assert_lost(&store, "file:1");
	assert_int_equal(body_copy(store.tree, file, MIB, rest, 0, 9 * MIB), 2 * MIB);
	assert_lost(&store, "file:1 rest:1");
	assert_int_equal(body_copy(store.tree, part, 0, rest, 2 * MIB, MIB), MIB);
	assert_lost(&store, "file:1 rest:1");
	assert_int_equal(body_copy(store.tree, part, 0, rest, 3 * MIB, MIB), MIB);
	assert_lost(&store, "file:1");
	close_file(&store, file);
	close_file(&store, part);
	close_file(&store, rest);
	store_check(&store);
	store_close(&store);
}

static void test_a_commit_under_way_isnt_asked_for_what_comes_later(void **state)
{
	struct lost_files files CLEANUP(lost_files_clear) = { 0 };
	struct store store;
	struct inode *file;
	uint32_t gen;

	begin(&store);
	file = open_file(&store, "file");
	assert_int_equal(put(&store, file, 0, MIB), 0);
	gen = store_freeze(&store);
	assert_int_equal(put(&store, file, 0, 5 * MIB), -ENOSPC);
	assert_lost(&store, "file:1");
	assert_int_equal(lost_list(store.tree, gen, 10, &files), 0);
	assert_int_equal(files.list.count, 0);
	store_publish(&store, gen);
	assert_lost(&store, "file:1");
	close_file(&store, file);
	store_check(&store);
	store_close(&store);
}

static void test_many_ranges_become_one(void **state)
{
	struct store store;
	struct inode *file;

	begin(&store);
	file = open_file(&store, "file");
	assert_int_equal(put(&store, file, 0, 4 * MIB), 0);
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(put(&store, file, 5 * MIB + 8192ull * i, 100), -ENOSPC);
	assert_true(file->node.lost.count <= 1001);
	assert_int_equal(body_truncate(store.tree, file, 4 * MIB), 0);
	assert_lost(&store, "");
	close_file(&store, file);
	store_close(&store);
}

struct kernel {
	struct store *store;
	uint64_t ino;
};

static void *forget_late(void *self)
{
	const struct kernel *kernel = self;

	usleep(100000);
	tree_forget(kernel->store->tree, kernel->ino);
	return NULL;
}

static void test_what_was_deleted_makes_room(void **state)
{
	struct store store;
	struct kernel kernel = { .store = &store };
	struct inode *file, *other;
	pthread_t thread;

	begin(&store);
	file = open_file(&store, "file");
	assert_int_equal(put(&store, file, 0, 4 * MIB), 0);
	close_file(&store, file);
	kernel.ino = store_ino(&store, "file");
	assert_int_equal(store_unlink(&store, "file"), 0);
	assert_int_equal(pthread_create(&thread, NULL, forget_late, &kernel), 0);
	file = open_file(&store, "file");
	body_make_room(store.tree, 4 * MIB);
	assert_int_equal(put(&store, file, 0, 4 * MIB), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* one that is open stays, and is waited for once */
	assert_int_equal(store_unlink(&store, "file"), 0);
	other = open_file(&store, "other");
	body_make_room(store.tree, 1);
	assert_int_equal(atomic_load(&store.tree->orphans.awaited), atomic_load(&store.tree->orphans.made));
	body_make_room(store.tree, 1);
	assert_int_equal(put(&store, other, 0, 1), -ENOSPC);
	close_file(&store, file);
	close_file(&store, other);
	store_check(&store);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_that_come_later_make_it_whole),
		cmocka_unit_test(test_it_ends_at_the_last_good_byte),
		cmocka_unit_test(test_ways_back),
		cmocka_unit_test(test_copies_lack_it_too),
		cmocka_unit_test(test_a_commit_under_way_isnt_asked_for_what_comes_later),
		cmocka_unit_test(test_many_ranges_become_one),
		cmocka_unit_test(test_what_was_deleted_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
