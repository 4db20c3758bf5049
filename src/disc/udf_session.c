/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_session.h"

#include "disc/formats.h"
#include "disc/head.h"
#include "disc/udf_record.h"
#include "disc/udf_tag.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ALIGN		32u
#define ANCHOR_AT	256u
#define BITMAP_AT	24u /* ECMA-167 4/14.12 */
#define IDENTITY_BLOCKS 14u /* of the volume descriptor sequence */
#define TABLE_AT	446u
#define ENTRY_LENGTH	16u
#define TYPE_WINDOWS	0x07

static void close_disc(struct verb_disc *disc, const char *why)
{
	disc->state = DISC_CLOSED;
	snprintf(disc->closed_why, sizeof disc->closed_why, "%s", why);
}

static void tell(const struct udf_volume *volume, uint64_t start, uint64_t sectors, struct volume *ret)
{
	*ret = (struct volume){ .start = start, .size = sectors, .time = volume->time };
	_Static_assert(sizeof ret->label == sizeof volume->label, "a label fits");
	memcpy(ret->label, volume->label, sizeof ret->label);
}

/* ---- how far it reaches ---- */

/* The last block that isn't free, plus 1, by the map of free space (a bit each, set = free). 0: unknown. */
static uint64_t last_used(struct udf_volume *volume)
{
	struct reason ignored = { 0 };
	struct udf_address at = volume->bitmap;
	const struct udf_partition *partition = &volume->space.partitions[at.partition];
	uint64_t used = 0, bits = 0, total = 0;

	for (uint64_t block = 0;
	     volume->bitmap_bytes && partition->kind != UDF_MAP_METADATA && (block == 0 || bits < total);
	     block++) {
		uint64_t lba, run;
		const uint8_t *data;
		size_t from = block ? 0 : BITMAP_AT;

		if (at.block + block > UINT32_MAX ||
		    udf_space_map(&volume->space,
				  (struct udf_address){ at.block + (uint32_t)block, at.partition }, 1, &lba,
				  &run, &ignored) < 0)
			return 0;
		data = udf_space_read(&volume->space, lba, &ignored);
		if (!data || (block == 0 && get_le16(data) != UDF_TAG_SPACE_BITMAP))
			return 0;
		if (block == 0)
			total = min_u64(get_le32(data + 16), partition->blocks);
		for (; from < SECTOR && bits < total; from++, bits += 8)
			for (unsigned bit = 0; data[from] != 0xff && bit < 8 && bits + bit < total; bit++)
				if (!(data[from] >> bit & 1))
					used = bits + bit + 1;
	}
	return used ? partition->start + used : 0;
}

/* Of an image file all of it; of a disc up to the last block in use. */
static uint64_t recorded_end(struct udf_volume *volume)
{
	const struct source *source = volume->space.source;
	uint64_t used = source->is_drive ? last_used(volume) : 0;

	used = used ? max_u64(used, volume->sequence + volume->sequence_blocks) : source->sectors;
	return min_u64(used, source->sectors);
}

/* ---- the probe ---- */

static int report_volume(struct udf_volume *volume, const uint8_t *head, struct disc_report *report,
			 struct reason *why)
{
	const struct source *source = volume->space.source;
	struct verb_disc *disc = &report->disc;
	struct volume session;
	int got;

	disc->recorded = recorded_end(volume);
	disc->nwa = round_up(disc->recorded, ALIGN);
	disc->state = DISC_APPENDABLE;
	tell(volume, 0, disc->recorded, &session);
	got = disc_report_add(report, source, &session, disc->recorded, why);
	if (got < 0)
		return got;
	disc->sessions = 1;
	if (volume->open)
		close_disc(disc,
			   "its UDF file system was left in the middle of changes (its integrity is open): "
			   "repair it with what wrote it");
	else if (source->is_drive && disc->nwa >= source->sectors)
		close_disc(disc, "its UDF file system fills the disc");
	else if (sessions_partitioned(head) && !udf_session_table(head))
		close_disc(disc,
			   "it is partitioned like a hard disk: a new session would leave its partition "
			   "tables stale");
	return 1;
}

