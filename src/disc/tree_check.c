/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/tree_check.h"

#include "disc/tree_name.h"
#include "disc/volume.h"
#include "wire/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Offsets in a directory record, ECMA-119 9.1. */
enum { AT_XAR = 1, AT_EXTENT = 2, AT_LENGTH = 10, AT_FLAGS = 25, AT_NAME_LENGTH = 32, AT_NAME = 33 };
/* ECMA-119 9.1.6: bits 5 and 6 are reserved. */
#define FLAG_DIR     0x02u
#define FLAGS_NEVER  0x60u
#define FLAG_MULTI   0x80u
#define DESCRIPTORS  64u
#define DIRS_MOST    20000000u
#define DIR_SECTORS  (1u << 16) /* 128 MB: libisofs reads no more either, for lack of time */
#define AHEAD	     16u
#define FAULTS_SHOWN 1000u
#define MENDED_MOST  100000u
#define ROOT_RECORD  156u

/* A directory by its record, and where that stands, for its name. */
struct dir {
	uint32_t lba, length;
	uint32_t parent; /* index */
	uint32_t named_at;
	uint16_t offset;
};

struct walk {
	const struct source *source;
	uint64_t limit, sectors_left;
	struct tree_faults *faults;
	struct reason *why;
	VEC(struct dir) dirs;
	bool joliet;
	bool exact; /* by a writer that leaves no rubbish in a sector, nor empty sectors at a directory's end
		     */
	/* of the directory at hand */
	uint32_t at;	/* its index */
	uint64_t empty; /* a sector without records that came before, 0: none */
	uint64_t multi; /* the sector of a file's part that others must follow, 0: none */
	uint8_t multi_name[256];
	bool told; /* what is lost of it */
	uint8_t blocks[AHEAD * SECTOR];
};

static void walk_clear(struct walk *walk)
{
	vec_clear(&walk->dirs);
}

void tree_faults_clear(struct tree_faults *faults)
{
	vec_clear(&faults->items);
	vec_clear(&faults->mended);
	faults->count = 0;
}

const struct tree_fault *tree_faults_first(const struct tree_faults *faults, enum tree_fault_kind kind)
{
	for (size_t i = 0; i < faults->items.count; i++)
		if (faults->items.items[i].kind == kind)
			return &faults->items.items[i];
	return NULL;
}

/* ---- what is said ---- */

static int no_memory(struct walk *walk)
{
	return reason_set(walk->why, ENOMEM, "out of memory");
}

/* From the records that lead there, the root's path is "". */
static void put_path(struct walk *walk, uint32_t index, char *ret, size_t room)
{
	char name[TREE_NAME_ROOM], path[300] = "";

	for (unsigned depth = 0; index && depth < TREE_DEPTH_LIMIT;
	     index = walk->dirs.items[index].parent, depth++) {
		const struct dir *dir = &walk->dirs.items[index];
		struct reason ignored = { 0 };
		uint8_t block[SECTOR];
		char longer[sizeof path];

		if (source_read(walk->source, dir->named_at, 1, block, &ignored) < 0)
			snprintf(name, sizeof name, "?");
		else
			tree_name(block + dir->offset, walk->joliet, name);
		if ((size_t)snprintf(longer, sizeof longer, "/%s%s", name, path) >= sizeof longer)
			snprintf(longer, sizeof longer, "…%.200s", path);
		memcpy(path, longer, sizeof path);
	}
	snprintf(ret, room, "%s", path);
}

static int add_fault(struct walk *walk, enum tree_fault_kind kind, uint64_t lba, bool unreadable,
		     const char *text)
{
	struct tree_fault *fault;
	char path[300];

	if (kind == TREE_LOST && walk->told)
		return 0;
	walk->told |= kind == TREE_LOST;
	if (walk->faults->count++ >= FAULTS_SHOWN)
		return 0;
	fault = vec_push(&walk->faults->items);
	if (!fault)
		return no_memory(walk);
	*fault = (struct tree_fault){ .kind = kind, .lba = lba, .unreadable = unreadable };
	put_path(walk, walk->at, path, sizeof path);
	snprintf(fault->text, sizeof fault->text, "%s: %s", path[0] ? path : "/", text);
	return 0;
}

static int say_lost(struct walk *walk, uint64_t lba, bool unreadable, const char *what)
{
	char text[160];

	snprintf(text, sizeof text, "some or all of its names are lost: sector %" PRIu64 " %s", lba, what);
	return add_fault(walk, TREE_LOST, lba, unreadable, text);
}

static int say_odd(struct walk *walk, uint64_t lba, const char *what)
{
	char text[160];

	snprintf(text, sizeof text, "it may not be as it was recorded: sector %" PRIu64 " %s", lba, what);
	return add_fault(walk, TREE_ODD, lba, false, text);
}

