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

/* The head of such a session says that sector 256 was to be written behind it. */
static bool head_claims(const struct source *source, uint8_t ret[SECTOR])
{
	struct reason ignored = { 0 };

	return source_read(source, HEAD_ANCHOR / SECTOR, 1, ret, &ignored) == 0 &&
	       udf_record_is_anchor(ret, BRIDGE_ANCHOR);
}

bool anchor_is_stale(const struct source *source)
{
	struct reason ignored = { 0 };
	uint8_t claimed[SECTOR], block[SECTOR];

	return source->sectors > BRIDGE_ANCHOR && head_claims(source, claimed) &&
	       (source_read(source, BRIDGE_ANCHOR, 1, block, &ignored) < 0 ||
		memcmp(block, claimed, SECTOR) != 0);
}

/* On a disc more than the one sector is written. claimed: what can't be read there was cut off. */
static bool window_is_free(const struct source *source, bool claimed)
{
	static const uint8_t zeroes[SECTOR];
	struct reason ignored = { 0 };
	uint8_t block[SECTOR];

	for (uint32_t i = 1; source->is_drive && i < ANCHOR_WINDOW; i++) {
		int got = source_read(source, BRIDGE_ANCHOR + i, 1, block, &ignored);

		if (got == -EIO && claimed)
			continue;
		if (got < 0 || memcmp(block, zeroes, SECTOR) != 0)
			return false;
	}
	return true;
}

int anchor_place(const struct source *source, const struct verb_job *job, enum anchor_place *ret,
		 struct reason *why_not, struct reason *why)
{
	uint8_t block[SECTOR] = { 0 }, head[SECTOR];
	bool claimed;
	int got = 0;

	if (job->to_file && job->is_drive && !job->sequential && job->has_base) {
		*ret = ANCHOR_NOWHERE;
		reason_set(why_not, EMEDIUMTYPE,
			   "what burns it to a disc from a file doesn't write sector 256");
		return 0;
	}
	*ret = job->sequential ? ANCHOR_OWN : ANCHOR_FRONT;
	if (job->sequential || (!job->has_base && job->nwa == FIRST_START))
		return 0;
	if (source->sectors > BRIDGE_ANCHOR)
		got = source_read(source, BRIDGE_ANCHOR, 1, block, why);
	claimed = source->is_drive && head_claims(source, head);
	if (got < 0 && !(got == -EIO && claimed))
		return got;
	*ret = ANCHOR_NOWHERE;
	if (got < 0) {
		if (window_is_free(source, claimed))
			*ret = ANCHOR_HEAD;
		else
			reason_set(why_not, EMEDIUMTYPE,
				   "sector 256 can't be read, and others' data lie behind it");
	} else if (udf_record_is_anchor(block, BRIDGE_ANCHOR)) {
		if (window_is_free(source, claimed) &&
		    (leads_to_ours(source) || is_bridge_of_others(source, job)))
			*ret = ANCHOR_HEAD;
		else
			reason_set(why_not, EMEDIUMTYPE,
				   "sector 256 leads to a UDF file system that must stay as it is");
	} else if (source->is_drive) {
		reason_set(why_not, EMEDIUMTYPE, "sector 256 of the disc belongs to its first session");
	} else {
		*ret = ANCHOR_LAST;
	}
	return 0;
}
