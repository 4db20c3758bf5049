/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/bridge_sums.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define MAGIC "DISCFS UDF SUM 1"

/* Offsets in the record, and in what it says of a range. */
enum { AT_MAGIC = 512, AT_START = 528, AT_RANGES = 532, AT_SUM = 2016 };
enum { AT_FIRST = 0, AT_SECTORS = 4, AT_ALL = 8, AT_PIECES = 40 };

#define RANGE_BYTES (AT_PIECES + BRIDGE_PIECES * BRIDGE_PIECE_SUM)

_Static_assert(AT_RANGES + BRIDGE_RANGES * RANGE_BYTES <= AT_SUM && AT_SUM + BRIDGE_SUM == SECTOR,
	       "the record fits into its sector");

static bool sum_of(const uint8_t *record, uint8_t ret[BRIDGE_SUM])
{
	return EVP_Digest(record, AT_SUM, ret, NULL, EVP_sha256(), NULL) == 1;
}

/* ---- the record ---- */

int bridge_sums_put(const struct bridge_sums *sums, uint32_t at, uint8_t ret[SECTOR])
{
	udf_record_anchor(at, sums->start, ret);
	memcpy(ret + AT_MAGIC, MAGIC, sizeof MAGIC - 1);
	put_le32(ret + AT_START, sums->start);
	for (size_t i = 0; i < BRIDGE_RANGES; i++) {
		const struct range_sums *range = &sums->ranges[i];
		uint8_t *to = ret + AT_RANGES + i * RANGE_BYTES;

		put_le32(to + AT_FIRST, range->first);
		put_le32(to + AT_SECTORS, range->sectors);
		memcpy(to + AT_ALL, range->sum, sizeof range->sum);
		memcpy(to + AT_PIECES, range->pieces, sizeof range->pieces);
	}
	return sum_of(ret, ret + AT_SUM) ? 0 : -EIO;
}

/* They follow each other, the first at the session's start, the last up to the record. */
static bool makes_sense(const struct bridge_sums *sums, uint64_t at)
{
	const struct range_sums *front = &sums->ranges[RANGE_FRONT], *dirs = &sums->ranges[RANGE_DIRS],
				*tail = &sums->ranges[RANGE_TAIL];

	return front->first == sums->start && front->sectors == BRIDGE_SECTORS &&
	       dirs->first == (uint64_t)front->first + front->sectors &&
	       tail->first >= (uint64_t)dirs->first + dirs->sectors &&
	       (uint64_t)tail->first + tail->sectors == at;
}

bool bridge_sums_get(const uint8_t *block, uint64_t at, struct bridge_sums *ret)
{
	uint8_t sum[BRIDGE_SUM];

	if (memcmp(block + AT_MAGIC, MAGIC, sizeof MAGIC - 1) != 0 || !sum_of(block, sum) ||
	    memcmp(block + AT_SUM, sum, sizeof sum) != 0)
		return false;
	ret->start = get_le32(block + AT_START);
	for (size_t i = 0; i < BRIDGE_RANGES; i++) {
		const uint8_t *from = block + AT_RANGES + i * RANGE_BYTES;
		struct range_sums *range = &ret->ranges[i];

		range->first = get_le32(from + AT_FIRST);
		range->sectors = get_le32(from + AT_SECTORS);
		memcpy(range->sum, from + AT_ALL, sizeof range->sum);
		memcpy(range->pieces, from + AT_PIECES, sizeof range->pieces);
	}
	return makes_sense(ret, at);
}

/* ---- summing up ---- */

uint32_t range_sums_step(const struct range_sums *sums)
{
	return sums->sectors / BRIDGE_PIECES + (sums->sectors % BRIDGE_PIECES != 0 || sums->sectors == 0);
}

static bool begin(void *hash)
{
	return EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;
}

int range_summing_open(struct range_summing *summing, struct range_sums *sums, struct reason *why)
{
	*summing = (struct range_summing){ .sums = sums, .piece = EVP_MD_CTX_new(), .all = EVP_MD_CTX_new() };
	if (!summing->piece || !summing->all || !begin(summing->piece) || !begin(summing->all))
		return reason_set(why, ENOMEM, "can't compute SHA-256");
	return 0;
}

static bool end_piece(struct range_summing *summing, uint32_t piece)
{
	uint8_t sum[BRIDGE_SUM];

	if (EVP_DigestFinal_ex(summing->piece, sum, NULL) != 1 || !begin(summing->piece))
		return false;
	memcpy(summing->sums->pieces[piece], sum, BRIDGE_PIECE_SUM);
	return EVP_DigestUpdate(summing->all, sum, sizeof sum) == 1;
}

/* Sector 256, but for the session that begins at 0, and has its own anchor there. */
static bool is_of_all(const struct range_sums *sums, uint64_t lba)
{
	return lba == BRIDGE_ANCHOR && sums->first != 0;
}

void range_summing_add(struct range_summing *summing, uint64_t lba, const uint8_t *block)
{
	static const uint8_t zeroes[SECTOR];
	const struct range_sums *sums = summing->sums;
	uint32_t step = range_sums_step(sums);
	bool good = summing->at < sums->sectors &&
		    EVP_DigestUpdate(summing->piece, is_of_all(sums, lba) ? zeroes : block, SECTOR) == 1;

	if (good && (++summing->at % step == 0 || summing->at == sums->sectors))
		good = end_piece(summing, (summing->at - 1) / step);
	summing->failed |= !good;
}

bool range_summing_end(struct range_summing *summing)
{
	return !summing->failed && summing->at == summing->sums->sectors &&
	       EVP_DigestFinal_ex(summing->all, summing->sums->sum, NULL) == 1;
}

void range_summing_close(struct range_summing *summing)
{
	EVP_MD_CTX_free(summing->piece);
	EVP_MD_CTX_free(summing->all);
	*summing = (struct range_summing){ 0 };
}
