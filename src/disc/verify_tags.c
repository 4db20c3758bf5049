/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/verify_tags.h"

#include <errno.h>
#include <inttypes.h>
#include <libisofs/libisofs.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define AHEAD	     32u
#define FIRST_BLOCK  16u /* of the descriptors (ECMA-119 6.7.1) */
#define TERMINATOR   255u
#define SEARCH_LIMIT (1u << 19) /* sectors, for a tag behind directories that nothing leads to */
#define SUM	     16u
#define SUM_DIGITS   32u

enum tag_type { TAG_NONE = 0, TAG_SESSION = 1, TAG_SUPERBLOCK = 2, TAG_TREE = 3, TAG_RELOCATED = 4 };

struct tag {
	int type;   /* enum tag_type, TAG_NONE also for one that isn't whole */
	bool whole; /* its own sum is right */
	uint32_t pos, start, size, next;
	char md5[SUM];
};

/* A walk from a session's first block on. */
struct walk {
	const struct verify_tags *tags;
	struct reason *why;
	uint8_t blocks[AHEAD * SECTOR];
	uint64_t first, count; /* of the blocks that are there */
	EVP_MD_CTX *hash;
	bool broken;	  /* a block couldn't be read: no sum can be right any more */
	bool terminated;  /* the terminator of the descriptors has passed */
	bool descriptors; /* their tag has passed, or it has been said that it's damaged */
	uint64_t until;	  /* where the tag behind the directories must be; 0 unknown */
	bool found;	  /* any tag */
	bool done;
};

static void walk_clear(struct walk *walk)
{
	EVP_MD_CTX_free(walk->hash);
}

static int say(const struct walk *walk, uint32_t what, uint32_t how, uint64_t lba, const char *text)
{
	struct verb_damaged damaged = { .what = what, .how = how, .lba = lba };

	snprintf(damaged.text, sizeof damaged.text, "%s", text);
	return walk->tags->damaged(walk->tags->self, &damaged);
}

static int say_unreadable(const struct walk *walk, uint32_t what, uint64_t lba)
{
	bool cut = lba >= walk->tags->source->sectors;
	char text[DAMAGE_TEXT];

	snprintf(text, sizeof text,
		 cut ? "cut off: the medium ends before sector %" PRIu64 : "can't be read at sector %" PRIu64,
		 lba);
	return say(walk, what, cut ? DAMAGED_CUT : DAMAGED_UNREADABLE, lba, text);
}

static int say_bad_tag(const struct walk *walk, uint32_t what, uint64_t lba)
{
	char text[DAMAGE_TEXT];

	snprintf(text, sizeof text, "the recorded sum of them, at sector %" PRIu64 ", is damaged", lba);
	return say(walk, what, DAMAGED_DIFFERS, lba, text);
}

/* The part of the line that no sum covers is as libisofs writes it: read as a number, "A" is as good as "a".
 */
static bool ends_well(const char *text)
{
	const char *md5 = strstr(text, " md5=");
	const char *self = md5 ? strstr(md5, " self=") : NULL;

	return self && self == md5 + 5 + SUM_DIGITS && strspn(self + 6, "0123456789abcdef") == SUM_DIGITS &&
	       self[6 + SUM_DIGITS] == '\n';
}

/* libisofs reads up to a NUL. */
static struct tag decode(const uint8_t *block)
{
	char text[SECTOR + 1] = { 0 };
	struct tag tag = { 0 };
	int got;

	memcpy(text, block, SECTOR);
	got =
	    iso_util_decode_md5_tag(text, &tag.type, &tag.pos, &tag.start, &tag.size, &tag.next, tag.md5, 0);
	tag.whole = got == 1 && ends_well(text);
	if (got != 1 && got != (int)ISO_MD5_AREA_CORRUPTED)
		tag.type = TAG_NONE;
	return tag;
}

static bool all_zero(const uint8_t *block)
{
	return block[0] == 0 && memcmp(block, block + 1, SECTOR - 1) == 0;
}

