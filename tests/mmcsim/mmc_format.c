/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BLANK, FORMAT UNIT and what can be formatted. */
#include "physics.h"

#include <string.h>

/* How often the host is told that formatting goes on. */
#define POLLS 4u

/* --- BLANK --------------------------------------------------------------------- */

static bool is_erasable(const struct medium *medium)
{
	enum profile profile = medium->kind->profile;

	return profile == PROFILE_CD_RW || profile == PROFILE_DVD_RW || profile == PROFILE_DVD_RW_OVERWRITE;
}

/* Minimal: lead-in, program memory and the first border go; that's enough to make the rest unreadable. But a
 * DVD-RW then takes no incremental recording (growisofs and libburn meet this as 5/64/00). */
static bool blank_disc(struct drive *drive, bool minimal, struct sense *ret)
{
	struct medium *medium = &drive->medium;
	struct medium_state *state = medium->state;

	if (medium_erase(medium, 0, state->capacity)) {
		*ret = SENSE(3, 0x51, 0x00);
		return false;
	}
	if (state->profile == PROFILE_DVD_RW_OVERWRITE)
		state->profile = PROFILE_DVD_RW;
	medium_refresh(medium);
	state->minimal = minimal && state->profile == PROFILE_DVD_RW;
	state->formatted = state->intermediate = 0;
	session_blank(medium);
	return true;
}

/* Of the other types burners know at most the tail of a track in packets, which this one doesn't write. */
int run_blank(struct drive *drive, struct command *command)
{
	unsigned type = command->cdb[1] & 7;
	struct medium *medium = &drive->medium;
	struct sense sense;

	if (!is_erasable(medium))
		return mmc_fail(command, SENSE(5, 0x30, 0x05));
	if (medium->state->write_protected)
		return mmc_fail(command, SENSE(7, 0x27, 0x00));
	if (type > 1)
		return mmc_fail(command, SENSE_BAD_FIELD);
	if (!recording_end(drive, true, &sense) || !blank_disc(drive, type == 1, &sense))
		return mmc_fail(command, sense);
	medium->state->writes++;
	if (command->cdb[1] & 0x10)
		mmc_go_on(drive, SENSE(2, 0x04, 0x07), POLLS);
	return 0;
}

/* --- formats ------------------------------------------------------------------- */

/* BD: the default spare area of 25 GB is 393,216 sectors, here a 31st of the disc, in clusters. */
static uint32_t bd_spare(uint32_t capacity)
{
	return round_up((uint32_t)((uint64_t)capacity * 393216 / 12219392), 32);
}

static uint32_t size_all(const struct medium_state *state)
{
	return state->capacity;
}

static uint32_t size_default(const struct medium_state *state)
{
	return state->capacity - bd_spare(state->capacity);
}

static uint32_t size_most(const struct medium_state *state)
{
	return state->capacity - round_up(bd_spare(state->capacity) / 3, 32);
}

static uint32_t size_least(const struct medium_state *state)
{
	return state->capacity - round_up(bd_spare(state->capacity) / 3 * 5, 32);
}

/* BD-R may give nearly half of it to replacements. */
static uint32_t size_half(const struct medium_state *state)
{
	return state->capacity - round_up((uint32_t)((uint64_t)bd_spare(state->capacity) * 49 / 3), 32);
}

static uint32_t size_dvd_ram(const struct medium_state *state)
{
	return (uint32_t)((uint64_t)state->capacity * 2236704 / 2295072) / 16 * 16;
}

/* By how much the last border can grow. */
static uint32_t size_growth(const struct medium_state *state)
{
	return state->capacity - state->formatted;
}

static bool format_whole(struct drive *drive, uint32_t sectors);
static bool format_overwriteable(struct drive *drive, uint32_t sectors);
static bool format_background(struct drive *drive, uint32_t sectors);
static bool format_bd_r(struct drive *drive, uint32_t sectors);
static bool format_quick(struct drive *drive, uint32_t sectors);
static bool format_grow(struct drive *drive, uint32_t sectors);

/* What a medium offers, in the order of READ FORMAT CAPACITIES; the host may ask for any size between the
 * least and the most of a type. parameter: what the descriptor says in its last three bytes; SPARE: the spare
 * area in clusters. */