/* keep: bytes at its begin that are as they should be. */
static int mend(struct walk *walk, uint64_t lba, size_t keep)
{
	const struct dir *dir = &walk->dirs.items[walk->at];
	struct tree_mended *mended;

	if (walk->faults->mended.count >= MENDED_MOST)
		return 0;
	mended = vec_push(&walk->faults->mended);
	if (!mended)
		return no_memory(walk);
	*mended = (struct tree_mended){ .lba = lba, .keep = (uint32_t)keep };
	if (lba == dir->lba && !keep) {
		mended->dir = dir->lba;
		mended->length = dir->length;
		mended->parent = walk->dirs.items[dir->parent].lba;
	}
	return 0;
}

/* ---- records ---- */

/* Both byte orders of a number differ in a way that isn't a writer's, who leaves one out or has both alike.
 */
static bool disagrees(const uint8_t *at)
{
	uint32_t little = get_le32(at),
		 big = (uint32_t)at[4] << 24 | (uint32_t)at[5] << 16 | (uint32_t)at[6] << 8 | at[7];

	return little != big && big != 0 && little != 0 && get_le32(at + 4) != little;
}

static bool record_fits(const uint8_t *record, size_t room)
{
	size_t length = room ? record[0] : 0;

	if (length <= AT_NAME || length > room || record[AT_NAME_LENGTH] == 0 ||
	    record[AT_NAME_LENGTH] > length - AT_NAME)
		return false;
	return !disagrees(record + AT_EXTENT) || !disagrees(record + AT_LENGTH);
}

static bool is_self(const uint8_t *record, uint8_t which)
{
	return record[AT_NAME_LENGTH] == 1 && record[AT_NAME] == which;
}

static int add_dir(struct walk *walk, uint64_t lba, size_t offset, const uint8_t *record)
{
	uint32_t extent = get_le32(record + AT_EXTENT) + record[AT_XAR];
	struct dir *dir;

	if (walk->dirs.count >= DIRS_MOST)
		return 0;
	dir = vec_push(&walk->dirs);
	if (!dir)
		return no_memory(walk);
	*dir =
	    (struct dir){ extent, get_le32(record + AT_LENGTH), walk->at, (uint32_t)lba, (uint16_t)offset };
	return 0;
}

/* A file of several parts has them one behind another, the last one says so (ECMA-119 9.1.6). libisofs leaves
 * one without an end out. */
static int follow_parts(struct walk *walk, uint64_t lba, const uint8_t *record)
{
	const uint8_t *name = record + AT_NAME_LENGTH;
	bool goes_on = record[AT_FLAGS] & FLAG_MULTI,
	     follows = memcmp(name, walk->multi_name, *name + 1u) == 0;
	uint64_t open = walk->multi;

	walk->multi = goes_on ? lba : 0;
	if (goes_on)
		memcpy(walk->multi_name, name, *name + 1u);
	return open && !follows ? say_lost(walk, open, false, "has a file whose last part is missing") : 0;
}

static int take_record(struct walk *walk, uint64_t lba, size_t offset, const uint8_t *record)
{
	bool dir = record[AT_FLAGS] & FLAG_DIR;
	int got = 0;

	if (is_self(record, 0) || is_self(record, 1))
		return 0;
	if ((record[AT_FLAGS] & FLAGS_NEVER) || (dir && (record[AT_FLAGS] & FLAG_MULTI)))
		got = say_odd(walk, lba, "has a name of a kind that there isn't");
	if (got == 0)
		got = follow_parts(walk, lba, record);
	return got == 0 && dir ? add_dir(walk, lba, offset, record) : got;
}

/* ---- sectors ---- */

/* Its own extent and that of the directory above it come first (6.8.2.2). */
static int check_begin(struct walk *walk, const uint8_t *block)
{
	struct dir *dir = &walk->dirs.items[walk->at];
	uint32_t length = get_le32(block + AT_LENGTH), lba = get_le32(block + AT_EXTENT);
	const uint8_t *second = block + block[0];

	if (!record_fits(block, SECTOR) || !is_self(block, 0) || !record_fits(second, SECTOR - block[0]) ||
	    !is_self(second, 1))
		return 1;
	if (lba != dir->lba && lba + block[AT_XAR] != dir->lba &&
	    say_odd(walk, dir->lba, "says that it's another directory's") < 0)
		return -ENOMEM;
	if (length != dir->length && sectors_of(length) < sectors_of(dir->length))
		return say_lost(walk, dir->lba, false, "gives it fewer sectors than it has");
	dir->length = length > dir->length ? length : dir->length;
	return 0;
}

