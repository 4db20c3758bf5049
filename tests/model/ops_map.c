/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the bytes of a file are: mappings, holes, allocation, ranges that are copied. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	   4096
#define REACH	   (512 << 10)
#define SIZE_LIMIT (1 << 20)

static int64_t pick_place_in_file(struct model *model)
{
	uint64_t at = below(model, one_in(model, 3) ? REACH : 40000);

	return (int64_t)(one_in(model, 2) ? at & ~(uint64_t)(PAGE - 1) : at);
}

/* slot: descriptor, other: mapping, n0: offset, n1: length */
static void make_mmap(struct model *model, struct op *op)
{
	op->slot = pick_slot(model, S_IFREG);
	op->other = (unsigned)below(model, MAPS);
	op->n[0] = (int64_t)below(model, 20) * PAGE;
	op->n[1] = (int64_t)(1 + below(model, 20)) * PAGE;
}

static int drop_map(struct map *map)
{
	int ret = 0;

	if (map->at) {
		ret = munmap(map->at, map->length);
		close(map->fd);
	}
	*map = (struct map){ .fd = -1 };
	return ret;
}

static void run_mmap(struct side *side, const struct op *op, struct result *ret)
{
	struct map *map = &side->map[op->other];
	void *at;

	drop_map(map);
	at = mmap(NULL, (size_t)op->n[1], PROT_READ | PROT_WRITE, MAP_SHARED, side->fd[op->slot], op->n[0]);
	done(ret, at == MAP_FAILED ? -1 : 0);
	if (at != MAP_FAILED)
		*map = (struct map){ at, (size_t)op->n[1], op->n[0],
				     fcntl(side->fd[op->slot], F_DUPFD_CLOEXEC, 3) };
}

/* other: mapping, n0: offset in it, n1: length, n2: bytes */
static void make_map_io(struct model *model, struct op *op)
{
	op->other = (unsigned)below(model, MAPS);
	op->n[0] = (int64_t)below(model, 20 * PAGE);
	op->n[1] = (int64_t)below(model, 9000);
	op->n[2] = (int64_t)below(model, 1 << 30);
}

/* How much of the range the mapped file has: what is behind its end can't be touched. */
static size_t reach(const struct map *map, const struct op *op)
{
	struct stat st;
	int64_t end = (int64_t)map->length, length = op->n[1];

	if (!map->at || fstat(map->fd, &st) < 0)
		return 0;
	if (st.st_size - map->offset < end)
		end = st.st_size - map->offset;
	if (op->n[0] + length > end)
		length = end - op->n[0];
	return length > 0 ? (size_t)length : 0;
}

/* The time that a store into a page gives its file depends on whether the page was written back since the
 * last one; so the file gets a time of its own. */
static void run_map_write(struct side *side, const struct op *op, struct result *ret)
{
	const struct map *map = &side->map[op->other];
	const struct timespec times[2] = { { 1000000000, 0 },
					   { 1000000000 + op->n[2] % 1000000, op->n[2] % 1000000000 } };
	size_t length = reach(map, op);

	fill_bytes(side->data, length, (uint64_t)op->n[2]);
	if (length)
		memcpy(map->at + op->n[0], side->data, length);
	done(ret, length ? futimens(map->fd, times) : 0);
	tell(side, ret, "%zu", length);
}

static void run_map_read(struct side *side, const struct op *op, struct result *ret)
{
	const struct map *map = &side->map[op->other];

	ret->length = reach(map, op);
	if (ret->length)
		memcpy(side->data, map->at + op->n[0], ret->length);
	ret->data = side->data;
}

/* n0: flags */
static void make_msync(struct model *model, struct op *op)
{
	op->other = (unsigned)below(model, MAPS);
	op->n[0] = one_in(model, 4) ? MS_SYNC : MS_ASYNC;
}

static void run_msync(struct side *side, const struct op *op, struct result *ret)
{
	const struct map *map = &side->map[op->other];

	done(ret, map->at ? msync(map->at, map->length, (int)op->n[0]) : 0);
}

static void run_munmap(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, drop_map(&side->map[op->other]));
}

/* n0: offset, n1: length, n2: mode */
static void make_fallocate(struct model *model, struct op *op)
{
	static const int ways[] = {
		0,
		FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};

	op->slot = pick_slot(model, S_IFREG);
	op->n[0] = pick_place_in_file(model);
	op->n[1] = one_in(model, 30) ? 0 : 1 + pick_place_in_file(model) / 2;
	op->n[2] = ways[below(model, sizeof ways / sizeof *ways)];
}

static void run_fallocate(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, fallocate(side->fd[op->slot], (int)op->n[2], op->n[0], op->n[1]));
}

