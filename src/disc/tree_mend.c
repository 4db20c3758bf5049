/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/tree_mend.h"

#include "base/vec.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Fields of descriptor and directory record: ECMA-119 8.4 and 9.1. */
#define PVD_PATH_SIZE 132
#define PVD_PATHS_L   140
#define PVD_PATHS_M   148
#define PVD_ROOT      156
#define RECORD_EXTENT 2
#define RECORD_SIZE   10
#define RECORD_FLAGS  25
#define RECORD_NAME   32 /* length, then the name */
#define RECORD_LEAST  34u
#define FLAG_DIR      0x02

struct walk {
	const struct tree_bounds *bounds;
	const uint8_t *data;
	uint32_t count;
	uint32_t at; /* block of data where the next directory really begins */
	uint8_t *out;
	uint32_t missing;    /* blocks still to be inserted */
	VEC(uint32_t) ahead; /* directories by the layout, the next one last */
};

static void walk_clear(struct walk *walk)
{
	vec_clear(&walk->ahead);
	free(walk->out);
}

static int broken(const struct walk *walk, const char *what, uint32_t lba, struct reason *why)
{
	return reason_set(
	    why, EIO,
	    "libisofs laid out the directories wrongly, and that can't be mended: %s at sector %" PRIu32
	    " (block %" PRIu32 " as written)",
	    what, lba, walk->at);
}

int tree_bounds_read(const uint8_t *descriptor, uint32_t start, struct tree_bounds *ret, struct reason *why)
{
	uint64_t blocks = sectors_of(get_le32(descriptor + PVD_PATH_SIZE));
	uint32_t root = get_le32(descriptor + PVD_ROOT + RECORD_EXTENT);
	uint32_t paths = get_le32(descriptor + PVD_PATHS_L);
	uint64_t tag = paths + 2 * blocks;
	uint8_t behind[4];

	put_be32(behind, (uint32_t)(paths + blocks));
	if (memcmp(descriptor, "\1CD001\1", 7) != 0 || root <= start || paths <= root || blocks == 0 ||
	    tag >= UINT32_MAX || memcmp(descriptor + PVD_PATHS_M, behind, sizeof behind) != 0)
		return reason_set(why, EIO, "libisofs made a volume descriptor that can't be right");
	*ret = (struct tree_bounds){ start, root, paths, (uint32_t)tag };
	return 0;
}

static const uint8_t *block_at(const struct walk *walk, uint32_t block)
{
	return walk->data + (size_t)block * SECTOR;
}

/* The first block of the directory that the layout has at lba? A block of a continuation area begins with a
 * field's two letters, where a record has its length and 0. */
static bool is_directory(const struct walk *walk, uint32_t block, uint32_t lba)
{
	const uint8_t *record = block_at(walk, block);
	uint8_t extent[8];

	put_le32(extent, lba);
	put_be32(extent + 4, lba);
	return block < walk->count && record[0] >= RECORD_LEAST && record[1] == 0 &&
	       memcmp(record + RECORD_EXTENT, extent, sizeof extent) == 0 &&
	       (record[RECORD_FLAGS] & FLAG_DIR) && record[RECORD_NAME] == 1 && record[RECORD_NAME + 1] == 0;
}

static bool is_path_table(const struct walk *walk, uint32_t block)
{
	const uint8_t *record = block_at(walk, block);
	uint8_t wanted[10] = { [0] = 1, [6] = 1 };

	put_le32(wanted + 2, walk->bounds->root);
	return block < walk->count && memcmp(record, wanted, sizeof wanted) == 0;
}

/* The directories in one block of records, in their order. */
static int take_children(struct walk *walk, uint32_t lba, const uint8_t *block, struct reason *why)
{
	for (uint32_t at = 0; at < SECTOR && block[at] != 0; at += block[at]) {
		const uint8_t *record = block + at;
		uint32_t *child;

		if (record[0] < RECORD_LEAST || !range_within(at, record[0], SECTOR) ||
		    RECORD_NAME + 1u + record[RECORD_NAME] > record[0])
			return broken(walk, "a directory record", lba, why);
		if (!(record[RECORD_FLAGS] & FLAG_DIR) ||
		    (record[RECORD_NAME] == 1 && record[RECORD_NAME + 1] <= 1))
			continue;
		child = vec_push(&walk->ahead);
		if (!child)
			return reason_set(why, ENOMEM, "out of memory");
		*child = get_le32(record + RECORD_EXTENT);
	}
	return 0;
}