static bool all_zero(const uint8_t *data, size_t length)
{
	return length == 0 || (data[0] == 0 && memcmp(data, data + 1, length - 1) == 0);
}

/* Behind the last record there's nothing (6.8.1.1), but careless writers leave rubbish there. */
static int check_tail(struct walk *walk, uint64_t lba, const uint8_t *block, size_t at)
{
	if (all_zero(block + at, SECTOR - at) ||
	    (!walk->exact && !record_fits(block + at + 1, SECTOR - at - 1)))
		return 0;
	return say_lost(walk, lba, false, "isn't a directory's to its end");
}

static int check_records(struct walk *walk, uint64_t lba, const uint8_t *block)
{
	size_t at = 0;
	int got = 0;

	for (; got == 0 && at < SECTOR && block[at]; at += block[at]) {
		if (!record_fits(block + at, SECTOR - at)) {
			got = say_lost(walk, lba, false, "isn't a directory's");
			return got ? got : mend(walk, lba, at);
		}
		got = take_record(walk, lba, at, block + at);
	}
	return got ? got : check_tail(walk, lba, block, at);
}

static int check_sector(struct walk *walk, uint64_t lba, const uint8_t *block)
{
	bool first = lba == walk->dirs.items[walk->at].lba;
	int got = 0;

	if (!first && all_zero(block, SECTOR)) {
		walk->empty = walk->empty ? walk->empty : lba;
		return 0;
	}
	if (walk->empty)
		got = say_lost(walk, walk->empty, false, "is empty");
	walk->empty = 0;
	if (got == 0 && first)
		got = check_begin(walk, block);
	if (got > 0 || (got == 0 && block[0] == 0)) {
		got =
		    say_lost(walk, lba, false, all_zero(block, SECTOR) ? "is empty" : "isn't a directory's");
		return got ? got : mend(walk, lba, 0);
	}
	return got ? got : check_records(walk, lba, block);
}

/* One that can't be read. */
static int take_hole(struct walk *walk, uint64_t lba)
{
	int got = say_lost(walk, lba, true, "can't be read");

	walk->empty = 0;
	return got ? got : mend(walk, lba, 0);
}

static int check_piece(struct walk *walk, uint64_t lba, uint32_t count)
{
	struct reason failed = { 0 };
	int got = source_read(walk->source, lba, count, walk->blocks, &failed);

	bool hole = got < 0;

	if (hole && failed.err != EIO)
		return reason_set(walk->why, failed.err, "%s", failed.text);
	if (hole && count == 1)
		return take_hole(walk, lba);
	got = 0;
	for (uint32_t i = 0; got == 0 && i < count; i++)
		got = hole ? check_piece(walk, lba + i, 1)
			   : check_sector(walk, lba + i, walk->blocks + (size_t)i * SECTOR);
	return got;
}

static int check_dir(struct walk *walk)
{
	const struct dir *dir = &walk->dirs.items[walk->at];
	uint64_t lba = dir->lba, done = 0;
	int got = 0;

	walk->empty = walk->multi = 0;
	walk->told = false;
	if (lba >= walk->limit)
		return say_lost(walk, lba, false, "is beyond the end of the disc");
	/* what the first sector says of itself may be more */
	for (; got == 0 && walk->sectors_left; done++) {
		uint64_t left = max_u64(sectors_of(walk->dirs.items[walk->at].length), 1) - done;
		uint32_t count = (uint32_t)min_u64(min_u64(left, walk->sectors_left), done ? AHEAD : 1);

		if (left == 0 || done >= DIR_SECTORS)
			break;
		if (lba + done >= walk->limit)
			return say_lost(walk, lba + done, false, "is beyond the end of the disc");
		count = (uint32_t)min_u64(count, walk->limit - lba - done);
		walk->sectors_left -= count;
		got = check_piece(walk, lba + done, count);
		done += count - 1;
	}
	if (got == 0 && walk->multi)
		got = say_lost(walk, walk->multi, false, "has a file whose last part is missing");
	if (got == 0 && walk->empty && walk->exact)
		got = say_lost(walk, walk->empty, false, "is empty");
	return got;
}

/* ---- where it begins ---- */

/* Joliet's are level 1 to 3; those of ISO 9660:1999 are of version 2. */
static bool is_wanted(const uint8_t *block, uint32_t format, bool enhanced)
{
	bool joliet = block[0] == 2 && block[88] == '%' && block[89] == '/' &&
		      (block[90] == '@' || block[90] == 'C' || block[90] == 'E');

	if (format == FORMAT_JOLIET)
		return joliet;
	if (enhanced)
		return block[0] == 2 && block[6] == 2 && !joliet;
	return block[0] == 1;
}

