/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mode pages. Two of them can be changed: 01 (error recovery) and 05 (write parameters). The drive checks
 * that a page is well-formed; whether the write parameters suit the medium shows at the first write. */
#include "mmc_info.h"

#include <string.h>

enum control { CONTROL_CURRENT, CONTROL_CHANGEABLE, CONTROL_DEFAULT, CONTROL_SAVED };

#define PAGE_05_LENGTH 0x32

/* Error recovery: try again 30 times. */
static const uint8_t recovery_default[12] = { 0x01, 0x0A, 0x80, 30, [8] = 30 };
/* Burn-free, track at once; data, no next session; 2048 bytes a block; audio pause 150. */
static const uint8_t write_default[2 + PAGE_05_LENGTH] = {
	0x05, PAGE_05_LENGTH, 0x41, 0x04, 0x08, [15] = 150
};

void mmc_mode_defaults(struct drive_state *state)
{
	memcpy(state->recovery_page, recovery_default, sizeof(recovery_default));
	memset(state->write_page, 0, sizeof(state->write_page));
	memcpy(state->write_page, write_default, sizeof(write_default));
	state->write_kbps = state->read_kbps = 0;
}

/* --- pages that are the same always ------------------------------------------- */

static const struct {
	uint8_t code, length;
	uint8_t data[14];
} fixed[] = {
	{ 0x08, 10, { 0x04 } },						/* caching: writes are cached */
	{ 0x0D, 6, { 0, 0x0D, 0, 60, 0, 75 } },				/* CD: seconds, frames */
	{ 0x0E, 14, { 0x04, 0, 0, 0, 0, 75, 0x01, 0xFF, 0x02, 0xFF } }, /* audio */
	{ 0x18, 6, { 0 } },						/* features by standard: none */
	{ 0x1A, 10, { 0 } },						/* power conditions: no timers */
	{ 0x1D, 8, { 0, 0, 0, 0, 0, 7, 0, 60 } },			/* time-outs */
};

static size_t put_fixed(size_t index, enum control control, uint8_t *at)
{
	at[0] = fixed[index].code;
	at[1] = fixed[index].length;
	memset(at + 2, 0, fixed[index].length);
	if (control != CONTROL_CHANGEABLE)
		memcpy(at + 2, fixed[index].data, fixed[index].length);
	return 2 + (size_t)fixed[index].length;
}

/* --- pages that can be changed ------------------------------------------------- */

static size_t put_recovery(const struct drive *drive, enum control control, uint8_t *at)
{
	static const uint8_t changeable[12] = { 0x01, 0x0A, 0xFF, 0xFF, [8] = 0xFF };
	const uint8_t *from[] = { drive->state->recovery_page, changeable, recovery_default };

	memcpy(at, from[control], sizeof(changeable));
	return sizeof(changeable);
}

static size_t put_write_parameters(const struct drive *drive, enum control control, uint8_t *at)
{
	uint8_t changeable[2 + PAGE_05_LENGTH];
	const uint8_t *from[] = { drive->state->write_page, changeable, write_default };

	memset(changeable, 0xFF, sizeof(changeable));
	changeable[0] = 0x05;
	changeable[1] = PAGE_05_LENGTH;
	changeable[6] = changeable[9] = 0;
	memcpy(at, from[control], sizeof(changeable));
	return sizeof(changeable);
}

/* --- page 2A: capabilities, and speeds of the medium ---------------------------- */

static size_t put_speeds(const struct drive *drive, uint8_t *page)
{
	uint32_t count = 0;

	for (const uint32_t *speed = info_write_speeds(drive); *speed; speed++, count++) {
		memset(page + 32 + 4 * count, 0, 4);
		mmc_put16(page + 32 + 4 * count + 2, *speed);
	}
	mmc_put16(page + 30, count);
	return 32 + 4 * (size_t)count;
}

static size_t put_capabilities(const struct drive *drive, enum control control, uint8_t *at)
{
	/* reads all; writes all, with dummy writes; burn-free, multi-session, mode 2; no audio; tray, lock */
	static const uint8_t head[] = { 0x2A, 0, 0x3F, 0x37, 0xF0, 0x00, 0x29, 0x00 };
	size_t length;

	memset(at, 0, 32);
	memcpy(at, head, sizeof(head));
	length = put_speeds(drive, at);
	at[6] |= drive->state->locked ? 0x02 : 0;
	mmc_put16(at + 8, info_read_speed(drive));
	mmc_put16(at + 12, CACHE_SECTORS * SECTOR / 1024);
	mmc_put16(at + 14, mmc_read_kbps(drive));
	mmc_put16(at + 18, info_write_speeds(drive)[0]);
	mmc_put16(at + 20, mmc_write_kbps(drive));
	mmc_put16(at + 22, 1); /* copy management */
	mmc_put16(at + 28, mmc_write_kbps(drive));
	if (control == CONTROL_CHANGEABLE)
		memset(at, 0, length);
	at[0] = 0x2A;
	at[1] = (uint8_t)(length - 2);
	return length;
}

/* --- MODE SENSE ---------------------------------------------------------------- */