int udf_session_probe(const struct source *source, const uint8_t *head, struct disc_report *report,
		      struct reason *why)
{
	struct udf_volume volume;
	int got = udf_volume_open(&volume, source, 0, 0, why);

	if (got > 0)
		got = report_volume(&volume, head, report, why);
	udf_volume_close(&volume);
	return got;
}

int udf_session_read(const struct source *source, uint64_t start, uint64_t limit, struct volume *ret,
		     struct reason *why)
{
	struct udf_volume volume;
	int got = udf_volume_open(&volume, source, start, limit, why);

	if (got > 0)
		tell(&volume, start, 0, ret);
	udf_volume_close(&volume);
	return got;
}

int udf_session_before(const struct source *source, uint64_t start, struct volume *ret, struct reason *why)
{
	struct reason ignored = { 0 };
	struct udf_volume volume;
	uint8_t block[SECTOR];
	int got;

	if (start <= ANCHOR_AT)
		return 0;
	got = source_read(source, ANCHOR_AT, 1, block, why);
	if (got < 0 || udf_tag_read(block, SECTOR) != UDF_TAG_ANCHOR)
		return got;
	/* What isn't UDF as it should be is nothing that could be gone back to. */
	got = udf_volume_open(&volume, source, 0, start, &ignored) > 0 && volume.anchor == ANCHOR_AT &&
	      !volume.ours;
	if (got > 0)
		tell(&volume, 0, start, ret);
	udf_volume_close(&volume);
	return got;
}

int udf_session_identity(const struct source *source, uint64_t *ret_at, uint8_t ret[16 * SECTOR],
			 struct reason *why)
{
	struct udf_volume volume;
	uint64_t from[16] = { 0 };
	int got = udf_volume_open(&volume, source, 0, 0, why);

	memset(ret, 0, (size_t)16 * SECTOR);
	from[0] = volume.anchor;
	for (uint32_t i = 0; i < IDENTITY_BLOCKS && i < volume.sequence_blocks; i++)
		from[1 + i] = volume.sequence + i;
	from[15] = volume.integrity;
	for (size_t i = 0; got > 0 && i < 16; i++) {
		const uint8_t *block = from[i] ? udf_space_read(&volume.space, from[i], why) : NULL;

		if (from[i] && !block)
			got = -why->err;
		else if (from[i])
			memcpy(ret + i * SECTOR, block, SECTOR);
	}
	*ret_at = volume.anchor;
	udf_volume_close(&volume);
	return got > 0 ? 0 : got < 0 ? got : reason_set(why, EIO, "the UDF file system isn't there any more");
}

/* ---- the head ---- */

bool udf_session_table(const uint8_t *head)
{
	static const uint8_t none[TABLE_AT];
	const uint8_t *entry = head + TABLE_AT;

	return head[510] == 0x55 && head[511] == 0xaa && memcmp(head, none, 440) == 0 &&
	       entry[4] == TYPE_WINDOWS && get_le32(entry + 8) == 0 &&
	       memcmp(entry + ENTRY_LENGTH, none, (size_t)3 * ENTRY_LENGTH) == 0;
}

void udf_session_leave(uint8_t *head)
{
	static const char *const ids[] = { "BEA01", "NSR02", "NSR03", "TEA01", "BOOT2" };

	if (udf_session_table(head))
		memset(head + 440, 0, 72);
	for (size_t i = 16; i < HEAD_SECTORS; i++)
		for (size_t j = 0; j < sizeof ids / sizeof ids[0]; j++)
			if (memcmp(head + i * SECTOR + 1, ids[j], 5) == 0)
				memset(head + i * SECTOR, 0, SECTOR);
	if (udf_record_anchor_at(head + HEAD_ANCHOR))
		memset(head + HEAD_ANCHOR, 0, SECTOR);
}