static int take_all_children(struct walk *walk, uint32_t lba, uint32_t blocks, struct reason *why)
{
	size_t first = walk->ahead.count;
	int got = 0;

	for (uint32_t i = 0; i < blocks && got == 0; i++)
		got = take_children(walk, lba, block_at(walk, walk->at + i), why);
	for (size_t low = first, high = walk->ahead.count; low + 1 < high; low++) {
		uint32_t other = walk->ahead.items[--high];

		walk->ahead.items[high] = walk->ahead.items[low];
		walk->ahead.items[low] = other;
	}
	return got;
}

/* Where what follows the directory really begins, 0 where it isn't found. records: its blocks of records;
 * room: its blocks by the layout, its continuation area included. */
static uint32_t find_end(const struct walk *walk, uint32_t records, uint32_t room, uint32_t next)
{
	if (next == walk->bounds->paths) {
		uint32_t end = walk->at + room - walk->missing;

		return walk->missing <= room - records && is_path_table(walk, end) ? end : 0;
	}
	for (uint32_t block = walk->at + records; block <= walk->at + room && block < walk->count; block++)
		if (is_directory(walk, block, next))
			return block;
	return 0;
}

/* The directory that the layout has at lba, which begins at walk->at. */
static int mend_directory(struct walk *walk, uint32_t lba, struct reason *why)
{
	const uint8_t *record = block_at(walk, walk->at);
	const struct tree_bounds *bounds = walk->bounds;
	uint32_t next, records, end, gap;
	int got;

	if (!is_directory(walk, walk->at, lba))
		return broken(walk, "no directory", lba, why);
	records = (uint32_t)sectors_of(get_le32(record + RECORD_SIZE));
	if (records == 0 || !range_within(walk->at, records, walk->count))
		return broken(walk, "a directory's size", lba, why);
	got = take_all_children(walk, lba, records, why);
	if (got < 0)
		return got;
	next = walk->ahead.count ? walk->ahead.items[walk->ahead.count - 1] : bounds->paths;
	if (next > bounds->paths || !range_within(lba, records, next))
		return broken(walk, "the next directory's address", lba, why);
	end = find_end(walk, records, next - lba, next);
	if (end == 0)
		return broken(walk, "no next directory", lba, why);
	gap = next - lba - (end - walk->at);
	if (gap > walk->missing)
		return broken(walk, "too large a gap", lba, why);
	walk->missing -= gap;
	memcpy(walk->out + (size_t)(lba - bounds->start) * SECTOR, record, (size_t)(end - walk->at) * SECTOR);
	walk->at = end;
	return 0;
}

static int mend_all(struct walk *walk, struct reason *why)
{
	const struct tree_bounds *bounds = walk->bounds;
	uint32_t lba = bounds->root;
	int got;

	for (;;) {
		got = mend_directory(walk, lba, why);
		if (got < 0)
			return got;
		if (walk->ahead.count == 0)
			break;
		lba = walk->ahead.items[--walk->ahead.count];
	}
	if (walk->missing != 0)
		return broken(walk, "too small gaps", bounds->paths, why);
	memcpy(walk->out + (size_t)(bounds->paths - bounds->start) * SECTOR, block_at(walk, walk->at),
	       (size_t)(walk->count - walk->at) * SECTOR);
	return 0;
}

int tree_mend(const struct tree_bounds *bounds, const uint8_t *data, uint32_t count, uint32_t missing,
	      uint8_t **ret, struct reason *why)
{
	CLEANUP(walk_clear)
	struct walk walk = { .bounds = bounds, .data = data, .count = count, .missing = missing };
	uint32_t before = bounds->root - bounds->start;
	int got;

	if (before >= count || !range_within(bounds->tag - bounds->start + 1, 0, (uint64_t)count + missing))
		return broken(&walk, "too few blocks", bounds->root, why);
	walk.out = calloc((size_t)count + missing, SECTOR);
	if (!walk.out)
		return reason_set(why, ENOMEM, "out of memory");
	walk.at = before;
	memcpy(walk.out, data, (size_t)before * SECTOR);
	got = mend_all(&walk, why);
	if (got == 0)
		*ret = TAKE(walk.out);
	return got;
}
