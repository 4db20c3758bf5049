/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/volume.h"

#include "disc/lineage.h"
#include "disc/udf_record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Offsets in a primary volume descriptor, ECMA-119 8.4. */
enum {
	AT_LABEL = 40,
	AT_SPACE_SIZE = 80,
	AT_SET_SIZE = 120,
	AT_BLOCK_SIZE = 128,
	AT_ROOT_EXTENT = 158,
	AT_PREPARER = 446,
	AT_APPLICATION = 574,
	AT_CREATED = 813,
	AT_MODIFIED = 830,
	AT_EXPIRES = 847,
	AT_EFFECTIVE = 864
};

static bool get_digits(const uint8_t *at, size_t count, int *ret)
{
	int value = 0;

	for (size_t i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		value = value * 10 + (at[i] - '0');
	}
	*ret = value;
	return true;
}

/* 8.4.26.1: sixteen digits and an offset from GMT in quarters of an hour. 0 where nothing sensible is
 * recorded. */
static int64_t get_time(const uint8_t *at)
{
	struct tm tm = { 0 };
	int zone = (int8_t)at[16];
	time_t seconds;

	if (!get_digits(at, 4, &tm.tm_year) || !get_digits(at + 4, 2, &tm.tm_mon) ||
	    !get_digits(at + 6, 2, &tm.tm_mday) || !get_digits(at + 8, 2, &tm.tm_hour) ||
	    !get_digits(at + 10, 2, &tm.tm_min) || !get_digits(at + 12, 2, &tm.tm_sec) || tm.tm_year == 0)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm);
	return zone >= -48 && zone <= 52 ? (int64_t)seconds - zone * 900 : (int64_t)seconds;
}

static void get_label(const uint8_t *at, char *ret)
{
	size_t length = VOLUME_LABEL;

	memcpy(ret, at, VOLUME_LABEL);
	while (length && (ret[length - 1] == ' ' || ret[length - 1] == '\0'))
		length--;
	ret[length] = '\0';
}

static bool is_primary(const uint8_t *block)
{
	return block[0] == 1 && memcmp(block + 1, "CD001", 5) == 0 && block[6] == 1;
}

static bool begins_with(const uint8_t *at, const char *name)
{
	return memcmp(at, name, strlen(name)) == 0;
}

bool volume_is_our_name(const char *name)
{
	return strncmp(name, VOLUME_APPLICATION, strlen(VOLUME_APPLICATION)) == 0 ||
	       strncmp(name, VOLUME_APPLICATION_HEADLESS, strlen(VOLUME_APPLICATION_HEADLESS)) == 0;
}

/* Other programs carry the application of the session before on, but name themselves as who prepared theirs.
 * Sessions of an older discfs have the name in question as their application. */
static bool is_made_by(const uint8_t *block, const char *name)
{
	const uint8_t *preparer = block + AT_PREPARER;

	return begins_with(preparer, name) ||
	       (begins_with(block + AT_APPLICATION, name) &&
		(*preparer == ' ' || begins_with(preparer, VOLUME_APPLICATION)));
}

int volume_read(const struct source *source, uint64_t start, struct volume *ret, struct reason *why)
{
	uint8_t *block = ret->block;
	int got;

	if (!range_within(start, 17, source->sectors))
		return 0;
	got = source_read(source, start + 16, 1, block, why);
	if (got < 0)
		return got;
	if (!is_primary(block))
		return 0;
	if (get_le16(block + AT_BLOCK_SIZE) != SECTOR)
		return reason_set(why, EMEDIUMTYPE,
				  "the volume has blocks of %u bytes: only 2048 are supported",
				  get_le16(block + AT_BLOCK_SIZE));
	if (get_le16(block + AT_SET_SIZE) > 1)
		return reason_set(why, EMEDIUMTYPE,
				  "this is one of a set of %u volumes: sets are not supported",
				  get_le16(block + AT_SET_SIZE));
	ret->start = start;
	ret->size = get_le32(block + AT_SPACE_SIZE);
	ret->root = get_le32(block + AT_ROOT_EXTENT);
	ret->created = get_time(block + AT_CREATED);
	ret->time = get_time(block + AT_MODIFIED);
	if (ret->time < ret->created)
		ret->time = ret->created;
	get_label(block + AT_LABEL, ret->label);
	ret->expires = get_time(block + AT_EXPIRES);
	ret->effective = get_time(block + AT_EFFECTIVE);
	ret->headless = is_made_by(block, VOLUME_APPLICATION_HEADLESS);
	ret->ours = ret->headless || is_made_by(block, VOLUME_APPLICATION);
	return 1;
}

