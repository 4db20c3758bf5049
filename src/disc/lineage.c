/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/lineage.h"

#include "disc/sessions.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#define MAGIC	   "DISCFS LINEAGE 1"
#define DESCRIPTOR 16u /* of a session, ECMA-119 6.7.1 */

/* Offsets in a record. */
enum {
	AT_NUMBER = 16,
	AT_START = 20,
	AT_COPY = 24,
	AT_COPIED = 28,
	AT_COUNT = 32,
	AT_BEFORE = 36,
	AT_SUM = 496
};

_Static_assert(AT_BEFORE + 4 * LINEAGE_BEFORE == AT_SUM, "the record is full");

static bool sum_of(const uint8_t *record, uint8_t ret[EVP_MAX_MD_SIZE])
{
	return EVP_Digest(record, AT_SUM, ret, NULL, EVP_sha256(), NULL) == 1;
}

int lineage_put(const struct lineage *lineage, uint8_t ret[LINEAGE_BYTES])
{
	uint8_t sum[EVP_MAX_MD_SIZE];

	memset(ret, 0, LINEAGE_BYTES);
	memcpy(ret, MAGIC, sizeof MAGIC - 1);
	put_le32(ret + AT_NUMBER, lineage->number);
	put_le32(ret + AT_START, (uint32_t)lineage->start);
	put_le32(ret + AT_COPY, (uint32_t)lineage->copy);
	put_le32(ret + AT_COPIED, lineage->copied);
	put_le32(ret + AT_COUNT, lineage->count);
	for (uint32_t i = 0; i < lineage->count; i++)
		put_le32(ret + AT_BEFORE + (size_t)4 * i, (uint32_t)lineage->before[i]);
	if (!sum_of(ret, sum))
		return -EIO;
	memcpy(ret + AT_SUM, sum, LINEAGE_BYTES - AT_SUM);
	return 0;
}

/* Each begins before the one that is newer, and is counted. */
static bool makes_sense(const struct lineage *lineage)
{
	uint64_t newer = lineage->start;

	if (lineage->number == 0 || lineage->number <= lineage->count ||
	    lineage->copied > LINEAGE_COPY_MOST || !lineage->copy != !lineage->copied ||
	    lineage->copy > lineage->start + LINEAGE_FRONT_AT)
		return false;
	for (uint32_t i = 0; i < lineage->count; i++) {
		if (lineage->before[i] >= newer)
			return false;
		newer = lineage->before[i];
	}
	return true;
}

bool lineage_get(const uint8_t *descriptor, struct lineage *ret)
{
	const uint8_t *record = descriptor + LINEAGE_OFFSET;
	uint8_t sum[EVP_MAX_MD_SIZE];

	if (memcmp(record, MAGIC, sizeof MAGIC - 1) != 0 || !sum_of(record, sum) ||
	    memcmp(record + AT_SUM, sum, LINEAGE_BYTES - AT_SUM) != 0)
		return false;
	*ret = (struct lineage){ .number = get_le32(record + AT_NUMBER),
				 .start = get_le32(record + AT_START),
				 .copy = get_le32(record + AT_COPY),
				 .copied = get_le32(record + AT_COPIED),
				 .count = get_le32(record + AT_COUNT) };
	if (ret->count > LINEAGE_BEFORE)
		return false;
	for (uint32_t i = 0; i < ret->count; i++)
		ret->before[i] = get_le32(record + AT_BEFORE + (size_t)4 * i);
	return makes_sense(ret);
}

/* ---- the copy of the first descriptors ---- */

int lineage_read_copy(const struct source *source, uint64_t copy, uint32_t copied, uint8_t *ret,
		      struct reason *why)
{
	int got = source_read(source, 0, HEAD_SECTORS, ret, why);

	return got < 0 ? got
		       : source_read(source, copy, (uint32_t)min_u64(copied, LINEAGE_COPY_MOST),
				     ret + (size_t)DESCRIPTOR * SECTOR, why);
}

/* Of a first session at 0: by the copy there is, or by the head, as long as it is that session's. One that
 * has all sectors is good for all later sessions, too. */
static int take_copy(const struct source *source, const struct disc_report *report, uint64_t start,
		     bool bridge, struct lineage *lineage, struct lineage_load *ret, struct reason *why)
{
	const struct verb_session *first = report->sessions.items;
	uint64_t from = report->sessions.count ? first->copy : 0;
	AUTO_FREE uint8_t *head = malloc(HEAD_BYTES);
	int got;

	if (!head)
		return reason_set(why, ENOMEM, "out of memory");
	if (!report->sessions.count || first->start || (!from && !report->head_is_first))
		return 0;
	lineage->copy = from;
	lineage->copied = first->copied;
	if (first->copied == LINEAGE_COPY_MOST && !bridge)
		return 0;
	got = lineage_read_copy(source, from ? from : DESCRIPTOR, from ? first->copied : LINEAGE_COPY_MOST,
				head, why);
	if (got < 0)
		return got;
	lineage->copy = start + (bridge ? LINEAGE_FRONT_AT : LINEAGE_AREA_AT);
	lineage->copied = ret->copied = bridge ? LINEAGE_COPY_MOST : LINEAGE_AREA_COUNT;
	memcpy(ret->copy, head + (size_t)DESCRIPTOR * SECTOR, sizeof ret->copy);
	return 0;
}

/* ---- making one ---- */

static void list_before(const struct disc_report *report, struct lineage *lineage)
{
	size_t count = report->sessions.count;

	lineage->number = (uint32_t)count + 1;
	lineage->count = (uint32_t)min_u64(count, LINEAGE_BEFORE);
	for (uint32_t i = 0; i < lineage->count; i++)
		lineage->before[i] = report->sessions.items[count - 1 - i].start;
}

int lineage_make(const struct source *source, bool blank, uint64_t start, bool bridge,
		 struct lineage_load *ret, struct reason *why)
{
	const struct verb_job look = { .damaged = true };
	CLEANUP(disc_report_clear) struct disc_report report = { 0 };
	struct lineage lineage = { .start = start };
	int got = blank ? 0 : sessions_probe(source, &look, &report, why);

	ret->copied = 0;
	if (got == 0)
		got = take_copy(source, &report, start, bridge, &lineage, ret, why);
	if (got < 0)
		return got;
	list_before(&report, &lineage);
	return lineage_put(&lineage, ret->record) < 0 ? reason_set(why, EIO, "can't compute SHA-256") : 0;
}
