/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "base/fd.h"
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct lair {
	struct spool spool;
	char dir[64];
	int dir_fd;
};

static void lair_open(struct lair *lair, uint64_t limit)
{
	struct reason why = { 0 };

	snprintf(lair->dir, sizeof lair->dir, "/tmp/discfs-unit-XXXXXX");
	assert_non_null(mkdtemp(lair->dir));
	lair->dir_fd = open(lair->dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(spool_open(&lair->spool, lair->dir_fd, limit, &why), 0);
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static void lair_close(struct lair *lair)
{
	spool_close(&lair->spool);
	close(lair->dir_fd);
	nftw(lair->dir, remove_file, 8, FTW_DEPTH | FTW_PHYS);
}

/* Allocates and fills; the whole length must come in one piece. */
static uint64_t put(struct lair *lair, struct spool_run *run, size_t length)
{
	static char data[1 << 20];
	uint64_t origin = 0, got = 0;

	memset(data, 'x', length);
	assert_int_equal(spool_allocate(&lair->spool, run, length, &origin, &got), 0);
	assert_int_equal(got, length);
	assert_int_equal(fd_pwrite_full(lair->spool.fd, data, length, origin), 0);
	return origin;
}

static bool is_hole(struct lair *lair, uint64_t origin)
{
	return lseek(lair->spool.fd, (off_t)origin, SEEK_HOLE) == (off_t)origin;
}

static void settle(struct lair *lair)
{
	spool_settle(&lair->spool, spool_mark(&lair->spool));
}

static void test_runs(void **state)
{
	struct lair lair;
	struct spool_run run = { 0 };
	uint64_t first, other, next;

	lair_open(&lair, 0);
	first = put(&lair, &run, 100);
	other = put(&lair, NULL, 100);
	assert_int_equal(other % SPOOL_ALIGN, 0);
	assert_int_not_equal(first, other);
	/* What a file appends continues where it ended, until the run is full; runs grow. */
	next = put(&lair, &run, 200);
	assert_int_equal(next, first + 100);
	for (int i = 0; i < 200; i++) {
		uint64_t length = 0;

		assert_int_equal(spool_allocate(&lair.spool, &run, 3000, &next, &length), 0);
		assert_true(length > 0 && length <= 3000);
	}
	assert_true(run.grow > 64 << 10);
	lair_close(&lair);
}

static void test_free_waits_for_settle(void **state)
{
	struct lair lair;
	uint64_t kept, gone, early, mark;

	lair_open(&lair, 0);
	kept = put(&lair, NULL, 2 * SPOOL_ALIGN);
	gone = put(&lair, NULL, 2 * SPOOL_ALIGN);
	early = put(&lair, NULL, SPOOL_ALIGN);
	spool_free(&lair.spool, gone, 2 * SPOOL_ALIGN);
	assert_int_equal(lair.spool.used, 3 * SPOOL_ALIGN);
	assert_false(is_hole(&lair, gone));
	mark = spool_mark(&lair.spool);
	spool_free(&lair.spool, early, SPOOL_ALIGN);
	spool_settle(&lair.spool, mark);
	assert_true(is_hole(&lair, gone));
	assert_false(is_hole(&lair, early)); /* its rows may still be there */
	spool_settle(&lair.spool, mark);     /* two threads flushed at once: the mark is behind already */
	assert_false(is_hole(&lair, early));
	settle(&lair);
	assert_true(is_hole(&lair, early));
	assert_false(is_hole(&lair, kept));
	lair_close(&lair);
}

static void test_empty_again(void **state)
{
	struct lair lair;
	struct stat st;
	uint64_t origin;

	lair_open(&lair, 0);
	origin = put(&lair, NULL, 10000);
	spool_free(&lair.spool, origin, 10000);
	settle(&lair);
	assert_int_equal(fstat(lair.spool.fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(lair.spool.used, 0);
	lair_close(&lair);
}

static void test_frozen_stays(void **state)
{
	struct lair lair;
	struct spool_run run = { 0 };
	uint64_t old, new;

	lair_open(&lair, 0);
	old = put(&lair, &run, SPOOL_ALIGN - 100);
	assert_int_equal(spool_writable(&lair.spool, old, 10), 10);
	spool_freeze(&lair.spool);
	assert_int_equal(spool_writable(&lair.spool, old, 10), 0);
	new = put(&lair, &run, 100); /* not into the old run */
	assert_int_equal(spool_writable(&lair.spool, new, 10), 10);
	spool_free(&lair.spool, old, SPOOL_ALIGN - 100);
	settle(&lair);
	assert_false(is_hole(&lair, old));
	spool_thaw(&lair.spool);
	assert_int_equal(spool_writable(&lair.spool, old, 10), 10);
	lair_close(&lair);
}

static void test_adopt(void **state)
{
	struct lair lair;
	uint64_t first, second, third;
	struct extent used[2];

	lair_open(&lair, 0);
	first = put(&lair, NULL, SPOOL_ALIGN);
	second = put(&lair, NULL, SPOOL_ALIGN);
	third = put(&lair, NULL, SPOOL_ALIGN);
	used[0] = (struct extent){ .origin = third, .length = SPOOL_ALIGN, .kind = EXTENT_SPOOL };
	used[1] = (struct extent){ .origin = first, .length = 100, .kind = EXTENT_SPOOL };
	assert_int_equal(spool_adopt(&lair.spool, used, 2, true), 0);
	assert_int_equal(lair.spool.used, SPOOL_ALIGN + 100);
	assert_true(is_hole(&lair, second));
	assert_false(is_hole(&lair, first));
	assert_false(is_hole(&lair, third));
	assert_true(put(&lair, NULL, 1) > third); /* never into what may be in use */
	assert_int_equal(spool_adopt(&lair.spool, NULL, 0, true), 0);
	assert_int_equal(lseek(lair.spool.fd, 0, SEEK_END), 0);
	lair_close(&lair);
}

static void test_adopt_on_start(void **state)
{
	struct lair lair;
	struct reason why = { 0 };
	struct extent used = { .length = 5000, .kind = EXTENT_SPOOL };

	lair_open(&lair, 0);
	put(&lair, NULL, 9000);
	used.origin = put(&lair, NULL, 5000);
	put(&lair, NULL, 7000); /* no row came to tell of it */
	spool_close(&lair.spool);
	assert_int_equal(spool_open(&lair.spool, lair.dir_fd, 0, &why), 0);
	assert_int_equal(spool_adopt(&lair.spool, &used, 1, true), 0);
	assert_true(is_hole(&lair, 0));
	assert_false(is_hole(&lair, used.origin));
	assert_true(put(&lair, NULL, 1) >= used.origin + 5000);
	lair_close(&lair);
}

static void test_limit(void **state)
{
	struct lair lair;
	uint64_t origin, length, first;

	lair_open(&lair, 10000);
	first = put(&lair, NULL, 9000);
	assert_int_equal(spool_allocate(&lair.spool, NULL, 1001, &origin, &length), -ENOSPC);
	put(&lair, NULL, 1000);
	assert_int_equal(spool_allocate(&lair.spool, NULL, 1, &origin, &length), -ENOSPC);
	spool_free(&lair.spool, first, 9000);
	put(&lair, NULL, 5000);
	lair_close(&lair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),	    cmocka_unit_test(test_free_waits_for_settle),
		cmocka_unit_test(test_empty_again), cmocka_unit_test(test_frozen_stays),
		cmocka_unit_test(test_adopt),	    cmocka_unit_test(test_adopt_on_start),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
