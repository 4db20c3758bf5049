/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CLOSE TRACK/SESSION: what each medium makes of the close functions (MMC-5 table 238). */
#include "physics.h"

#define SENSE_INCOMPLETE_TRACK SENSE(5, 0x72, 0x03)

/* All tracks must be complete: false if they aren't (MMC-5 6.3.3.3). But a CD's damaged track goes with its
 * session, as libburn, which has no other way for it, counts on; and a BD-R's open one. */
static bool tracks_are_complete(struct medium *medium, struct sense *ret)
{
	struct track *track;

	while ((track = session_track(medium, TRACK_RESERVED)) && track->nwa == track->start + track->size)
		track_close(medium, track);
	*ret = is_dvd_r(medium) ? SENSE_NOT_APPENDABLE : SENSE_INCOMPLETE_TRACK;
	if (track)
		return false;
	*ret = SENSE_INCOMPLETE_TRACK;
	if ((track = session_track(medium, TRACK_DAMAGED))) {
		if (!medium->kind->cd)
			return false;
		track_close(medium, track);
	}
	if ((track = session_track(medium, TRACK_OPEN))) {
		if (medium->kind->profile != PROFILE_BD_R)
			return false;
		track_close(medium, track);
	}
	return true;
}

static bool close_track(struct drive *drive, uint32_t number, struct sense *ret)
{
	struct medium *medium = &drive->medium;
	struct track *track;

	*ret = SENSE_BAD_FIELD;
	if (!number || number > medium->state->tracks)
		return false;
	track = &medium->state->track[number - 1];
	/* A blank one that isn't reserved stays as it is; a reserved one is filled. */
	if (track->state != TRACK_CLOSED && track->state != TRACK_INVISIBLE)
		track_close(medium, track);
	return true;
}

static bool close_session(struct drive *drive, uint32_t number, struct sense *ret)
{
	if (!tracks_are_complete(&drive->medium, ret))
		return false;
	session_close(&drive->medium, false);
	return true;
}

/* An empty last session may go: then the one before it is the last. A disc with nothing on it stays as it is.
 */
static bool finalize(struct drive *drive, uint32_t number, struct sense *ret)
{
	if (!tracks_are_complete(&drive->medium, ret))
		return false;
	*ret = SENSE_NOT_APPENDABLE;
	if (drive->medium.state->sessions == 1 && session_is_empty(&drive->medium))
		return false;
	session_close(&drive->medium, true);
	return true;
}

/* CD, DVD-R: mode page 05 decides whether another session may follow. Closing an empty session does nothing.
 * After minimal blanking, none may. */
static bool close_session_by_page(struct drive *drive, uint32_t number, struct sense *ret)
{
	struct medium *medium = &drive->medium;

	if (page_test_write(drive->state) || (session_is_empty(medium)))
		return true;
	if (page_multisession(drive->state) && !medium->state->minimal)
		return close_session(drive, number, ret);
	return finalize(drive, number, ret);
}

static bool close_track_by_page(struct drive *drive, uint32_t number, struct sense *ret)
{
	return page_test_write(drive->state) || close_track(drive, number, ret);
}

static bool close_border(struct drive *drive, uint32_t number, struct sense *ret)
{
	drive->medium.state->intermediate = 0;
	if (drive->medium.state->formatted)
		drive->medium.state->last_session = SESSION_COMPLETE;
	return true;
}

/* DVD+RW: background formatting stops where it is, without (0) or with (2) a lead-out for readers. */
static bool stop_formatting(struct drive *drive, uint32_t number, struct sense *ret)
{
	drive->medium.state->intermediate = 0;
	return true;
}

static const struct closing {
	enum profile profile;
	uint8_t function;
	bool (*close)(struct drive *drive, uint32_t number, struct sense *ret);
} closings[] = {
	{ PROFILE_CD_R, 1, close_track_by_page },
	{ PROFILE_CD_R, 2, close_session_by_page },
	{ PROFILE_CD_RW, 1, close_track_by_page },
	{ PROFILE_CD_RW, 2, close_session_by_page },
	{ PROFILE_DVD_R, 1, close_track_by_page },
	{ PROFILE_DVD_R, 2, close_session_by_page },
	{ PROFILE_DVD_R, 3, finalize },
	{ PROFILE_DVD_R_DL, 1, close_track_by_page },
	{ PROFILE_DVD_R_DL, 2, close_session_by_page },
	{ PROFILE_DVD_R_DL, 3, finalize },
	{ PROFILE_DVD_RW, 1, close_track_by_page },
	{ PROFILE_DVD_RW, 2, close_session_by_page },
	{ PROFILE_DVD_RW, 3, finalize },
	{ PROFILE_DVD_RW_OVERWRITE, 2, close_border },
	{ PROFILE_DVD_RW_OVERWRITE, 3, close_border },
	{ PROFILE_DVD_PLUS_RW, 0, stop_formatting },
	{ PROFILE_DVD_PLUS_RW, 2, stop_formatting },
	{ PROFILE_DVD_PLUS_R, 1, close_track },
	{ PROFILE_DVD_PLUS_R, 2, close_session },
	{ PROFILE_DVD_PLUS_R, 5, finalize }, /* with the smallest radius that a drive can read */
	{ PROFILE_DVD_PLUS_R, 6, finalize },
	{ PROFILE_DVD_PLUS_R_DL, 1, close_track },
	{ PROFILE_DVD_PLUS_R_DL, 2, close_session },
	{ PROFILE_DVD_PLUS_R_DL, 5, finalize },
	{ PROFILE_DVD_PLUS_R_DL, 6, finalize },
	{ PROFILE_BD_R, 1, close_track },
	{ PROFILE_BD_R, 2, close_session },
	{ PROFILE_BD_R, 6, finalize },
};

static const struct closing *closing_for(const struct medium *medium, uint8_t function)
{
	for (size_t i = 0; i < sizeof(closings) / sizeof(closings[0]); i++)
		if (closings[i].profile == medium->kind->profile && closings[i].function == function)
			return &closings[i];
	return NULL;
}

int run_close(struct drive *drive, struct command *command)
{
	const struct closing *closing = closing_for(&drive->medium, command->cdb[2] & 7);
	struct sense sense;

	if (!medium_takes_writes(&drive->medium, &sense))
		return mmc_fail(command, sense);
	if (!closing)
		return mmc_fail(command, SENSE_BAD_FIELD);
	if (!recording_end(drive, true, &sense))
		return mmc_fail(command, sense);
	/* A session at once may just have ended by itself, and with it the disc. */
	if (medium_takes_writes(&drive->medium, &sense) &&
	    !closing->close(drive, mmc_be16(command->cdb + 4), &sense))
		return mmc_fail(command, sense);
	if (command->cdb[1] & 1)
		mmc_go_on(drive, SENSE(2, 0x04, 0x07), 2); /* operation in progress */
	return 0;
}
