/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SEND CUE SHEET, and writing a CD's session at once: the host sends all sectors from the pause of 150 before
 * the first track on, and the drive makes lead-in and lead-out by the sheet (MMC-5 6.33). */
#include "physics.h"

#include <string.h>

#define PAUSE	      150
#define LEAD_OUT      0xAA
#define FORM_MODE_1   0x10 /* 2048 bytes from the host */
#define TRACK_LEAST   300
#define ENTRY	      8u
#define SENSE_BAD_CUE SENSE(5, 0x26, 0x02) /* parameter value invalid */

struct cue {
	uint8_t track, index, form;
	int64_t lba;
};

/* The entry with an address at or after at; 0 at the end. Catalogue numbers (ADR 2 and 3) have none. */
static uint32_t cue_next(const struct drive_state *state, uint32_t at, struct cue *ret)
{
	for (; at + ENTRY <= state->cue_length; at += ENTRY) {
		const uint8_t *entry = state->cue + at;

		if ((entry[0] & 0x0F) != 1)
			continue;
		*ret = (struct cue){ .track = entry[1],
				     .index = entry[2],
				     .form = entry[3],
				     .lba = (entry[5] * 60 + entry[6]) * 75 + entry[7] - PAUSE };
		return at + ENTRY;
	}
	return 0;
}

static int64_t cue_lead_out(const struct drive_state *state)
{
	struct cue cue = { .lba = 0 };

	for (uint32_t at = 0; (at = cue_next(state, at, &cue));)
		if (cue.track == LEAD_OUT)
			break;
	return cue.lba;
}

/* Lead-in, tracks with rising numbers and addresses, lead-out; the first track's pause begins where the
 * session does. */
static bool cue_is_sound(const struct drive_state *state, int64_t begin, int64_t limit)
{
	struct cue cue, before = { .track = 0xFF };
	uint32_t at = cue_next(state, 0, &cue);

	if (!at || cue.track != 0)
		return false;
	for (before = cue; (at = cue_next(state, at, &cue)); before = cue) {
		if (cue.track != LEAD_OUT && cue.form != FORM_MODE_1)
			return false;
		if (before.track == 0 && (cue.index != 0 || cue.lba != begin))
			return false;
		if (cue.track < before.track || cue.lba < before.lba)
			return false;
		if (cue.track == LEAD_OUT)
			return before.track && cue.lba >= begin + PAUSE + TRACK_LEAST && cue.lba <= limit;
	}
	return false;
}

static void cue_put_address(uint8_t *entry, int64_t lba)
{
	int64_t frame = lba + PAUSE;

	entry[5] = (uint8_t)(frame / 75 / 60);
	entry[6] = (uint8_t)(frame / 75 % 60);
	entry[7] = (uint8_t)(frame % 75);
}

/* Hosts like wodim give a later session's addresses as if it were the first; burners take that, too. */
static void cue_make_absolute(struct drive_state *state, int64_t begin)
{
	struct cue cue;
	uint32_t at = cue_next(state, 0, &cue), next;

	if (!at || begin == -PAUSE || !cue_next(state, at, &cue) || cue.lba != -PAUSE)
		return;
	for (; (next = cue_next(state, at, &cue)); at = next)
		cue_put_address(state->cue + next - ENTRY, cue.lba + begin + PAUSE);
}

int run_send_cue_sheet(struct drive *drive, struct command *command)
{
	struct drive_state *state = drive->state;
	struct medium *medium = &drive->medium;
	uint32_t length = mmc_be24(command->cdb + 6);
	struct sense sense;

	if (!medium->kind->cd || medium->kind->closed)
		return mmc_fail(command, SENSE(5, 0x30, 0x05));
	if (!recording_end(drive, true, &sense) || !medium_takes_writes(medium, &sense))
		return mmc_fail(command, sense);
	if (page_write_type(state) != WRITE_SESSION_AT_ONCE || !session_is_empty(medium))
		return mmc_fail(command, SENSE(5, 0x2C, 0x00));
	if (length == 0 || length > sizeof(state->cue) || length > command->length || length % ENTRY)
		return mmc_fail(command, SENSE(5, 0x1A, 0x00));
	memcpy(state->cue, command->data, length);
	command->transferred = length;
	state->cue_length = length;
	state->sao_next = (int64_t)medium_last_track(medium)->start - PAUSE;
	cue_make_absolute(state, state->sao_next);
	if (cue_is_sound(state, state->sao_next, medium->state->capacity))
		return 0;
	state->cue_length = 0;
	return mmc_fail(command, SENSE_BAD_CUE);
}

bool sao_is_complete(const struct drive_state *state)
{
	return state->sao_next == cue_lead_out(state);
}

static bool sao_record(struct drive *drive, uint32_t lba, uint32_t count, const uint8_t *data,
		       struct sense *ret)
{
	struct track *track = medium_last_track(&drive->medium);

	track_begin(&drive->medium, track);
	drive->state->writing_track = track->number;
	track->nwa = lba + count;
	track->lra = track->nwa - 1;
	return cache_write(drive, lba, data, count, ret);
}

bool sao_write(struct drive *drive, int64_t lba, uint32_t count, const uint8_t *data, struct sense *ret)
{
	struct drive_state *state = drive->state;
	int64_t start = medium_last_track(&drive->medium)->start;

	*ret = SENSE(5, 0x2C, 0x00); /* no cue sheet came before */
	if (!state->cue_length)
		return false;
	*ret = SENSE_BAD_ADDRESS;
	if (lba != state->sao_next || lba + count > cue_lead_out(state))
		return false;
	state->sao_next += count;
	state->simulating = page_test_write(state);
	/* The pause isn't kept: it has no address that READ takes, or lies between sessions. */
	while (count && lba < start) {
		lba++;
		data += SECTOR;
		count--;
	}
	return !count || state->simulating || sao_record(drive, (uint32_t)lba, count, data, ret);
}

/* The one track that was written becomes those of the sheet. */
static void sao_make_tracks(struct drive *drive)
{
	struct medium *medium = &drive->medium;
	struct drive_state *state = drive->state;
	struct track *track = NULL;
	uint8_t number = 0;
	struct cue cue;

	medium->state->tracks--;
	for (uint32_t at = 0; (at = cue_next(state, at, &cue));) {
		if (track && cue.track != number && track->state != TRACK_CLOSED) {
			track->size = (uint32_t)cue.lba - track->start;
			track->nwa = (uint32_t)cue.lba;
			track->lra = track->nwa - 1;
			track->state = TRACK_CLOSED;
		}
		if (cue.index == 1 && cue.track != LEAD_OUT)
			track = session_append_track(medium, (uint32_t)cue.lba);
		number = cue.track;
	}
}

void sao_finish(struct drive *drive)
{
	struct drive_state *state = drive->state;

	if (!session_is_empty(&drive->medium)) {
		sao_make_tracks(drive);
		session_close(&drive->medium, !page_multisession(state));
	}
	state->cue_length = 0;
}
