/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readiness, the tray, and what happens when the power goes. */
#include "physics.h"

#include <string.h>

void mmc_go_on(struct drive *drive, struct sense sense, uint32_t commands)
{
	drive->state->busy_sense = sense;
	drive->state->busy = drive->state->busy_total = commands;
}

struct sense mmc_busy_sense(struct drive_state *state)
{
	struct sense sense = state->busy_sense;

	sense.progress = 1 + (state->busy_total - state->busy) * (65535 / state->busy_total);
	state->busy--;
	return sense;
}

/* drive_execute has found the drive ready. */
int run_test_unit_ready(struct drive *drive, struct command *command)
{
	if (!drive->state->cached_count)
		background_format(&drive->medium);
	return 0;
}

static struct sense take_sense(struct drive_state *state)
{
	struct sense sense = state->sense;

	state->sense = SENSE(0, 0, 0);
	if (sense.key || sense.deferred)
		return sense;
	if (state->attentions) {
		sense = state->attention[0];
		state->attentions--;
		memmove(state->attention, state->attention + 1, state->attentions * sizeof(sense));
		return sense;
	}
	return state->busy ? mmc_busy_sense(state) : sense;
}

int run_request_sense(struct drive *drive, struct command *command)
{
	uint8_t bytes[sizeof(command->sense)];

	mmc_fail(command, take_sense(drive->state));
	memcpy(bytes, command->sense, sizeof(bytes));
	command->status = 0;
	command->sense_length = 0;
	return mmc_reply(command, bytes, sizeof(bytes), command->cdb[4]);
}

/* Byte 4: bit 1 moves the tray, bit 0 starts. Starting and stopping end what is being written. */
int run_start_stop(struct drive *drive, struct command *command)
{
	struct drive_state *state = drive->state;
	bool load_eject = command->cdb[4] & 2, start = command->cdb[4] & 1;
	struct sense sense;

	if (command->cdb[4] >> 4) /* power conditions: this drive is always on */
		return 0;
	if (load_eject && !start && state->locked)
		return mmc_fail(command, SENSE(5, 0x53, 0x02)); /* medium removal prevented */
	if (!recording_end(drive, true, &sense))
		return mmc_fail(command, sense);
	if (load_eject && !start) {
		if (drive->medium.state && drive->medium.kind->profile == PROFILE_DVD_PLUS_RW)
			drive->medium.state->intermediate = 0;
		drive_eject(drive);
	} else if (load_eject && state->tray_open) {
		drive_load(drive);
		if (!(command->cdb[1] & 1)) /* without Immed it ends when the disc is ready */
			state->loading = 0;
	} else if (start && !load_eject && !drive->medium.state) {
		return mmc_fail(command, SENSE(2, 0x3A, state->tray_open ? 0x02 : 0x01));
	}
	return 0;
}

int run_prevent_allow(struct drive *drive, struct command *command)
{
	drive->state->locked = command->cdb[4] & 1;
	return 0;
}

/* What was acknowledged but hadn't left the cache never happened: the track ends where the laser was. The ECC
 * block that it was in can't be read. */
static void lose_cache(struct drive *drive)
{
	struct drive_state *state = drive->state;
	struct medium *medium = &drive->medium;
	uint32_t ecc = medium->kind->ecc, begin = state->cached_count ? state->cached[0].lba / ecc * ecc : 0;
	struct track *track;

	if (state->cached_count && ecc > 1)
		medium_fill(medium, begin, ecc, SECTOR_DAMAGED);
	if (medium->kind->overwrite || !state->writing_track)
		return;
	track = &medium->state->track[state->writing_track - 1];
	if (track->state != TRACK_OPEN && track->state != TRACK_RESERVED)
		return;
	if (state->cached_count) {
		track->nwa = ecc > 1 ? begin + ecc : begin;
		track->lra = track->nwa - 1;
	}
	track_damage(medium, track);
}

void drive_power_loss(struct drive *drive)
{
	struct drive_state *state = drive->state;

	if (drive->medium.state)
		lose_cache(drive);
	cache_drop(drive);
	state->writing_track = 0;
	state->busy = 0;
	drive_reset(state);
	if (drive->medium.state)
		state->loading = 2;
}
