/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies by reference: nothing is staged, and no file notices what is done to another. */
#include "store.h"

#include <linux/falloc.h>

#define FILES 4u
#define SPACE 50000u
#define STEPS 600u
#define SEEDS 12u
#define BASE  30000u /* bytes of the file that is on the disc */

struct copies {
	struct store store;
	struct inode *files[FILES];
	uint8_t model[FILES][SPACE];
	uint64_t size[FILES];
};

static void open_file(struct copies *copies, unsigned i, uint64_t ino)
{
	assert_int_equal(tree_get(copies->store.tree, ino, &copies->files[i]), 0);
	copies->size[i] = copies->files[i]->node.attr.size;
}

/* File 0 is on the disc, the others are new. */
static void copies_open(struct copies *copies)
{
	const struct tree_new new = { .mode = S_IFREG | 0644 };
	char name[8];

	*copies = (struct copies){ 0 };
	for (unsigned i = 0; i < BASE; i++)
		copies->model[0][i] = (uint8_t)(i % 253 + 1);
	store_open(&copies->store);
	base_file(&copies->store, ROOT_INO, "f0", copies->model[0], BASE);
	base_end(&copies->store);
	open_file(copies, 0, store_ino(&copies->store, "f0"));
	for (unsigned i = 1; i < FILES; i++) {
		struct node_attr attr;

		snprintf(name, sizeof name, "f%u", i);
		assert_int_equal(
		    tree_create(copies->store.tree, ROOT_INO, name, 2, &new, &attr, &copies->files[i]), 0);
	}
}

static void copies_close(struct copies *copies)
{
	for (unsigned i = 0; i < FILES; i++)
		tree_put(copies->store.tree, copies->files[i]);
	store_close(&copies->store);
}

static void copies_check(struct copies *copies)
{
	static uint8_t got[SPACE];

	for (unsigned i = 0; i < FILES; i++) {
		assert_int_equal(copies->files[i]->node.attr.size, copies->size[i]);
		assert_int_equal(body_read(copies->store.tree, copies->files[i], got, SPACE, 0),
				 copies->size[i]);
		assert_memory_equal(got, copies->model[i], copies->size[i]);
	}
}

static void put(struct copies *copies, unsigned file, uint64_t offset, size_t length, int byte)
{
	static uint8_t data[SPACE];

	memset(data, byte, length);
	assert_int_equal(body_write(copies->store.tree, copies->files[file], data, length, offset), 0);
	memcpy(copies->model[file] + offset, data, length);
	copies->size[file] = max_u64(copies->size[file], offset + length);
}

static void cut(struct copies *copies, unsigned file, uint64_t size)
{
	assert_int_equal(body_truncate(copies->store.tree, copies->files[file], size), 0);
	if (size < copies->size[file])
		memset(copies->model[file] + size, 0, copies->size[file] - size);
	copies->size[file] = size;
}

static void copy(struct copies *copies, unsigned from, uint64_t from_offset, unsigned to, uint64_t offset,
		 uint64_t length)
{
	uint64_t end = copies->size[from] - min_u64(copies->size[from], from_offset);
	uint64_t takes = min_u64(length, end);
	bool overlap = from == to && from_offset < offset + takes && offset < from_offset + takes;
	int64_t done = body_copy(copies->store.tree, copies->files[from], from_offset, copies->files[to],
				 offset, length);

	assert_int_equal(done, overlap ? -EINVAL : (int64_t)takes);
	if (done <= 0)
		return;
	memmove(copies->model[to] + offset, copies->model[from] + from_offset, takes);
	copies->size[to] = max_u64(copies->size[to], offset + takes);
}

static void test_a_copy_stages_nothing(void **state)
{
	struct copies copies;
	struct tree *tree;

	copies_open(&copies);
	tree = copies.store.tree;
	copy(&copies, 0, 0, 1, 0, BASE);
	assert_int_equal(tree->spool.used, 0);
	assert_int_equal(tree->body_sectors, 0); /* both lie on the disc */
	put(&copies, 1, BASE, 10000, 'x');
	assert_int_equal(tree->spool.used, 10000);
	copy(&copies, 1, 0, 2, 0, BASE + 10000);
	copy(&copies, 1, 0, 3, 0, BASE + 10000);
	assert_int_equal(tree->spool.used, 10000);
	put(&copies, 1, BASE, 10000, 'y'); /* the others keep what they have */
	assert_int_equal(tree->spool.used, 20000);
	copies_check(&copies);
	cut(&copies, 2, 0);
	cut(&copies, 1, 0);
	assert_int_equal(tree->spool.used, 10000);
	put(&copies, 3, BASE, 10000, 'z'); /* nobody else has it now: in place */
	assert_int_equal(tree->spool.used, 10000);
	copies_check(&copies);
	cut(&copies, 3, 0);
	assert_int_equal(tree->spool.used, 0);
	assert_int_equal(tree_sync(tree), 0);
	assert_int_equal(lseek(tree->spool.fd, 0, SEEK_END), 0);
	copies_close(&copies);
}

/* The rows are all that tells what is shared after a crash. */
static void sweep(struct copies *copies)
{
	struct tree *tree = copies->store.tree;
	uint64_t used = tree->spool.used;

	assert_int_equal(tree_sync(tree), 0);
	WITH_WRITE_LOCK(&tree->freeze);
	assert_int_equal(sweep_spool(tree, true), 0);
	assert_int_equal(tree->spool.used, used);
}

static void step(struct copies *copies)
{
	unsigned file = (unsigned)random() % FILES, other = (unsigned)random() % FILES;
	uint64_t offset = (uint64_t)random() % (SPACE / 2), length = (uint64_t)random() % (SPACE / 2) + 1;

	switch (random() % 8) {
	case 0:
		put(copies, file, offset, length, (int)(random() % 255) + 1);
		break;
	case 1:
		put(copies, file, offset, length % 300 + 1, (int)(random() % 255) + 1);
		break;
	case 2:
		cut(copies, file, offset + length);
		break;
	case 3:
		assert_int_equal(body_allocate(copies->store.tree, copies->files[file],
					       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length),
				 0);
		memset(copies->model[file] + offset, 0, length);
		break;
	case 4:
		sweep(copies);
		break;
	default:
		copy(copies, file, (uint64_t)random() % (SPACE / 2), other, offset, length);
	}
}

static void test_random(void **state)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct copies copies;

		srandom(seed);
		copies_open(&copies);
		for (unsigned i = 0; i < STEPS; i++) {
			step(&copies);
			copies_check(&copies);
		}
		for (unsigned i = 0; i < FILES; i++)
			cut(&copies, i, 0);
		assert_int_equal(copies.store.tree->spool.used, 0);
		assert_int_equal(copies.store.tree->spool.shared.count, 0);
		copies_close(&copies);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_copy_stages_nothing),
					    cmocka_unit_test(test_random) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
