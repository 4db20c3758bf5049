/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/session_tags.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SUM	       16u
#define SUM_DIGITS     32u
#define TAG_SUPERBLOCK "libisofs_sb_checksum_tag_v1"
#define TAG_TREE       "libisofs_tree_checksum_tag_v1"
#define TAG_SESSION    "libisofs_checksum_tag_v1"
#define TAG_HEAD       "libisofs_rlsb32_checksum_tag_v1"
#define TAG_LONGEST    300u
#define SUMS_PER_BLOCK (SECTOR / SUM)

/* "4 bytes follow", the bytes: start, end, count; "1 byte follows", the length of a sum; its name. */
static const char layout[] = "\4....\4....\4....\1\20MD5";

static uint32_t get_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_known(const uint8_t *isofs_ca, size_t length)
{
	if (length != sizeof layout - 1)
		return false;
	for (size_t i = 0; i < length; i++)
		if (layout[i] != '.' && isofs_ca[i] != (uint8_t)layout[i])
			return false;
	return true;
}

bool session_tags_place(const uint8_t *isofs_ca, size_t length, struct sums_place *ret)
{
	if (!is_known(isofs_ca, length))
		return false;
	*ret = (struct sums_place){ get_be32(isofs_ca + 1), get_be32(isofs_ca + 6), get_be32(isofs_ca + 11) };
	return true;
}

uint32_t sums_place_end(const struct sums_place *place)
{
	return place->array + place->sums / SUMS_PER_BLOCK + (place->sums % SUMS_PER_BLOCK != 0);
}

int session_tags_open(struct session_tags *tags, uint32_t start, uint32_t tree, const uint8_t *isofs_ca,
		      size_t length, struct reason *why)
{
	struct sums_place place;

	*tags = (struct session_tags){ .start = start, .tree = tree };
	if (!session_tags_place(isofs_ca, length, &place))
		return reason_set(why, EIO, "libisofs doesn't tell where its checksums are");
	tags->array = place.array;
	tags->sums = place.sums;
	tags->end = sums_place_end(&place);
	if (place.start != start || tags->array <= tree || tags->sums < 2 || tags->end <= tags->array)
		return reason_set(why, EIO, "libisofs has its checksums at a place that can't be");
	tags->all = EVP_MD_CTX_new();
	tags->of_array = EVP_MD_CTX_new();
	if (!tags->all || !tags->of_array || EVP_DigestInit_ex(tags->all, EVP_md5(), NULL) != 1 ||
	    EVP_DigestInit_ex(tags->of_array, EVP_md5(), NULL) != 1)
		return reason_set(why, EIO, "can't compute MD5");
	return 0;
}

void session_tags_close(struct session_tags *tags)
{
	EVP_MD_CTX_free(tags->all);
	EVP_MD_CTX_free(tags->of_array);
	tags->all = tags->of_array = NULL;
}

/* The sum of what has passed so far; more may follow. */
static bool sum_so_far(const EVP_MD_CTX *hash, uint8_t ret[SUM])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	bool good = copy && EVP_MD_CTX_copy_ex(copy, hash) == 1 && EVP_DigestFinal_ex(copy, ret, NULL) == 1;

	EVP_MD_CTX_free(copy);
	return good;
}

static void put_digits(char *at, const uint8_t sum[SUM])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SUM; i++) {
		at[2 * i] = digits[sum[i] >> 4];
		at[2 * i + 1] = digits[sum[i] & 15];
	}
}

/* "NAME pos=… range_start=… range_size=… [next=…] md5=… self=…\n": self is the sum of the line up to it. */
static int rewrite_tag(const struct session_tags *tags, const char *name, uint32_t lba, uint8_t *block,
		       struct reason *why)
{
	char head[TAG_LONGEST], line[TAG_LONGEST + 1] = { 0 };
	uint8_t sum[SUM];
	char *md5;
	int length =
	    snprintf(head, sizeof head, "%s pos=%" PRIu32 " range_start=%" PRIu32 " range_size=%" PRIu32 " ",
		     name, lba, tags->start, lba - tags->start);

