/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/verify_body.h"

#include <errno.h>
#include <openssl/evp.h>

#define PIECE 16u /* an ECC block of DVD; a half of BD's */

struct summing {
	const struct body_reader *reader;
	EVP_MD_CTX *hash;
	EVP_MD_CTX *sha256; /* NULL: not wanted */
	struct body_found *found;
	struct reason *why;
};

static void summing_clear(struct summing *summing)
{
	EVP_MD_CTX_free(summing->hash);
	EVP_MD_CTX_free(summing->sha256);
}

/* 0, 1: can't be read, or -errno: there's no disc any more. */
static int read_once(const struct summing *summing, uint64_t lba, uint32_t count, uint8_t *data)
{
	struct reason failed = { 0 };

	if (source_read(summing->reader->source, lba, count, data, &failed) == 0)
		return 0;
	return failed.err == EIO ? 1 : reason_set(summing->why, failed.err, "%s", failed.text);
}

/* In ever smaller steps: 256, 16, 1. */
static int read_piecewise(const struct summing *summing, uint64_t lba, uint32_t count, uint8_t *data)
{
	uint32_t step = count > PIECE ? PIECE : 1;
	int got = 0;

	for (uint32_t at = 0; got == 0 && at < count; at += step) {
		uint32_t take = count - at < step ? count - at : step;
		uint8_t *to = data + (size_t)at * SECTOR;

		got = read_once(summing, lba + at, take, to);
		if (got == 0)
			continue;
		if (got > 0 && step == 1) {
			summing->found->how = DAMAGED_UNREADABLE;
			summing->found->bad_lba = lba + at;
			return 1;
		}
		if (got > 0)
			got = summing->reader->step(summing->reader->self, 0);
		if (got == 0)
			got = read_piecewise(summing, lba + at, take, to);
	}
	return got;
}

static int sum_piece(struct summing *summing, uint64_t lba, uint32_t count, size_t length)
{
	const struct body_reader *reader = summing->reader;
	int got = read_once(summing, lba, count, reader->buffer);

	if (got > 0)
		got = read_piecewise(summing, lba, count, reader->buffer);
	if (got != 0)
		return got;
	if (EVP_DigestUpdate(summing->hash, reader->buffer, length) != 1 ||
	    (summing->sha256 && EVP_DigestUpdate(summing->sha256, reader->buffer, length) != 1))
		return reason_set(summing->why, EIO, "can't compute MD5");
	return reader->step(reader->self, count);
}

static int sum_section(struct summing *summing, const struct iso_file_section *section)
{
	uint64_t lba = section->block, left = section->size, end = summing->reader->source->sectors;
	int got = 0;

	if (!range_within(lba, sectors_of(left), end)) {
		summing->found->how = DAMAGED_CUT;
		summing->found->bad_lba = max_u64(lba, end);
		return 1;
	}
	while (got == 0 && left) {
		uint32_t count = (uint32_t)min_u64(sectors_of(left), BODY_BUFFER);
		uint64_t length = min_u64(left, (uint64_t)count * SECTOR);

		got = sum_piece(summing, lba, count, (size_t)length);
		lba += count;
		left -= length;
	}
	return got;
}

int verify_body(const struct body_reader *reader, const struct iso_file_section *sections, size_t count,
		struct body_found *ret, struct reason *why)
{
	CLEANUP(summing_clear)
	struct summing summing = { .reader = reader, .hash = EVP_MD_CTX_new(), .found = ret, .why = why };
	int got = 0;

	ret->how = 0;
	if (reader->sha256)
		summing.sha256 = EVP_MD_CTX_new();
	if (!summing.hash || EVP_DigestInit_ex(summing.hash, EVP_md5(), NULL) != 1 ||
	    (reader->sha256 &&
	     (!summing.sha256 || EVP_DigestInit_ex(summing.sha256, EVP_sha256(), NULL) != 1)))
		return reason_set(why, ENOMEM, "can't compute MD5");
	for (size_t i = 0; got == 0 && i < count; i++)
		got = sum_section(&summing, &sections[i]);
	if (got == 0 && (EVP_DigestFinal_ex(summing.hash, ret->md5, NULL) != 1 ||
			 (summing.sha256 && EVP_DigestFinal_ex(summing.sha256, ret->sha256, NULL) != 1)))
		return reason_set(why, EIO, "can't compute MD5");
	return got < 0 ? got : 0;
}
