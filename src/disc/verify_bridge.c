/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/verify_bridge.h"

#include "disc/bridge_sums.h"
#include "disc/udf_tag.h"
#include "disc/verify_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SEQUENCE_LENGTH 6u /* descriptors of a volume, as we record them */
#define ENDS		3u /* places that tell where a session ends */

/* What a part of a range is called. */
static const struct part {
	enum bridge_range range;
	uint32_t from, to; /* sectors of the range */
	enum damaged_what what;
} parts[] = {
	{ RANGE_FRONT, 0, BRIDGE_SEQUENCE, DAMAGED_DESCRIPTORS },
	{ RANGE_FRONT, BRIDGE_SEQUENCE, UINT32_MAX, DAMAGED_UDF },
	{ RANGE_DIRS, 0, UINT32_MAX, DAMAGED_TREE },
	{ RANGE_TAIL, 0, UINT32_MAX, DAMAGED_UDF_TREE },
};

/* ---- reading ---- */

/* 1, 0 = it can't be read, or -errno: nothing can. */
static int read_sectors(const struct checking *checking, uint64_t lba, uint32_t count, uint8_t *ret)
{
	struct reason failed = { 0 };
	int got = source_read(checking->verify->source, lba, count, ret, &failed);

	if (got < 0 && got != -EIO)
		return reason_set(checking->why, -got, "%s", failed.text);
	return got == 0;
}

/* Once: what reads the descriptors meets the same sectors. */
static int tell_lost(struct checking *checking, enum damaged_what what, uint64_t lba)
{
	bool cut = lba >= checking->verify->source->sectors;
	char text[DAMAGE_TEXT];

	if (lba == checking->lost)
		return 0;
	snprintf(text, sizeof text,
		 cut ? "cut off: the medium ends before sector %" PRIu64 : "can't be read at sector %" PRIu64,
		 lba);
	return checking_tell(checking, what, cut ? DAMAGED_CUT : DAMAGED_UNREADABLE, lba, text);
}

/* ---- the record ---- */

/* Where the volume ends that a descriptor sequence of ours describes, ECMA-167 3/10.5. 0: there's none. */
static int find_end(const struct checking *checking, uint64_t sequence, uint64_t *ret)
{
	uint8_t block[SECTOR];
	int got = 1;

	*ret = 0;
	for (uint32_t i = 0; got >= 0 && i < SEQUENCE_LENGTH && !*ret; i++) {
		got = read_sectors(checking, sequence + i, 1, block);
		if (got > 0 && udf_tag_read(block, SECTOR) == UDF_TAG_PARTITION &&
		    udf_entity_is(block + 196, UDF_IMPLEMENTATION))
			*ret = (uint64_t)get_le32(block + 188) + get_le32(block + 192);
	}
	return got < 0 ? got : 0;
}

/* Where it may be: the first place is the likeliest. *ret_ours: a bridge of ours is there. */
static int find_ends(const struct checking *checking, uint64_t ret[ENDS], bool *ret_ours)
{
	const uint64_t start = checking->own_start;
	int got = find_end(checking, start + BRIDGE_SEQUENCE, &ret[0]);

	if (got == 0)
		got = find_end(checking, start + BRIDGE_RESERVE, &ret[1]);
	*ret_ours = ret[0] || ret[1] || verify_tree_start(checking) != start;
	ret[2] = start + checking->session->sectors;
	if (!ret[0])
		ret[0] = ret[1] ? ret[1] : ret[2];
	return got;
}

/* 1; 0: there's no bridge, or it has been told that there's no such record; -errno. */
static int find_record(struct checking *checking, struct bridge_sums *ret)
{
	uint64_t ends[ENDS] = { 0 }, at = 0;
	uint8_t block[SECTOR];
	bool ours;
	int got = find_ends(checking, ends, &ours), there = 0;

	if (got < 0 || !ours)
		return got;
	for (size_t i = 0; i < ENDS; i++) {
		at = ends[i] - BRIDGE_SUMS_BACK;
		got =
		    ends[i] > checking->own_start + BRIDGE_SECTORS ? read_sectors(checking, at, 1, block) : 0;
		if (got < 0)
			return got;
		if (got > 0 && bridge_sums_get(block, at, ret) && ret->start == checking->own_start)
			return 1;
		if (i == 0)
			there = got;
	}
	at = ends[0] - BRIDGE_SUMS_BACK;
	return there ? checking_tell(checking, DAMAGED_UDF_SUMS, DAMAGED_DIFFERS, at,
				     "not as they were recorded")
		     : tell_lost(checking, DAMAGED_UDF_SUMS, at);
}

/* ---- comparing ---- */

/* What is there now. The first sector that can't be read ends it, since each one costs a drive many seconds:
 * *ret_lost, else NO_SECTOR. */
static int sum_up(struct checking *checking, struct range_sums *found, uint64_t *ret_lost)
{
	CLEANUP(range_summing_close) struct range_summing summing = { 0 };
	uint8_t *buffer = checking->verify->buffer;
	uint32_t count = BODY_BUFFER;
	int got = range_summing_open(&summing, found, checking->why);

	*ret_lost = NO_SECTOR;
	for (uint32_t at = 0; got >= 0 && at < found->sectors && *ret_lost == NO_SECTOR;) {
		uint32_t take = (uint32_t)min_u64(count, found->sectors - at);

		got = read_sectors(checking, (uint64_t)found->first + at, take, buffer);
		for (uint32_t i = 0; got > 0 && i < take; i++)
			range_summing_add(&summing, (uint64_t)found->first + at + i,
					  buffer + (size_t)i * SECTOR);
		if (got > 0)
			at += take;
		else if (got == 0 && take == 1)
			*ret_lost = (uint64_t)found->first + at;
		count = got > 0 ? count : 1;
	}
	if (got < 0)
		return got;
	if (*ret_lost == NO_SECTOR && !range_summing_end(&summing))
		return reason_set(checking->why, EIO, "can't compute SHA-256");
	return 0;
}