	memcpy(line, block, TAG_LONGEST);
	md5 = strstr(line, " md5=");
	if (strncmp(line, head, (size_t)length) != 0 || !md5 ||
	    strlen(md5) < 5 + SUM_DIGITS + 6 + SUM_DIGITS || memcmp(md5 + 5 + SUM_DIGITS, " self=", 6) != 0)
		return reason_set(why, EIO, "there's no checksum tag of libisofs' at sector %" PRIu32, lba);
	md5 += 5;
	if (!sum_so_far(tags->all, sum))
		return reason_set(why, EIO, "can't compute MD5");
	put_digits(md5, sum);
	if (EVP_Digest(line, (size_t)(md5 - line) + SUM_DIGITS, sum, NULL, EVP_md5(), NULL) != 1)
		return reason_set(why, EIO, "can't compute MD5");
	put_digits(md5 + SUM_DIGITS + 6, sum);
	memcpy(block, line, TAG_LONGEST);
	return 0;
}

/* "NAME pos=… range_start=0 range_size=… session_start=… md5=… self=…\n" */
int session_tags_move(uint8_t *head, uint32_t at, struct reason *why)
{
	char *block = (char *)head + (size_t)at * SECTOR, line[TAG_LONGEST] = { 0 };
	unsigned long pos, range, session;
	uint8_t sum[SUM];
	int length, used = 0;

	block[SECTOR - 1] = '\0';
	if (sscanf(block, TAG_HEAD " pos=%lu range_start=0 range_size=%lu session_start=%lu md5=%n", &pos,
		   &range, &session, &used) != 3 ||
	    used == 0 || pos != range)
		return reason_set(why, EIO, "libisofs has made no checksum of the head");
	length = snprintf(
	    line, sizeof line - 2 * SUM_DIGITS - 8,
	    TAG_HEAD " pos=%" PRIu32 " range_start=0 range_size=%" PRIu32 " session_start=%lu md5=", at, at,
	    session);
	if (EVP_Digest(head, (size_t)at * SECTOR, sum, NULL, EVP_md5(), NULL) != 1)
		return reason_set(why, EIO, "can't compute MD5");
	put_digits(line + length, sum);
	if (EVP_Digest(line, (size_t)length + SUM_DIGITS, sum, NULL, EVP_md5(), NULL) != 1)
		return reason_set(why, EIO, "can't compute MD5");
	memcpy(line + length + SUM_DIGITS, " self=", 6);
	put_digits(line + length + SUM_DIGITS + 6, sum);
	line[(size_t)length + 2 * SUM_DIGITS + 6] = '\n';
	memset(block, 0, SECTOR);
	memcpy(block, line, (size_t)length + 2 * SUM_DIGITS + 7);
	return 0;
}

/* Block number at of the array. */
static int rewrite_sums(struct session_tags *tags, uint32_t at, uint8_t *block, struct reason *why)
{
	uint32_t last =
	    tags->sums - 1 - at * SUMS_PER_BLOCK; /* the array's own sum, counted from this block */
	size_t covered = (size_t)min_u64(last, SUMS_PER_BLOCK) * SUM;
	bool good = at > 0 || sum_so_far(tags->all, block);

	good = good && EVP_DigestUpdate(tags->of_array, block, covered) == 1;
	if (last < SUMS_PER_BLOCK)
		good = good && EVP_DigestFinal_ex(tags->of_array, block + covered, NULL) == 1;
	return good ? 0 : reason_set(why, EIO, "can't compute MD5");
}

bool session_tags_is_superblock(const uint8_t *block)
{
	return memcmp(block, TAG_SUPERBLOCK " ", sizeof TAG_SUPERBLOCK) == 0;
}

int session_tags_pass(struct session_tags *tags, uint32_t lba, uint8_t *block, struct reason *why)
{
	int got = 0;

	if (tags->superblock && lba == tags->superblock)
		got = rewrite_tag(tags, TAG_SUPERBLOCK, lba, block, why);
	else if (lba == tags->tree)
		got = rewrite_tag(tags, TAG_TREE, lba, block, why);
	else if (lba >= tags->array && lba < tags->end)
		got = rewrite_sums(tags, lba - tags->array, block, why);
	else if (lba == tags->end)
		got = rewrite_tag(tags, TAG_SESSION, lba, block, why);
	if (got == 0 && EVP_DigestUpdate(tags->all, block, SECTOR) != 1)
		got = reason_set(why, EIO, "can't compute MD5");
	return got;
}