#define SPARE 0xFFFFFFu
static const struct format {
	enum profile profile;
	uint8_t type;
	uint32_t (*size)(const struct medium_state *state);
	uint32_t parameter;
	bool (*format)(struct drive *drive, uint32_t sectors);
} formats[] = {
	{ PROFILE_DVD_RAM, 0x00, size_dvd_ram, 0x800, format_overwriteable },
	{ PROFILE_DVD_RAM, 0x00, size_all, 0x800, format_overwriteable },
	{ PROFILE_DVD_RAM, 0x01, size_dvd_ram, 0x800, format_overwriteable },
	{ PROFILE_DVD_RW, 0x00, size_all, 16, format_whole },
	{ PROFILE_DVD_RW, 0x10, size_all, 16, format_whole },
	{ PROFILE_DVD_RW, 0x15, size_all, 16, format_quick },
	{ PROFILE_DVD_RW_OVERWRITE, 0x00, size_all, 16, format_whole },
	{ PROFILE_DVD_RW_OVERWRITE, 0x10, size_all, 16, format_whole },
	{ PROFILE_DVD_RW_OVERWRITE, 0x13, size_growth, 16, format_grow },
	{ PROFILE_DVD_RW_OVERWRITE, 0x15, size_all, 16, format_quick },
	{ PROFILE_DVD_PLUS_RW, 0x26, size_all, 0, format_background },
	{ PROFILE_BD_R, 0x00, size_default, SPARE, format_bd_r },
	{ PROFILE_BD_R, 0x32, size_default, SPARE, format_bd_r },
	{ PROFILE_BD_R, 0x32, size_half, SPARE, format_bd_r },
	{ PROFILE_BD_R, 0x32, size_most, SPARE, format_bd_r },
	{ PROFILE_BD_RE, 0x00, size_default, SPARE, format_overwriteable },
	{ PROFILE_BD_RE, 0x30, size_default, SPARE, format_overwriteable },
	{ PROFILE_BD_RE, 0x30, size_least, SPARE, format_overwriteable },
	{ PROFILE_BD_RE, 0x30, size_most, SPARE, format_overwriteable },
	{ PROFILE_BD_RE, 0x31, size_all, 0x800, format_overwriteable },
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static bool format_overwriteable(struct drive *drive, uint32_t sectors)
{
	struct medium *medium = &drive->medium;
	struct medium_state *state = medium->state;

	state->formatted = sectors;
	if (state->profile == PROFILE_BD_RE)
		state->spare = state->capacity - sectors;
	session_overwriteable(medium, sectors);
	if (state->profile == PROFILE_DVD_RAM)
		state->status = DISC_OTHER;
	return true;
}

/* DVD+RW: the drive is soon ready for writing anywhere, and formats the rest meanwhile (MMC-5 6.5.4.2.14).
 * What was formatted before stays, whether the host says "restart" or not. */
static bool format_background(struct drive *drive, uint32_t sectors)
{
	struct medium *medium = &drive->medium;

	session_overwriteable(medium, medium->state->formatted);
	medium->state->intermediate = medium->state->formatted < medium->state->capacity;
	return true;
}

/* DVD-RW: from sequential recording to restricted overwrite; everything is written with zeroes. */
static bool format_whole(struct drive *drive, uint32_t sectors)
{
	struct medium *medium = &drive->medium;

	medium_erase(medium, 0, medium->state->capacity);
	medium->state->profile = PROFILE_DVD_RW_OVERWRITE;
	medium_refresh(medium);
	medium->state->minimal = medium->state->intermediate = 0;
	medium->state->formatted = sectors;
	session_overwriteable(medium, sectors);
	return true;
}

/* Only the lead-in is written: the border stays open until CLOSE SESSION, and grows as it's written
 * (MMC-5 6.5.4.2.10).
 */
static bool format_quick(struct drive *drive, uint32_t sectors)
{
	format_whole(drive, sectors);
	drive->medium.state->formatted = 0;
	drive->medium.state->intermediate = 1;
	drive->medium.state->last_session = SESSION_INCOMPLETE;
	return true;
}

static bool format_grow(struct drive *drive, uint32_t sectors)
{
	struct medium *medium = &drive->medium;

	medium->state->formatted += sectors;
	medium->state->intermediate = 1;
	if (sectors)
		session_overwriteable(medium, medium->state->formatted);
	medium->state->last_session = SESSION_INCOMPLETE;
	return true;
}

/* Only while nothing was recorded. Then it counts as appendable, with an empty session. */
static bool format_bd_r(struct drive *drive, uint32_t sectors)
{
	struct medium *medium = &drive->medium;

	if (medium->state->status != DISC_EMPTY)
		return false;
	medium->state->spare = medium->state->capacity - sectors;
	medium_last_track(medium)->size = sectors;
	medium->state->status = DISC_INCOMPLETE;
	return true;
}

/* --- FORMAT UNIT --------------------------------------------------------------- */

/* A descriptor of the type; the one of that size when there are several. */
static const struct format *format_for(const struct medium *medium, uint8_t type, uint32_t sectors)
{
	const struct format *found = NULL;

	for (size_t i = 0; i < FORMATS; i++) {
		if (formats[i].profile != medium->kind->profile || formats[i].type != type)
			continue;
		if (!found || formats[i].size(medium->state) == sectors)
			found = &formats[i];
	}
	return found;
}

/* What the host may ask for: DVD+RW takes all ones as everything; quick grow, and quick format, begin with
 * any size; BD is happy between the offered sizes; others only with an offered one, or less of it. */
static bool format_size(const struct medium *medium, const struct format *format, uint32_t asked,
			uint32_t *ret)
{
	uint32_t offered = format->size(medium->state), ecc = medium->kind->ecc;

	*ret = asked == 0xFFFFFFFF ? offered : round_up(asked, ecc);
	if (!asked && format->format != format_quick && format->format != format_grow)
		*ret = offered;
	if (format->type == 0x30 || format->type == 0x32)
		return *ret >= size_half(medium->state) && *ret <= size_most(medium->state);
	if (format->profile == PROFILE_BD_R || format->profile == PROFILE_BD_RE)
		*ret = offered;
	return *ret <= offered;
}

static bool format_allowed(const struct drive *drive, const struct command *command, struct sense *ret)
{
	const struct medium *medium = &drive->medium;

	*ret = SENSE(7, 0x27, 0x00);
	if (medium->state->write_protected)
		return false;
	*ret = SENSE_BAD_FIELD;
	if (!(command->cdb[1] & 0x10) || (command->cdb[1] & 7) != 1)
		return false;
	*ret = SENSE(5, 0x1A, 0x00);
	return command->length >= 12 && mmc_be16(command->data + 2) == 8;
}

int run_format_unit(struct drive *drive, struct command *command)
{
	struct medium *medium = &drive->medium;
	const struct format *format;
	const uint8_t *list = command->data;
	struct sense sense;
	uint32_t sectors;

	if (!format_allowed(drive, command, &sense))
		return mmc_fail(command, sense);
	format = format_for(medium, list[8] >> 2, mmc_be32(list + 4));
	if (!format || !format_size(medium, format, mmc_be32(list + 4), &sectors))
		return mmc_fail(command, SENSE(5, 0x26, 0x00)); /* invalid field in parameter list */
	/* BD-R: sub-type 0 of 32h, and of 00h, asks for pseudo-overwrite, which this drive hasn't got. */
	if (format->profile == PROFILE_BD_R && !(list[8] & 3))
		return mmc_fail(command, SENSE(5, 0x26, 0x00));
	if (!recording_end(drive, true, &sense))
		return mmc_fail(command, sense);
	if (!format->format(drive, sectors))
		return mmc_fail(command, SENSE(5, 0x30, 0x05));
	medium->state->writes++;
	command->transferred = 12;
	if (list[1] & 2)
		mmc_go_on(drive, SENSE(2, 0x04, 0x04), POLLS);
	return 0;
}

/* --- READ FORMAT CAPACITIES ---------------------------------------------------- */

#define UNFORMATTED 1
#define FORMATTED   2
#define NO_MEDIUM   3 /* also: DVD-RW with an open border */

static void put_current(const struct medium *medium, uint8_t *at)
{
	const struct medium_state *state = medium->state;
	uint32_t sectors = state ? state->capacity : 0;
	uint8_t type = NO_MEDIUM;

	if (state && medium->kind->overwrite) {
		bool open_border = state->intermediate && state->profile == PROFILE_DVD_RW_OVERWRITE;

		type = open_border ? NO_MEDIUM : state->formatted ? FORMATTED : UNFORMATTED;
		sectors = state->formatted ? state->formatted : state->capacity;
	} else if (state && state->profile == PROFILE_BD_R && state->spare) {
		type = FORMATTED;
		sectors = state->capacity - state->spare;
	} else if (state) {
		type = state->status == DISC_EMPTY ? UNFORMATTED : FORMATTED;
	}
	mmc_put32(at, sectors);
	at[4] = type;
	mmc_put24(at + 5, SECTOR);
}

static size_t put_formats(const struct medium *medium, uint8_t *at)
{
	const uint8_t *begin = at;

	for (size_t i = 0; i < FORMATS; i++) {
		const struct format *format = &formats[i];
		uint32_t sectors;

		if (format->profile != medium->kind->profile)
			continue;
		/* A BD-R can be formatted once. */
		if (format->profile == PROFILE_BD_R && medium->state->status != DISC_EMPTY)
			continue;
		sectors = format->size(medium->state);
		mmc_put32(at, sectors);
		at[4] = (uint8_t)(format->type << 2);
		mmc_put24(at + 5, format->parameter == SPARE
				      ? (medium->state->capacity - sectors) / medium->kind->ecc
				      : format->parameter);
		at += 8;
	}
	return (size_t)(at - begin);
}

int run_read_format_capacities(struct drive *drive, struct command *command)
{
	uint8_t reply[12 + 8 * FORMATS] = { 0 };
	size_t length = 12;

	put_current(&drive->medium, reply + 4);
	if (drive->medium.state)
		length += put_formats(&drive->medium, reply + 12);
	reply[3] = (uint8_t)(length - 4);
	return mmc_reply(command, reply, length, mmc_be16(command->cdb + 7));
}