/* 0 with *ret NULL: it can't be read, -errno: nothing can. */
static int block_at(struct walk *walk, uint64_t lba, const uint8_t **ret)
{
	const struct source *source = walk->tags->source;
	struct reason failed = { 0 };

	*ret = NULL;
	if (lba >= source->sectors)
		return 0;
	if (lba < walk->first || lba - walk->first >= walk->count) {
		walk->first = lba;
		walk->count = min_u64(AHEAD, source->sectors - lba);
		if (source_read(source, lba, (uint32_t)walk->count, walk->blocks, &failed) < 0) {
			failed = (struct reason){ 0 };
			walk->count = 1;
			if (source_read(source, lba, 1, walk->blocks, &failed) < 0)
				walk->count = 0;
		}
	}
	if (failed.err && failed.err != EIO)
		return reason_set(walk->why, failed.err, "%s", failed.text);
	if (walk->count)
		*ret = walk->blocks + (size_t)(lba - walk->first) * SECTOR;
	return 0;
}

static bool sum_is(const struct walk *walk, const struct tag *tag)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	uint8_t sum[SUM];
	bool good = copy && EVP_MD_CTX_copy_ex(copy, walk->hash) == 1 &&
		    EVP_DigestFinal_ex(copy, sum, NULL) == 1 && memcmp(sum, tag->md5, SUM) == 0;

	EVP_MD_CTX_free(copy);
	return good;
}

/* What couldn't be read has been told. The sum of the directories covers the descriptors and their tag, too:
 * where these are damaged, it tells nothing. */
static int compare(struct walk *walk, const struct tag *tag, uint32_t what)
{
	if (walk->broken || sum_is(walk, tag))
		return 0;
	walk->broken = true;
	return say(walk, what, DAMAGED_DIFFERS, NO_SECTOR, "not as they were recorded");
}

/* The block behind the terminator of the descriptors: their tag, if there are tags. */
static int take_superblock(struct walk *walk, uint64_t lba, const uint8_t *block)
{
	struct tag tag = decode(block);

	walk->descriptors = true;
	if (tag.type == TAG_SUPERBLOCK && tag.whole && tag.pos == lba && tag.start == walk->tags->start) {
		walk->found = true;
		walk->until = tag.next > lba ? tag.next : 0;
		return compare(walk, &tag, DAMAGED_DESCRIPTORS);
	}
	/* A copy of what lies elsewhere, or a foreign disc */
	if (!walk->tags->expected && (tag.type == TAG_NONE || tag.whole)) {
		walk->done = true;
		return 0;
	}
	walk->broken = true;
	return say_bad_tag(walk, DAMAGED_DESCRIPTORS, lba);
}

static int take_tree(struct walk *walk, uint64_t lba, const uint8_t *block)
{
	struct tag tag = decode(block);
	bool there = tag.type == TAG_TREE && tag.whole && tag.pos == lba && tag.start == walk->tags->start;

	if (!there && lba != walk->until)
		return 0;
	walk->done = true;
	walk->found = true;
	return there ? compare(walk, &tag, DAMAGED_TREE) : say_bad_tag(walk, DAMAGED_TREE, lba);
}

static int take(struct walk *walk, uint64_t lba, const uint8_t *block)
{
	uint64_t at = lba - walk->tags->start;

	if (walk->descriptors)
		return take_tree(walk, lba, block);
	if (walk->terminated || (at >= FIRST_BLOCK && decode(block).type == TAG_SUPERBLOCK))
		return take_superblock(walk, lba, block);
	if (at >= FIRST_BLOCK && memcmp(block + 1, "CD001", 5) == 0 && block[0] == TERMINATOR)
		walk->terminated = true;
	return 0;
}

/* A hole before the tag of the descriptors leaves nothing to go by: the terminator may have been there. */
static int take_hole(struct walk *walk, uint64_t lba)
{
	uint32_t what = walk->descriptors ? DAMAGED_TREE : DAMAGED_DESCRIPTORS;
	bool first = !walk->broken;

	walk->broken = true;
	if (lba - walk->tags->start >= FIRST_BLOCK && !walk->descriptors)
		walk->terminated = walk->descriptors = true;
	if (lba == walk->until || lba >= walk->tags->source->sectors)
		walk->done = true;
	return first ? say_unreadable(walk, what, lba) : 0;
}

static int walk_open(struct walk *walk)
{
	walk->hash = EVP_MD_CTX_new();
	if (!walk->hash || EVP_DigestInit_ex(walk->hash, EVP_md5(), NULL) != 1)
		return reason_set(walk->why, ENOMEM, "can't compute MD5");
	return 0;
}

static bool goes_on(const struct walk *walk, uint64_t lba)
{
	uint64_t at = lba - walk->tags->start;

	if (walk->done)
		return false;
	if (walk->until)
		return lba <= walk->until;
	if (walk->descriptors && walk->tags->brief)
		return false;
	return at < (walk->descriptors ? SEARCH_LIMIT : HEAD_SECTORS);
}

