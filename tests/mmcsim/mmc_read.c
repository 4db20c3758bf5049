/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be read, and what a drive says of the rest. */
#include "physics.h"

#include <string.h>

/* Sectors that were never recorded. CD and DVD-R: the address lies outside of what was recorded: 5/21/00.
 * DVD+R and BD-R: a blank check, as MMC-5 6.19 has it. Formatted media: zeroes. */
static struct sense blank_sense(const struct medium *medium, uint32_t lba)
{
	const struct track *last = medium_last_track(medium);

	/* Between sessions lie lead-out and lead-in, which have no data of ours. */
	if (medium->kind->cd && last && lba < last->start)
		return SENSE(5, 0x64, 0x00);
	switch (medium->kind->profile) {
	case PROFILE_DVD_PLUS_R:
	case PROFILE_DVD_PLUS_R_DL:
	case PROFILE_BD_R:
		return SENSE(8, 0x00, 0x00);
	default:
		return SENSE(5, 0x21, 0x00);
	}
}

static uint32_t read_limit(const struct medium *medium)
{
	return medium->kind->overwrite ? medium->state->formatted : medium->state->capacity;
}

static struct sense sense_at(struct sense sense, uint32_t lba)
{
	sense.lba = lba;
	sense.valid_lba = true;
	return sense;
}

/* What the map says of a sector; true: its data are in the file. */
static bool sector_readable(const struct medium *medium, uint32_t lba, struct sense *ret)
{
	if (lba >= read_limit(medium)) {
		*ret = SENSE(5, 0x21, 0x00);
		return false;
	}
	switch ((enum sector)medium->map[lba]) {
	case SECTOR_DATA:
		return true;
	case SECTOR_LINK:
		*ret = sense_at(SENSE(5, 0x64, 0x00), lba);
		return false;
	case SECTOR_DAMAGED:
		*ret = sense_at(SENSE(3, 0x11, 0x05), lba);
		return false;
	case SECTOR_BLANK:
		break;
	}
	if (medium->kind->overwrite)
		return true;
	*ret = sense_at(blank_sense(medium, lba), lba);
	return false;
}

static bool medium_failed(int error, uint32_t lba, struct sense *ret)
{
	if (error)
		*ret = sense_at(SENSE(3, 0x11, 0x00), lba);
	return error;
}

bool sector_read(struct drive *drive, uint32_t lba, uint8_t *data, struct sense *ret)
{
	const uint8_t *cached;

	if (sector_touch(drive, lba, false, ret) != FATE_FINE)
		return false;
	cached = cache_find(drive, lba);
	if (cached)
		memcpy(data, cached, SECTOR);
	else if (!sector_readable(&drive->medium, lba, ret) ||
		 medium_failed(medium_pread(&drive->medium, lba, data), lba, ret))
		return false;
	return true;
}

/* Without anything in the cache whole runs come by one call. */
static bool sectors_read(struct drive *drive, uint32_t lba, uint32_t count, uint8_t *data, struct sense *ret)
{
	uint32_t good;

	drive->state->blocks_read += count;
	if (drive->state->cached_count) {
		for (uint32_t i = 0; i < count; i++)
			if (!sector_read(drive, lba + i, data + (size_t)i * SECTOR, ret))
				return false;
		return true;
	}
	for (good = 0; good < count; good++)
		if (sector_touch(drive, lba + good, false, ret) != FATE_FINE ||
		    !sector_readable(&drive->medium, lba + good, ret))
			break;
	if (good && drive->medium.state &&
	    medium_failed(medium_pread_run(&drive->medium, lba, good, data), lba, ret))
		return false;
	return good == count;
}

/* The range of READ, WRITE and VERIFY, of 10 or 12 bytes. */
void mmc_range(const struct command *command, uint32_t *ret_lba, uint32_t *ret_count)
{
	*ret_lba = mmc_be32(command->cdb + 2);
	*ret_count = command->cdb[0] >= 0xA0 ? mmc_be32(command->cdb + 6) : mmc_be16(command->cdb + 7);
}

static bool range_is_there(const struct medium *medium, uint32_t lba, uint32_t count)
{
	uint32_t limit = read_limit(medium);

	return lba < limit && count <= limit - lba;
}

/* While a session is recorded at once, or a dummy write is under way, nothing can be read (MMC-5 6.33.2). */
static bool read_allowed(const struct drive *drive, uint32_t lba, uint32_t count, struct sense *ret)
{
	*ret = SENSE(5, 0x2C, 0x00);
	if (drive->state->cue_length || drive->state->simulating)
		return false;
	*ret = SENSE(5, 0x21, 0x00);
	return range_is_there(&drive->medium, lba, count);
}