/* Application (8.4.20) and data preparer (8.4.19) of a primary descriptor. */
static bool is_exact(const uint8_t *block)
{
	static const char *const applications[] = { "GENISOIMAGE ISO", "MKISOFS ISO", VOLUME_APPLICATION,
						    VOLUME_APPLICATION_HEADLESS, "LIBARCHIVE " };
	static const char *const preparers[] = { "XORRISO-", "LIBISOFS-", VOLUME_APPLICATION,
						 VOLUME_APPLICATION_HEADLESS };

	for (size_t i = 0; i < sizeof applications / sizeof *applications; i++)
		if (memcmp(block + 574, applications[i], strlen(applications[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof preparers / sizeof *preparers; i++)
		if (memcmp(block + 446, preparers[i], strlen(preparers[i])) == 0)
			return true;
	return false;
}

/* 1 = found. What can't be read is told by those who need it. */
static int find_root(struct walk *walk, uint64_t session, uint32_t format, bool enhanced)
{
	struct reason failed = { 0 };
	uint8_t *block = walk->blocks;
	struct dir *root;

	for (uint32_t i = 16; i < DESCRIPTORS; i++) {
		if (session + i >= walk->limit ||
		    source_read(walk->source, session + i, 1, block, &failed) < 0 ||
		    memcmp(block + 1, "CD001", 5) != 0 || block[0] == 255)
			break;
		if (block[0] == 1)
			walk->exact = is_exact(block);
		if (!is_wanted(block, format, enhanced))
			continue;
		root = vec_push(&walk->dirs);
		if (!root)
			return no_memory(walk);
		*root = (struct dir){ .lba = get_le32(block + ROOT_RECORD + AT_EXTENT) +
					     block[ROOT_RECORD + AT_XAR],
				      .length = get_le32(block + ROOT_RECORD + AT_LENGTH) };
		return 1;
	}
	return failed.err && failed.err != EIO ? reason_set(walk->why, failed.err, "%s", failed.text) : 0;
}

static int compare_mended(const void *left, const void *right)
{
	const struct tree_mended *a = left, *b = right;

	return a->lba < b->lba ? -1 : a->lba > b->lba;
}

int tree_check(const struct source *source, uint64_t session, uint64_t limit, uint32_t format, bool enhanced,
	       struct tree_faults *ret, struct reason *why)
{
	CLEANUP(walk_clear)
	struct walk walk = { .source = source,
			     .limit = limit,
			     .sectors_left = limit,
			     .faults = ret,
			     .why = why,
			     .joliet = format == FORMAT_JOLIET };
	int got = find_root(&walk, session, format, enhanced);

	if (got <= 0)
		return got;
	for (got = 0; got == 0 && walk.at < walk.dirs.count && walk.sectors_left; walk.at++)
		got = check_dir(&walk);
	if (ret->mended.count)
		qsort(ret->mended.items, ret->mended.count, sizeof *ret->mended.items, compare_mended);
	return got < 0 ? got : 1;
}

int tree_check_root(const struct source *source, uint64_t session, uint64_t limit, struct reason *why)
{
	CLEANUP(tree_faults_clear) struct tree_faults faults = { 0 };
	CLEANUP(walk_clear)
	struct walk walk = { .source = source, .limit = limit, .faults = &faults, .why = why };
	int got = find_root(&walk, session, FORMAT_ISO9660, false);

	if (got <= 0)
		return got < 0 ? got : 1;
	got = walk.dirs.items[0].lba < limit ? check_piece(&walk, walk.dirs.items[0].lba, 1) : 0;
	return got < 0 ? got : walk.dirs.items[0].lba < limit && faults.mended.count == 0;
}

static size_t put_self(uint8_t *at, uint8_t which, uint32_t lba, uint32_t length)
{
	at[0] = AT_NAME + 1;
	put_le32(at + AT_EXTENT, lba);
	put_be32(at + AT_EXTENT + 4, lba);
	put_le32(at + AT_LENGTH, length);
	put_be32(at + AT_LENGTH + 4, length);
	at[AT_FLAGS] = FLAG_DIR;
	at[AT_NAME_LENGTH] = 1;
	at[AT_NAME] = which;
	return at[0];
}

bool tree_faults_mend(const struct tree_faults *faults, uint64_t lba, uint8_t *ret)
{
	const struct tree_mended wanted = { .lba = lba }, *found = NULL;

	if (faults && faults->mended.count)
		found = bsearch(&wanted, faults->mended.items, faults->mended.count, sizeof wanted,
				compare_mended);
	if (!found)
		return false;
	memset(ret + found->keep, 0, SECTOR - found->keep);
	if (found->dir)
		put_self(ret + put_self(ret, 0, found->dir, found->length), 1, found->parent, SECTOR);
	return true;
}
