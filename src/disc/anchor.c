/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/anchor.h"

#include "disc/udf_record.h"
#include "disc/udf_volume.h"
#include "disc/volume.h"

#include <errno.h>
#include <string.h>

/* The front of the first session that begins there has nothing at 256. */
#define FIRST_START 32u

static bool leads_to_ours(const struct source *source)
{
	struct reason ignored = { 0 };
	struct udf_volume volume;
	bool ours = udf_volume_open(&volume, source, 0, 0, &ignored) > 0 && volume.ours &&
		    volume.anchor == BRIDGE_ANCHOR;

	udf_volume_close(&volume);
	return ours;
}

/* The same where that can't be read any more: word by word what we record, and it leads to a session of ours.
 */
static bool leads_to_our_session(const struct source *source)
{
	struct reason ignored = { 0 };
	uint8_t block[SECTOR], wanted[SECTOR];
	struct volume volume;
	uint32_t start;

	if (source_read(source, BRIDGE_ANCHOR, 1, block, &ignored) < 0)
		return false;
	start = get_le32(block + 20) - BRIDGE_SEQUENCE; /* ECMA-167 3/10.2.2 */
	udf_record_anchor(BRIDGE_ANCHOR, start, wanted);
	return memcmp(block, wanted, SECTOR) == 0 &&
	       volume_read_either(source, start, &volume, &ignored) > 0 && volume.ours;
}

/* Whoever wrote the base wrote its UDF, too, and both have the same files: genisoimage -udf. */
static bool is_bridge_of_others(const struct source *source, const struct verb_job *job)
{
	struct reason ignored = { 0 };
	struct volume base;
	uint8_t block[SECTOR];

	if (!job->has_base || volume_read(source, job->session, &base, &ignored) <= 0 || base.ours)
		return false;
	for (uint64_t lba = job->session + 17; lba < job->session + HEAD_SECTORS; lba++)
		if (source_read(source, lba, 1, block, &ignored) == 0 && memcmp(block + 1, "NSR0", 4) == 0)
			return true;
	return false;
}

/* The head of a session says what was to be written behind it, and where; 0: it doesn't. */
static uint32_t head_claims(const struct source *source, uint8_t ret[SECTOR])
{
	struct reason ignored = { 0 };

	return source_read(source, HEAD_ANCHOR / SECTOR, 1, ret, &ignored) == 0 ? udf_record_anchor_at(ret)
										: 0;
}

bool anchor_is_stale(const struct source *source)
{
	struct reason ignored = { 0 };
	uint8_t claimed[SECTOR], block[SECTOR];
	uint32_t at = head_claims(source, claimed);

	return at != 0 && at < source->sectors &&
	       (source_read(source, at, 1, block, &ignored) < 0 || memcmp(block, claimed, SECTOR) != 0);
}

/* On a disc more than the one sector is written. unread: what can't be read there may be written, too. */
static bool window_is_free(const struct source *source, uint32_t at, bool unread)
{
	static const uint8_t zeroes[SECTOR];
	const uint32_t from = at - at % ANCHOR_WINDOW;
	struct reason ignored = { 0 };
	uint8_t block[SECTOR];

	for (uint32_t lba = from; source->is_drive && lba < from + ANCHOR_WINDOW; lba++) {
		int got = source_read(source, lba, 1, block, &ignored);
		bool blank = got == 0 && memcmp(block, zeroes, SECTOR) == 0;
		bool ours = got == 0 && lba == at && udf_record_is_anchor(block, at);

		if (!blank && !ours && !(got == -EIO && unread))
			return false;
	}
	return true;
}

/* Sector 256 holds no anchor, but something of others. On a disc the last sectors are kept free of sessions:
 * they can't be read before somebody has written them. */
static enum anchor_place place_at_end(const struct source *source, const struct verb_job *job,
				      uint32_t *ret_late, struct reason *why_not)
{
	struct source whole = *source;

	if (!source->is_drive)
		return ANCHOR_OWN;
	whole.sectors = job->limit + ANCHOR_WINDOW;
	if (job->limit >= job->nwa && whole.sectors % ANCHOR_WINDOW == 0 &&
	    window_is_free(&whole, (uint32_t)whole.sectors - 1, true)) {
		*ret_late = (uint32_t)whole.sectors - 1;
		return ANCHOR_LATE;
	}
	reason_set(why_not, EMEDIUMTYPE,
		   "sector 256 of the disc belongs to its first session, and its last sectors aren't free");
	return ANCHOR_NOWHERE;
}

/* There is an anchor at 256, or what a write of one has left. */
static enum anchor_place place_at_front(const struct source *source, const struct verb_job *job, int got,
					uint32_t *ret_late, struct reason *why_not)
{
	bool claimed = source->is_drive && head_claims(source, (uint8_t[SECTOR]){ 0 }) == BRIDGE_ANCHOR;

	if (window_is_free(source, BRIDGE_ANCHOR, claimed) &&
	    (got < 0 || leads_to_ours(source) || leads_to_our_session(source) ||
	     is_bridge_of_others(source, job))) {
		*ret_late = BRIDGE_ANCHOR;
		return ANCHOR_LATE;
	}
	reason_set(why_not, EMEDIUMTYPE,
		   got < 0 ? "sector 256 can't be read, and others' data may lie there"
			   : "sector 256 leads to a UDF file system that must stay as it is");
	return ANCHOR_NOWHERE;
}

int anchor_place(const struct source *source, const struct verb_job *job, enum anchor_place *ret,
		 uint32_t *ret_late, struct reason *why_not, struct reason *why)
{
	uint8_t block[SECTOR] = { 0 };
	int got = 0;

	*ret_late = 0;
	*ret = ANCHOR_NOWHERE;
	if (job->to_file && job->is_drive && !job->sequential && job->has_base)
		reason_set(why_not, EMEDIUMTYPE,
			   "what burns it to a disc from a file doesn't write sector 256");
	else if (job->sequential)
		*ret = ANCHOR_OWN;
	else if (!job->has_base && job->nwa == FIRST_START) {
		*ret = ANCHOR_FRONT;
		*ret_late = BRIDGE_ANCHOR;
	} else {
		if (source->sectors > BRIDGE_ANCHOR)
			got = source_read(source, BRIDGE_ANCHOR, 1, block, why);
		if (got < 0 && !(got == -EIO && source->is_drive))
			return got;
		*ret = got < 0 || udf_record_is_anchor(block, BRIDGE_ANCHOR)
			   ? place_at_front(source, job, got, ret_late, why_not)
			   : place_at_end(source, job, ret_late, why_not);
	}
	return 0;
}