static size_t put_page(const struct drive *drive, uint8_t code, enum control control, uint8_t *at)
{
	if (code == 0x01)
		return put_recovery(drive, control, at);
	if (code == 0x05)
		return put_write_parameters(drive, control, at);
	if (code == 0x2A)
		return put_capabilities(drive, control, at);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (fixed[i].code == code)
			return put_fixed(i, control, at);
	return 0;
}

/* One page or, as 3Fh, all of them; 0 = there's no such page. */
static size_t put_pages(const struct drive *drive, uint8_t code, enum control control, uint8_t *at)
{
	size_t length = 0;

	if (code != 0x3F)
		return put_page(drive, code, control, at);
	for (uint8_t each = 1; each < 0x3F; each++)
		length += put_page(drive, each, control, at + length);
	return length;
}

/* Block descriptors there are none, asked for or not. */
static int mode_sense(struct drive *drive, struct command *command, size_t header, size_t allocation)
{
	const uint8_t *cdb = command->cdb;
	uint8_t data[512] = { 0 };
	size_t length;

	if (cdb[2] >> 6 == CONTROL_SAVED)
		return mmc_fail(command, SENSE(5, 0x39, 0x00)); /* saving parameters not supported */
	length = cdb[3] ? 0 : put_pages(drive, cdb[2] & 0x3F, cdb[2] >> 6, data + header);
	if (length == 0)
		return mmc_fail(command, SENSE_BAD_FIELD);
	if (header == 8)
		mmc_put16(data, (uint32_t)(header + length - 2));
	else
		data[0] = (uint8_t)(header + length - 1);
	return mmc_reply(command, data, header + length, allocation);
}

int info_mode_sense6(struct drive *drive, struct command *command)
{
	return mode_sense(drive, command, 4, command->cdb[4]);
}

int info_mode_sense10(struct drive *drive, struct command *command)
{
	return mode_sense(drive, command, 8, mmc_be16(command->cdb + 7));
}

/* --- MODE SELECT --------------------------------------------------------------- */

#define SENSE_BAD_PARAMETER SENSE(5, 0x26, 0x00)
#define SENSE_BAD_LENGTH    SENSE(5, 0x1A, 0x00)

/* Packet, track at once and session at once are written by this drive; raw and layer jump aren't. Of the data
 * block types it knows 8 (mode 1) and 10 (mode 2, form 1: 2048 bytes, too); session at once goes by the cue
 * sheet. */
static bool write_page_is_sound(const uint8_t *page)
{
	unsigned type = page[2] & 0xF, block = page[4] & 0xF, sessions = page[3] >> 6;

	if (type > 2 || sessions == 2 || page[9] != 0)
		return false;
	if (page[8] != 0x00 && page[8] != 0x10 && page[8] != 0x20)
		return false;
	/* Audio by tracks: raw blocks. libburn closes damaged sessions with such a page, whatever is in them.
	 */
	if (block == 0)
		return type == 2 || (type == 1 && !(page[3] & 4));
	return block == 8 || block == 10;
}

static bool select_page(struct drive_state *state, const uint8_t *page, bool store)
{
	bool recovery = page[0] == 0x01 && page[1] == 0x0A;

	if (!recovery && (page[0] != 0x05 || page[1] != PAGE_05_LENGTH || !write_page_is_sound(page)))
		return false;
	if (store)
		memcpy(recovery ? state->recovery_page : state->write_page, page, 2 + (size_t)page[1]);
	return true;
}

/* All pages are looked at before one is taken (SPC-3 6.7). */
static int select_pages(struct drive *drive, struct command *command, size_t header, bool store)
{
	size_t at = header;

	while (at < command->transferred) {
		const uint8_t *page = command->data + at;

		if (at + 2 > command->transferred || at + 2 + page[1] > command->transferred)
			return mmc_fail(command, SENSE_BAD_LENGTH);
		if (!select_page(drive->state, page, store))
			return mmc_fail(command, SENSE_BAD_PARAMETER);
		at += 2 + (size_t)page[1];
	}
	return 0;
}

static int mode_select(struct drive *drive, struct command *command, size_t header, size_t length)
{
	const uint8_t *data = command->data;

	/* pages as SPC has them; nothing can be saved */
	if (!(command->cdb[1] & 0x10) || (command->cdb[1] & 1))
		return mmc_fail(command, SENSE_BAD_FIELD);
	if (length == 0)
		return 0;
	if (length < header || command->length < length)
		return mmc_fail(command, SENSE_BAD_LENGTH);
	command->transferred = length;
	if (header == 8 ? mmc_be16(data + 6) != 0 : data[3] != 0) /* block descriptors */
		return mmc_fail(command, SENSE_BAD_PARAMETER);
	if (select_pages(drive, command, header, false) < 0)
		return -1;
	return select_pages(drive, command, header, true);
}

int info_mode_select6(struct drive *drive, struct command *command)
{
	return mode_select(drive, command, 4, command->cdb[4]);
}

int info_mode_select10(struct drive *drive, struct command *command)
{
	return mode_select(drive, command, 8, mmc_be16(command->cdb + 7));
}
