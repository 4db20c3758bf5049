/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include "commit/fill.h"

#include <linux/falloc.h>

#define SPACE 60000u
#define STEPS 400u
#define SEEDS 8u

/* One base file of LENGTH bytes that count up. */
struct file {
	struct store store;
	struct inode *inode;
	uint8_t model[SPACE];
	uint64_t size;
};

#define LENGTH 20001u

static void file_open(struct file *file)
{
	for (unsigned i = 0; i < SPACE; i++)
		file->model[i] = i < LENGTH ? (uint8_t)(i % 251) : 0;
	file->size = LENGTH;
	store_open(&file->store);
	base_file(&file->store, ROOT_INO, "file", file->model, LENGTH);
	base_end(&file->store);
	assert_int_equal(tree_get(file->store.tree, store_ino(&file->store, "file"), &file->inode), 0);
}

static void file_close(struct file *file)
{
	tree_put(file->store.tree, file->inode);
	store_close(&file->store);
}

static void file_check(struct file *file)
{
	static uint8_t got[SPACE + 10];

	assert_int_equal(file->inode->node.attr.size, file->size);
	assert_int_equal(body_read(file->store.tree, file->inode, got, sizeof got, 0), file->size);
	assert_memory_equal(got, file->model, file->size);
}

static void file_write(struct file *file, uint64_t offset, size_t length, int byte)
{
	static uint8_t data[SPACE];

	memset(data, byte, length);
	assert_int_equal(body_write(file->store.tree, file->inode, data, length, offset), 0);
	memcpy(file->model + offset, data, length);
	file->size = max_u64(file->size, offset + length);
}

static void file_truncate(struct file *file, uint64_t size)
{
	assert_int_equal(body_truncate(file->store.tree, file->inode, size), 0);
	if (size < file->size)
		memset(file->model + size, 0, file->size - size);
	file->size = size;
}

static void file_punch(struct file *file, int mode, uint64_t offset, uint64_t length)
{
	assert_int_equal(body_allocate(file->store.tree, file->inode, mode, offset, length), 0);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		file->size = max_u64(file->size, offset + length);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		memset(file->model + offset, 0, min_u64(length, SPACE - offset));
}

static void test_one_byte_stages_one_byte(void **state)
{
	struct file file;

	file_open(&file);
	assert_int_equal(file.store.tree->body_sectors, 0);
	file_write(&file, 5000, 1, '!');
	assert_int_equal(extent_map_spooled(&file.inode->node.map), 1);
	assert_int_equal(file.inode->node.map.count, 3);
	assert_int_equal(file.inode->node.md5.length, 0); /* no longer what the disc says */
	assert_int_equal(file.store.tree->body_sectors, sectors_of(LENGTH));
	file_check(&file);
	file_write(&file, 5000, 1, '?'); /* in place */
	assert_int_equal(file.store.tree->spool.used, 1);
	store_check(&file.store);
	file_check(&file);
	file_close(&file);
}

static void test_truncate(void **state)
{
	struct file file;

	file_open(&file);
	file_truncate(&file, 10000);
	assert_int_equal(file.store.tree->body_sectors, 0); /* its start lies on the disc still */
	file_truncate(&file, 12000);
	assert_int_equal(file.store.tree->body_sectors, sectors_of(12000));
	file_check(&file); /* zeroes, not the old bytes */
	file_truncate(&file, 0);
	assert_int_equal(file.store.tree->body_sectors, 0);
	file_check(&file);
	file_write(&file, 100, 50, 'x');
	file_check(&file);
	store_check(&file.store);
	file_close(&file);
}

static void test_growing_changes_the_content(void **state)
{
	struct file file;

	file_open(&file);
	file_truncate(&file, LENGTH + 1);
	assert_int_equal(file.inode->node.md5.length, 0);
	file_check(&file);
	file_close(&file);
}

static void test_seek(void **state)
{
	struct file file;

	file_open(&file);
	file_punch(&file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096);
	file_check(&file);
	assert_int_equal(body_seek(file.inode, 0, SEEK_HOLE), 4096);
	assert_int_equal(body_seek(file.inode, 4096, SEEK_DATA), 8192);
	assert_int_equal(body_seek(file.inode, 5000, SEEK_HOLE), 5000);
	assert_int_equal(body_seek(file.inode, 8192, SEEK_HOLE), LENGTH);
	assert_int_equal(body_seek(file.inode, LENGTH, SEEK_DATA), -ENXIO);
	assert_int_equal(body_seek(file.inode, LENGTH, SEEK_HOLE), -ENXIO);
	file_close(&file);
}