/* The first piece of the part that differs: its first sector, or NO_SECTOR. One that two parts share is the
 * later one's: the earlier one ends with zeroes. */
static uint64_t first_bad(const struct range_sums *wanted, const struct range_sums *found,
			  const struct part *part, uint64_t *ret_last)
{
	uint32_t step = range_sums_step(wanted);

	for (uint64_t at = part->from - part->from % step; at < wanted->sectors; at += step) {
		uint64_t last = min_u64(at + step, wanted->sectors) - 1;

		if (last >= part->to)
			break;
		if (memcmp(wanted->pieces[at / step], found->pieces[at / step], BRIDGE_PIECE_SUM) == 0)
			continue;
		*ret_last = wanted->first + last;
		return wanted->first + at;
	}
	return NO_SECTOR;
}

static int tell_part(struct checking *checking, enum damaged_what what, uint64_t first, uint64_t last)
{
	char text[DAMAGE_TEXT];

	if (first == NO_SECTOR)
		return checking_tell(checking, what, DAMAGED_DIFFERS, NO_SECTOR, "not as they were recorded");
	snprintf(text, sizeof text,
		 first == last ? "not as they were recorded, in sector %" PRIu64
			       : "not as they were recorded, in sectors %" PRIu64 "..%" PRIu64,
		 first, last);
	return checking_tell(checking, what, DAMAGED_DIFFERS, first, text);
}

/* What the range is called where that sector of it stands. */
static enum damaged_what what_at(enum bridge_range range, uint64_t sector)
{
	enum damaged_what what = DAMAGED_UDF;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i].range == range && sector >= parts[i].from)
			what = parts[i].what;
	return what;
}

static int compare_range(struct checking *checking, enum bridge_range range, const struct range_sums *wanted)
{
	struct range_sums found = { .first = wanted->first, .sectors = wanted->sectors };
	uint64_t lost, last = 0, told = 0;
	int got = sum_up(checking, &found, &lost);

	if (got == 0 && lost != NO_SECTOR)
		return tell_lost(checking, what_at(range, lost - wanted->first), lost);
	for (size_t i = 0; got == 0 && i < sizeof parts / sizeof *parts; i++) {
		uint64_t first =
		    parts[i].range == range ? first_bad(wanted, &found, &parts[i], &last) : NO_SECTOR;

		if (first != NO_SECTOR && ++told)
			got = tell_part(checking, parts[i].what, first, last);
	}
	if (got == 0 && !told && memcmp(wanted->sum, found.sum, sizeof found.sum) != 0)
		got = tell_part(checking, what_at(range, 0), NO_SECTOR, NO_SECTOR);
	return got;
}

/* ---- anchors ---- */

/* 1 = the anchor to the session is in that sector, 0 = it isn't, or -errno. *ret_lost: it can't be read. */
static int has_anchor(const struct checking *checking, uint64_t lba, uint64_t at, bool *ret_lost)
{
	uint8_t wanted[SECTOR], block[SECTOR];
	int got = read_sectors(checking, lba, 1, block);

	*ret_lost = got == 0;
	udf_record_anchor((uint32_t)at, (uint32_t)checking->own_start, wanted);
	return got > 0 ? memcmp(block, wanted, SECTOR) == 0 : got;
}

static int tell_anchor(struct checking *checking, enum damaged_what what, uint64_t lba, bool lost)
{
	return lost ? tell_lost(checking, what, lba)
		    : checking_tell(checking, what, DAMAGED_DIFFERS, lba,
				    "an anchor isn't as it was recorded");
}

static int check_last(struct checking *checking, uint64_t lba)
{
	bool lost;
	int got = has_anchor(checking, lba, lba, &lost);

	return got == 0 ? tell_anchor(checking, DAMAGED_UDF, lba, lost) : got < 0 ? got : 0;
}

/* Where sector 256 is others', neither of both is there. */
static int check_first(struct checking *checking)
{
	const uint64_t copy = HEAD_ANCHOR / SECTOR;
	bool lost, copy_lost;
	int there, claimed;

	if (!checking->head)
		return 0;
	there = has_anchor(checking, BRIDGE_ANCHOR, BRIDGE_ANCHOR, &lost);
	if (there < 0)
		return there;
	claimed = has_anchor(checking, copy, BRIDGE_ANCHOR, &copy_lost);
	if (claimed < 0 || claimed == there)
		return claimed < 0 ? claimed : 0;
	return there ? tell_anchor(checking, DAMAGED_HEAD, copy, copy_lost)
		     : tell_anchor(checking, DAMAGED_UDF, BRIDGE_ANCHOR, lost);
}

/* ---- all of it ---- */

/* A damage of the directories that libisofs' sums have shown isn't told twice. */
static int compare(struct checking *checking, const struct bridge_sums *sums)
{
	const struct range_sums *tail = &sums->ranges[RANGE_TAIL];
	bool tree_told = checking->tree_told;
	int got = 0;

	for (int range = 0; got == 0 && range < BRIDGE_RANGES; range++)
		if (range != RANGE_DIRS || !tree_told)
			got = compare_range(checking, (enum bridge_range)range, &sums->ranges[range]);
	if (got == 0)
		got = check_last(checking, (uint64_t)tail->first + tail->sectors + 1);
	return got == 0 ? check_first(checking) : got;
}

int verify_bridge(struct checking *checking)
{
	struct bridge_sums sums;
	int got = find_record(checking, &sums);

	if (got > 0)
		return compare(checking, &sums);
	return got < 0 ? got : verify_tree_front(checking);
}