int run_read(struct drive *drive, struct command *command)
{
	struct sense sense;
	uint32_t lba, count;

	mmc_range(command, &lba, &count);
	if (!read_allowed(drive, lba, count, &sense))
		return mmc_fail(command, sense);
	if ((size_t)count * SECTOR > command->length || (count && !command->data))
		return mmc_fail(command, SENSE_BAD_FIELD);
	if (!sectors_read(drive, lba, count, command->data, &sense))
		return mmc_fail(command, sense);
	command->transferred = (size_t)count * SECTOR;
	return 0;
}

/* READ CD, byte 9: which parts of a mode 1 sector; sync, header and user data. Error codes and C2 aren't
 * simulated. */
#define PART_SYNC      0x80u
#define PART_SUBHEADER 0x40u
#define PART_HEADER    0x20u
#define PART_USER_DATA 0x10u

static uint8_t bcd(uint32_t value)
{
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static size_t parts_length(uint8_t parts)
{
	return (parts & PART_SYNC ? 12 : 0) + (parts & PART_HEADER ? 4 : 0) +
	       (parts & PART_SUBHEADER ? 8 : 0) + (parts & PART_USER_DATA ? SECTOR : 0);
}

static size_t put_parts(uint8_t *at, uint8_t parts, uint32_t lba, bool xa, const uint8_t *data)
{
	static const uint8_t subheader[8] = { 0, 0, 8, 0, 0, 0, 8, 0 };
	static const uint8_t sync[12] = { 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0 };
	uint8_t *begin = at;

	if (parts & PART_SYNC) {
		memcpy(at, sync, sizeof(sync));
		at += sizeof(sync);
	}
	if (parts & PART_HEADER) {
		uint32_t frames = lba + 150;

		*at++ = bcd(frames / 75 / 60);
		*at++ = bcd(frames / 75 % 60);
		*at++ = bcd(frames % 75);
		*at++ = xa ? 2 : 1;
	}
	if (parts & PART_SUBHEADER) {
		memcpy(at, subheader, sizeof(subheader));
		at += sizeof(subheader);
	}
	if (parts & PART_USER_DATA) {
		memcpy(at, data, SECTOR);
		at += SECTOR;
	}
	return (size_t)(at - begin);
}

/* Expected types: 2 is mode 1, 4 mode 2 form 1; only the latter has subheaders. */
static bool read_cd_allowed(const struct drive *drive, const uint8_t *cdb, bool xa, struct sense *ret)
{
	unsigned expected = cdb[1] >> 2 & 7;
	uint8_t parts = PART_SYNC | PART_HEADER | PART_USER_DATA | (xa ? PART_SUBHEADER : 0);

	*ret = SENSE(5, 0x30, 0x02); /* incompatible format: not a CD */
	if (!drive->medium.kind->cd)
		return false;
	*ret = SENSE_BAD_FIELD;
	if ((cdb[9] & ~parts) || cdb[10] & 7)
		return false;
	*ret = SENSE(5, 0x64, 0x00);
	return expected == 0 || expected == (xa ? 4 : 2);
}

int run_read_cd(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	uint32_t lba = mmc_be32(cdb + 2), count = mmc_be24(cdb + 6);
	const struct track *track = medium_track_at(&drive->medium, lba);
	bool xa = track && track->xa;
	uint8_t sector[SECTOR];
	struct sense sense;
	size_t put = 0;

	if (!read_cd_allowed(drive, cdb, xa, &sense) || !read_allowed(drive, lba, count, &sense))
		return mmc_fail(command, sense);
	if (parts_length(cdb[9]) * count > command->length)
		return mmc_fail(command, SENSE_BAD_FIELD);
	for (uint32_t i = 0; i < count; i++) {
		if (!sectors_read(drive, lba + i, 1, sector, &sense))
			return mmc_fail(command, sense);
		put += put_parts(command->data + put, cdb[9], lba + i, xa, sector);
	}
	command->transferred = put;
	return 0;
}

int run_seek(struct drive *drive, struct command *command)
{
	if (!range_is_there(&drive->medium, mmc_be32(command->cdb + 2), 1))
		return mmc_fail(command, SENSE(5, 0x21, 0x00));
	return 0;
}

bool sectors_verify(struct drive *drive, uint32_t lba, uint32_t count, struct sense *ret)
{
	uint8_t sector[SECTOR];

	if (!read_allowed(drive, lba, count, ret))
		return false;
	while (count--)
		if (!sector_read(drive, lba++, sector, ret))
			return false;
	return true;
}

int run_verify(struct drive *drive, struct command *command)
{
	struct sense sense;
	uint32_t lba, count;

	if (command->cdb[1] & 2) /* BYTCHK: compare with data of the host: no drive that burns knows it */
		return mmc_fail(command, SENSE_BAD_FIELD);
	mmc_range(command, &lba, &count);
	return sectors_verify(drive, lba, count, &sense) ? 0 : mmc_fail(command, sense);
}