static void test_limits(void **state)
{
	struct file file;

	file_open(&file);
	assert_int_equal(body_write(file.store.tree, file.inode, "x", 1, 1ull << 62), -EFBIG);
	assert_int_equal(body_truncate(file.store.tree, file.inode, UINT64_MAX), -EFBIG);
	assert_int_equal(body_allocate(file.store.tree, file.inode, FALLOC_FL_COLLAPSE_RANGE, 0, 4096),
			 -EOPNOTSUPP);
	store_leave_room(&file.store, 5);
	assert_int_equal(body_write(file.store.tree, file.inode, "x", 1, 0),
			 -ENOSPC); /* needs all of it anew */
	assert_int_equal(body_truncate(file.store.tree, file.inode, 1ull << 40), -ENOSPC);
	file_check(&file);
	file_truncate(&file, 3 * SECTOR);
	file_write(&file, 0, 1, 'x');
	store_check(&file.store);
	file_close(&file);
}

/* A body beyond 4 GiB takes more records in the directory. */
static void test_huge(void **state)
{
	struct file file;
	uint64_t before;

	file_open(&file);
	before = dir_costs_sectors(&file.store.tree->costs);
	assert_int_equal(body_truncate(file.store.tree, file.inode, 9ull << 30), 0);
	assert_true(dir_costs_sectors(&file.store.tree->costs) > before);
	store_check(&file.store);
	assert_int_equal(body_truncate(file.store.tree, file.inode, 10), 0);
	store_check(&file.store);
	assert_int_equal(dir_costs_sectors(&file.store.tree->costs), before);
	assert_int_equal(body_allocate(file.store.tree, file.inode, 0, 5ull << 30, 10), 0);
	assert_int_equal(store_unlink(&file.store, "file"), 0);
	store_check(&file.store);
	file_close(&file);
}

static void reopen(struct file *file)
{
	tree_put(file->store.tree, file->inode);
	store_reopen(&file->store);
	assert_int_equal(tree_get(file->store.tree, store_ino(&file->store, "file"), &file->inode), 0);
}

static int go_on(void *self, uint64_t done, uint64_t total)
{
	return 0;
}

/* Every other commit burns what a drive couldn't read meanwhile. */
static uint32_t freeze_and_fill(struct file *file, bool fill)
{
	static const struct fill_progress progress = { .step = go_on };
	uint32_t gen = store_freeze(&file->store);
	struct reason why = { 0 };

	if (fill)
		assert_int_equal(fill_generation(file->store.disc, gen, &progress, &why), 0);
	return gen;
}

static void random_step(struct file *file, uint64_t *random, uint32_t *gen)
{
	uint64_t offset = random_below(random, SPACE - 10000), length = 1 + random_below(random, 9000);

	switch (random_below(random, 12)) {
	case 0:
		file_truncate(file, offset);
		break;
	case 1:
		file_punch(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
		break;
	case 2:
		file_punch(file, FALLOC_FL_ZERO_RANGE, offset, length);
		break;
	case 3:
		if (*gen == 0)
			*gen = freeze_and_fill(file, offset % 2);
		else if (length % 2)
			store_publish(&file->store, *gen), *gen = 0;
		else
			store_thaw(&file->store, *gen), *gen = 0;
		break;
	case 4:
		if (*gen == 0 && length % 3 == 0)
			reopen(file);
		break;
	case 5:
		if (file->size < SPACE - 9000)
			file_write(file, file->size, length, (int)random_below(random, 256));
		break;
	default:
		file_write(file, offset, length, (int)random_below(random, 256));
	}
}

static void test_random(void **state)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct file file;
		uint64_t random = seed * 7919;
		uint32_t gen = 0;

		file_open(&file);
		for (unsigned i = 0; i < STEPS; i++) {
			random_step(&file, &random, &gen);
			file_check(&file);
			if (i % 10 == 0)
				store_check(&file.store);
		}
		file_close(&file);
	}
}

static void count_up(void *self)
{
	++*(int *)self;
}

/* While a drive burns, its disc can't be read: nobody waits for it in here, and only who needs it is refused.
 */
static void test_disc_held(void **state)
{
	struct file file;
	struct disc_reader *disc;
	char got[100];
	int released = 0;

	file_open(&file);
	disc = &file.store.tree->disc;
	disc->released = count_up;
	disc->self = &released;
	file_write(&file, 5000, 100, 7);
	disc_reader_hold(disc);
	assert_int_equal(body_read(file.store.tree, file.inode, got, 100, 5000), 100);
	assert_int_equal(got[99], 7);
	assert_int_equal(body_read(file.store.tree, file.inode, got, 100, 5001), -EAGAIN);
	assert_int_equal(body_read(file.store.tree, file.inode, got, 100, 0), -EAGAIN);
	assert_int_equal(body_read(file.store.tree, file.inode, got, 100, LENGTH), 0);
	file_write(&file, 6000, 100, 8);
	assert_int_equal(body_truncate(file.store.tree, file.inode, file.size), 0);
	assert_int_equal(released, 0);
	disc_reader_release(disc);
	disc_reader_release(disc);
	assert_int_equal(released, 1);
	file_check(&file);
	file_close(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_byte_stages_one_byte),
		cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_growing_changes_the_content),
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_disc_held),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