int verify_tags_session(const struct verify_tags *tags, struct reason *why)
{
	CLEANUP(walk_clear) struct walk walk = { .tags = tags, .why = why };
	int got = walk_open(&walk);

	for (uint64_t lba = tags->start; got == 0 && goes_on(&walk, lba); lba++) {
		const uint8_t *block;

		got = block_at(&walk, lba, &block);
		if (got == 0)
			got = block ? take(&walk, lba, block) : take_hole(&walk, lba);
		if (block && EVP_DigestUpdate(walk.hash, block, SECTOR) != 1)
			return reason_set(why, EIO, "can't compute MD5");
	}
	if (got == 0 && tags->expected && !walk.descriptors)
		got =
		    say(&walk, DAMAGED_DESCRIPTORS, DAMAGED_DIFFERS, NO_SECTOR, "not as they were recorded");
	return got < 0 ? got : walk.found || tags->expected;
}

/* Behind the terminator of the head there is a tag of its own kind, a copy of the session's (which can't be
 * right here), or nothing. */
static int take_head(struct walk *walk, uint64_t lba, const uint8_t *block)
{
	struct tag tag = decode(block);

	walk->done = true;
	if (tag.type == TAG_RELOCATED && tag.whole && tag.pos == lba && tag.start == 0)
		return compare(walk, &tag, DAMAGED_HEAD);
	if (!walk->tags->expected || all_zero(block) || (tag.type == TAG_SUPERBLOCK && tag.whole))
		return 0;
	return say_bad_tag(walk, DAMAGED_HEAD, lba);
}

uint64_t verify_tags_relocated(const struct source *source)
{
	struct reason ignored = { 0 };
	uint8_t block[SECTOR];

	for (uint64_t lba = FIRST_BLOCK; lba < HEAD_SECTORS; lba++) {
		struct tag tag;

		if (source_read(source, lba, 1, block, &ignored) < 0)
			return 0;
		tag = decode(block);
		if (tag.type == TAG_RELOCATED && tag.whole && tag.pos == lba && tag.next >= HEAD_SECTORS &&
		    tag.next < source->sectors)
			return tag.next;
	}
	return 0;
}

/* That a volume of UDF follows, ECMA-167 2/8.3.1. */
static bool is_recognition(const uint8_t *block)
{
	return memcmp(block + 1, "BEA01", 5) == 0 || memcmp(block + 1, "NSR0", 4) == 0 ||
	       memcmp(block + 1, "TEA01", 5) == 0;
}

/* The tag of the head, also where no terminator came before it. */
static bool is_relocated(uint64_t lba, const uint8_t *block)
{
	return lba >= FIRST_BLOCK && decode(block).type == TAG_RELOCATED;
}

int verify_tags_head(const struct verify_tags *tags, struct reason *why)
{
	CLEANUP(walk_clear) struct walk walk = { .tags = tags, .why = why };
	int got = walk_open(&walk);

	for (uint64_t lba = 0; got == 0 && lba < HEAD_SECTORS && !walk.done; lba++) {
		const uint8_t *block;

		got = block_at(&walk, lba, &block);
		if (got == 0 && !block)
			return say_unreadable(&walk, DAMAGED_HEAD, lba);
		if (got == 0 && (walk.terminated ? !is_recognition(block) : is_relocated(lba, block)))
			got = take_head(&walk, lba, block);
		else if (got == 0 && lba >= FIRST_BLOCK && memcmp(block + 1, "CD001", 5) == 0)
			walk.terminated = block[0] == TERMINATOR;
		if (block && EVP_DigestUpdate(walk.hash, block, SECTOR) != 1)
			return reason_set(why, EIO, "can't compute MD5");
	}
	return got;
}

int verify_tags_end(const struct verify_tags *tags, const struct sums_place *place, struct reason *why)
{
	struct walk walk = { .tags = tags, .why = why };
	uint64_t lba = sums_place_end(place);
	const uint8_t *block;
	struct tag tag;
	int got = block_at(&walk, lba, &block);

	if (got < 0)
		return got;
	if (!block)
		return say_unreadable(&walk, DAMAGED_TAG, lba);
	tag = decode(block);
	if (tag.type == TAG_SESSION && tag.whole && tag.pos == lba && tag.start == tags->start)
		return 0;
	return say(&walk, DAMAGED_TAG, DAMAGED_DIFFERS, lba, "not as it was recorded");
}