/* slot: from, other: to, n0 and n1: where, n2: length */
static void make_copy_range(struct model *model, struct op *op)
{
	op->slot = pick_slot(model, S_IFREG);
	op->other = one_in(model, 5) ? op->slot : pick_slot(model, S_IFREG);
	op->n[0] = one_in(model, 3) ? 0 : pick_place_in_file(model);
	op->n[1] = one_in(model, 3) ? 0 : pick_place_in_file(model);
	op->n[2] = one_in(model, 3) ? SIZE_LIMIT : pick_place_in_file(model);
}

/* May come in pieces of any length; the sum counts. */
static void run_copy_range(struct side *side, const struct op *op, struct result *ret)
{
	loff_t from = op->n[0], to = op->n[1];
	int64_t left = op->n[2], all = 0;
	ssize_t put = 0;

	while (left > 0) {
		put = copy_file_range(side->fd[op->slot], &from, side->fd[op->other], &to, (size_t)left, 0);
		if (put <= 0)
			break;
		left -= put;
		all += put;
	}
	done(ret, put < 0 ? -1 : 0);
	tell(side, ret, "%lld bytes", (long long)all);
}

/* A new file whose content is that of another: what cp and file managers do. */
static void make_copy(struct model *model, struct op *op)
{
	pick_file(model, op->path);
	pick_place(model, op->path2);
}

static void run_copy(struct side *side, const struct op *op, struct result *ret)
{
	struct stat st;
	ssize_t put = 1;
	int64_t all = 0;
	int from, to;

	if (stat(op->path, &st) < 0 || !S_ISREG(st.st_mode)) {
		tell(side, ret, "no file for it");
		return;
	}
	from = open(op->path, O_RDONLY | O_CLOEXEC);
	to = from < 0 ? -1 : open(op->path2, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode & 07777);
	if (to < 0)
		put = -1;
	while (put > 0) {
		put = copy_file_range(from, NULL, to, NULL, SIZE_LIMIT, 0);
		all += put > 0 ? put : 0;
	}
	done(ret, put);
	tell(side, ret, "%lld bytes", (long long)all);
	if (to >= 0)
		close(to);
	if (from >= 0)
		close(from);
}

static void after_copy(struct model *model, const struct op *op, const struct result *result)
{
	if (result->ret == 0)
		known_add(model, op->path2, S_IFREG);
}

static bool all_zero(int fd, unsigned char *data, off_t from, off_t to)
{
	while (from < to) {
		ssize_t length =
		    pread(fd, data, to - from < (off_t)DATA_ROOM ? (size_t)(to - from) : DATA_ROOM, from);

		if (length <= 0)
			return false;
		for (ssize_t i = 0; i < length; i++)
			if (data[i])
				return false;
		from += length;
	}
	return true;
}

/* What lseek calls a hole must read as zeroes; where the holes are is each file system's own affair. Returns
 * where it isn't so, or -1. */
static off_t check_holes(int fd, unsigned char *data, off_t size)
{
	off_t at = 0;

	while (at < size) {
		off_t start = lseek(fd, at, SEEK_DATA), end;

		if (start < 0 && errno != ENXIO)
			return at;
		if (start < at && start >= 0)
			return at;
		if (!all_zero(fd, data, at, start < 0 ? size : start))
			return at;
		if (start < 0)
			return -1;
		end = lseek(fd, start, SEEK_HOLE);
		if (end <= start || end > size)
			return start;
		at = end;
	}
	return -1;
}

static void run_seek_holes(struct side *side, const struct op *op, struct result *ret)
{
	int fd = side->fd[op->slot];
	off_t was = lseek(fd, 0, SEEK_CUR), wrong;
	struct stat st;

	if (was < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
		tell(side, ret, "no file that can be read");
		return;
	}
	wrong = check_holes(fd, side->data, st.st_size);
	tell(side, ret, "%s", "holes are zeroes");
	if (wrong >= 0)
		tell(side, ret, ", but not at %lld", (long long)wrong);
	done(ret, lseek(fd, st.st_size, SEEK_DATA)); /* ENXIO */
	lseek(fd, was, SEEK_SET);
}

static void make_seek_holes(struct model *model, struct op *op)
{
	op->slot = pick_slot(model, S_IFREG);
}

const struct kind map_kinds[] = {
	{ .name = "mmap", .weight = 8, .make = make_mmap, .run = run_mmap },
	{ .name = "map_write", .weight = 15, .make = make_map_io, .run = run_map_write },
	{ .name = "map_read", .weight = 12, .make = make_map_io, .run = run_map_read },
	{ .name = "msync", .weight = 4, .make = make_msync, .run = run_msync },
	{ .name = "munmap", .weight = 4, .make = make_msync, .run = run_munmap },
	{ .name = "fallocate", .weight = 15, .make = make_fallocate, .run = run_fallocate },
	{ .name = "copy_range", .weight = 20, .make = make_copy_range, .run = run_copy_range },
	{ .name = "copy", .weight = 12, .make = make_copy, .run = run_copy, .after = after_copy },
	{ .name = "seek_holes", .weight = 8, .make = make_seek_holes, .run = run_seek_holes },
	{ 0 },
};
