/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything at once: changes, reads, flushes, commits that end well or badly, discards. For the thread
 * sanitizer, and to find what waits for itself. */
#include "store.h"

#include "commit/fill.h"
#include "store/changes.h"

#define WORKERS 3
#define ROUNDS	250

struct crowd {
	struct store store;
	atomic_bool stop;
};

struct worker {
	struct crowd *crowd;
	char dir[8];
	uint64_t random;
};

/* Two of them at once, in whatever order. */
static void copy_to_neighbour(struct worker *worker, struct inode *from)
{
	struct tree *tree = worker->crowd->store.tree;
	uint64_t ino = store_ino(&worker->crowd->store, "shared");
	struct inode *shared = NULL;

	if (ino == 0 || tree_get(tree, ino, &shared) < 0)
		return;
	if (random_below(&worker->random, 2))
		body_copy(tree, from, 0, shared, random_below(&worker->random, 9000), 3000);
	else
		body_copy(tree, shared, random_below(&worker->random, 9000), from, 0, 3000);
	tree_put(tree, shared);
}

/* A discard may take anything away at any time, so that any of these may fail. */
static void work_once(struct worker *worker, int round)
{
	struct store *store = &worker->crowd->store;
	char name[32], other[40];
	struct node_attr attr = { .mode = 0600 };
	uint64_t dir = store_ino(store, worker->dir);
	struct tree_new new = { .mode = S_IFREG | 0644 };
	struct inode *inode = NULL;
	char data[3000];
	size_t length;

	length = (size_t)snprintf(name, sizeof name, "n%d", round % 7);
	snprintf(other, sizeof other, "m%d", round % 5);
	memset(data, round, sizeof data);
	tree_create(store->tree, dir, name, length, &new, &attr, &inode);
	if (!inode && tree_lookup(store->tree, dir, name, length, &attr) == 0)
		tree_get(store->tree, attr.ino, &inode);
	if (inode) {
		body_write(store->tree, inode, data, sizeof data, random_below(&worker->random, 9000));
		body_read(store->tree, inode, data, sizeof data, random_below(&worker->random, 9000));
		body_truncate(store->tree, inode, random_below(&worker->random, 9000));
		body_seek(inode, random_below(&worker->random, 9000), SEEK_HOLE);
		copy_to_neighbour(worker, inode);
	}
	tree_rename(store->tree, dir, name, length, dir, other, strlen(other), 0);
	if (random_below(&worker->random, 3) == 0)
		tree_unlink(store->tree, dir, other, strlen(other));
	tree_set_attr(store->tree, attr.ino, &attr, TREE_SET_MODE, &attr);
	tree_put(store->tree, inode);
	tree_forget(store->tree, attr.ino);
}

static void *work(void *self)
{
	struct worker *worker = self;

	for (int round = 0; round < ROUNDS; round++) {
		if (store_ino(&worker->crowd->store, worker->dir) == 0)
			store_mkdir(&worker->crowd->store, worker->dir);
		work_once(worker, round);
	}
	return NULL;
}

static int ignore_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	return 0;
}

static void *read_all(void *self)
{
	struct crowd *crowd = self;
	struct inode *inode;
	char data[9000];

	while (!atomic_load(&crowd->stop)) {
		struct changes_count count;

		assert_int_equal(tree_get(crowd->store.tree, store_ino(&crowd->store, "file"), &inode), 0);
		assert_int_equal(body_read(crowd->store.tree, inode, data, sizeof data, 0), sizeof data);
		tree_put(crowd->store.tree, inode);
		tree_list(crowd->store.tree, ROOT_INO, ignore_name, NULL);
		assert_int_equal(changes_count(crowd->store.tree, &count), 0);
		assert_int_equal(tree_sync(crowd->store.tree), 0);
		tree_predicted_sectors(crowd->store.tree);
	}
	return NULL;
}

static int go_on(void *self, uint64_t done, uint64_t total)
{
	return 0;
}

static void *commit_all(void *self)
{
	static const struct fill_progress progress = { .step = go_on };
	struct crowd *crowd = self;
	uint64_t random = 99;

	while (!atomic_load(&crowd->stop)) {
		uint32_t gen = store_freeze(&crowd->store);
		struct reason why;

		if (random_below(&random, 2))
			assert_int_equal(fill_generation(crowd->store.disc, gen, &progress, &why), 0);
		usleep(2000);
		if (random_below(&random, 2))
			store_publish(&crowd->store, gen);
		else
			store_thaw(&crowd->store, gen);
		usleep(2000);
		if (random_below(&random, 3) == 0)
			discard_staged(crowd->store.tree, random_below(&random, 2) ? "d1" : "", NULL);
	}
	return NULL;
}

static void test_crowd(void **state)
{
	static struct crowd crowd;
	struct worker workers[WORKERS];
	pthread_t threads[WORKERS], reader, committer;
	static char data[9000];

	store_open(&crowd.store);
	base_file(&crowd.store, ROOT_INO, "file", data, sizeof data);
	base_file(&crowd.store, ROOT_INO, "shared", data, sizeof data);
	base_end(&crowd.store);
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .crowd = &crowd, .random = (uint64_t)i + 1 };
		snprintf(workers[i].dir, sizeof workers[i].dir, "d%d", i % 2); /* two of them share one */
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	assert_int_equal(pthread_create(&reader, NULL, read_all, &crowd), 0);
	assert_int_equal(pthread_create(&committer, NULL, commit_all, &crowd), 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&crowd.stop, true);
	pthread_join(reader, NULL);
	pthread_join(committer, NULL);
	store_check(&crowd.store);
	store_reopen(&crowd.store);
	store_check(&crowd.store);
	store_close(&crowd.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_crowd) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