uint64_t volume_behind_front(uint64_t start)
{
	return start + BRIDGE_SECTORS;
}

/* Do both lead to the same directories? */
static bool is_copy(const uint8_t *outer, const uint8_t *inner)
{
	enum { ROOT = 156, ROOT_LENGTH = 34, TABLES = 132, TABLES_LENGTH = 24 };

	return memcmp(outer + ROOT, inner + ROOT, ROOT_LENGTH) == 0 &&
	       memcmp(outer + TABLES, inner + TABLES, TABLES_LENGTH) == 0;
}

static bool leads_to_root(const struct source *source, const uint8_t *block)
{
	const struct volume volume = { .root = get_le32(block + AT_ROOT_EXTENT) };

	return volume_has_root(source, &volume);
}

/* On sequential media no record tells where a session begins: the anchor in its front does. And since these
 * descriptors lead to directories behind them, in their place, they aren't within somebody's file. */
static bool is_behind_front(const struct source *source, uint64_t start, const uint8_t *inner)
{
	const uint32_t at = (uint32_t)start + BRIDGE_ANCHOR;
	struct reason ignored = { 0 };
	uint8_t anchor[SECTOR], wanted[SECTOR];

	udf_record_anchor(at, (uint32_t)start, wanted);
	return is_made_by(inner, VOLUME_APPLICATION_HEADLESS) &&
	       get_le32(inner + AT_ROOT_EXTENT) > volume_behind_front(start) &&
	       source_read(source, at, 1, anchor, &ignored) == 0 && memcmp(anchor, wanted, SECTOR) == 0 &&
	       leads_to_root(source, inner);
}

uint64_t volume_inner(const struct source *source, uint64_t start)
{
	struct reason ignored = { 0 };
	uint8_t outer[SECTOR], inner[SECTOR];
	uint64_t behind = volume_behind_front(start);
	struct lineage lineage;
	bool there;

	if (!range_within(behind, 17, source->sectors) ||
	    source_read(source, behind + 16, 1, inner, &ignored) < 0 || !is_primary(inner))
		return start;
	there = source_read(source, start + 16, 1, outer, &ignored) == 0 && is_primary(outer);
	if (there && is_copy(outer, inner))
		return behind;
	if (there && leads_to_root(source, outer))
		return start;
	return (lineage_get(inner, &lineage) && lineage.start == start) ||
		       is_behind_front(source, start, inner)
		   ? behind
		   : start;
}

int volume_read_either(const struct source *source, uint64_t start, struct volume *ret, struct reason *why)
{
	struct reason first = { 0 };
	uint64_t inner;
	int got = volume_read(source, start, ret, &first);

	if (got > 0)
		return got;
	inner = got == 0 || got == -EIO ? volume_inner(source, start) : start;
	if (inner != start)
		return volume_read(source, inner, ret, why);
	return got < 0 ? reason_set(why, first.err, "%s", first.text) : got;
}

/* A record: its length, 2: where it stands, 25: flags, 32: length of its name (ECMA-119 9.1). */
bool volume_has_root(const struct source *source, const struct volume *volume)
{
	struct reason ignored = { 0 };
	uint8_t block[SECTOR];

	return volume->root && source_read(source, volume->root, 1, block, &ignored) == 0 && block[0] >= 34 &&
	       get_le32(block + 2) == volume->root && (block[25] & 2) && block[32] == 1 && block[33] == 0;
}
