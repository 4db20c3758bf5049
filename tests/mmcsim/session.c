/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracks and sessions of sequential media: what begins, ends and follows what. */
#include "physics.h"

#include <string.h>

/* A track of a CD is at least 4 seconds long; then come two run-out blocks. 150 blocks of pause precede the
 * next one of the same session. */
#define CD_TRACK_LEAST 300u
#define CD_RUN_OUT     2u
#define CD_PAUSE       150u
#define CD_TRACKS      99u

uint32_t round_up(uint32_t value, uint32_t unit)
{
	return (value + unit - 1) / unit * unit;
}

bool is_dvd_r(const struct medium *medium)
{
	enum profile profile = medium->kind->profile;

	return profile == PROFILE_DVD_R || profile == PROFILE_DVD_RW || profile == PROFILE_DVD_R_DL;
}

static bool is_dvd_plus_r(const struct medium *medium)
{
	return medium->kind->profile == PROFILE_DVD_PLUS_R || medium->kind->profile == PROFILE_DVD_PLUS_R_DL;
}

struct track *session_append_track(struct medium *medium, uint32_t start)
{
	struct medium_state *state = medium->state;
	uint32_t limit = state->capacity - (medium->kind->profile == PROFILE_BD_R ? state->spare : 0);
	struct track *track;

	if (start >= limit || state->tracks >= (medium->kind->cd ? CD_TRACKS : TRACKS_LIMIT))
		return NULL;
	track = &state->track[state->tracks++];
	*track = (struct track){ .number = state->tracks,
				 .session = state->sessions,
				 .start = start,
				 .size = limit - start,
				 .nwa = start,
				 .lra = start - 1,
				 .mode = 4,
				 .state = TRACK_INVISIBLE };
	return track;
}

static void session_forget(struct medium *medium)
{
	struct medium_state *state = medium->state;

	memset(state->track, 0, sizeof(state->track));
	state->tracks = 0;
	state->sessions = 1;
}

void session_blank(struct medium *medium)
{
	session_forget(medium);
	medium->state->status = DISC_EMPTY;
	medium->state->last_session = SESSION_EMPTY;
	session_append_track(medium, 0);
}

void session_overwriteable(struct medium *medium, uint32_t sectors)
{
	struct track *track;

	session_forget(medium);
	medium->state->status = DISC_COMPLETE;
	medium->state->last_session = SESSION_COMPLETE;
	track = session_append_track(medium, 0);
	track->size = sectors;
	track->lra = sectors - 1;
	track->state = TRACK_CLOSED;
}

struct track *session_track(const struct medium *medium, enum track_state wanted)
{
	struct medium_state *state = medium->state;

	for (uint32_t i = 0; i < state->tracks; i++)
		if (state->track[i].session == state->sessions && state->track[i].state == wanted)
			return &state->track[i];
	return NULL;
}

bool session_is_empty(const struct medium *medium)
{
	const struct track *track = medium_last_track(medium);

	return !track || track->session != medium->state->sessions ||
	       (track->state == TRACK_INVISIBLE &&
		(track->number == 1 || track[-1].session != medium->state->sessions));
}

/* Something was recorded or reserved: the disc isn't empty any more. */
static void session_incomplete(struct medium_state *state)
{
	state->status = DISC_INCOMPLETE;
	state->last_session = SESSION_INCOMPLETE;
}

/* The pause before a CD's track is recorded with it, behind a link block and four of run-in; it can be read:
 * so can a track that begins at an odd address by a kernel with pages of two blocks. */
static void record_pause(const struct medium *medium, const struct track *track)
{
	const uint32_t readable = CD_PAUSE - 5;

	if (medium->kind->cd && track->start > readable)
		medium_fill(medium, track->start - readable, readable, SECTOR_DATA);
}

void track_begin(struct medium *medium, struct track *track)
{
	if (track->state == TRACK_INVISIBLE) {
		record_pause(medium, track);
		track->state = TRACK_OPEN;
	}
	session_incomplete(medium->state);
	medium->state->writes++;
	/* The pause before a CD's later track can be read: it is recorded as the track is (MMC-5 4.2.3.6).
	 * The kernel reads it with the first sector of a track that begins at an odd address. */
	if (medium->kind->cd && track->start >= CD_PAUSE)
		medium_fill(medium, track->start - CD_PAUSE, CD_PAUSE, SECTOR_DATA);
}

void track_reserve(struct medium *medium, struct track *track, uint32_t size)
{
	track->size = size;
	track->state = TRACK_RESERVED;
	session_incomplete(medium->state);
}

void track_damage(struct medium *medium, struct track *track)
{
	track->state = TRACK_DAMAGED;
	session_incomplete(medium->state);
	/* MMC-5 table 371, 10b: a border that needs repair. */
	if (is_dvd_r(medium))
		medium->state->last_session = SESSION_DAMAGED;
}

/* What remains up to the end is padded with zeroes: a reserved track is filled, others end with a whole ECC
 * block, or with the least that a track may have. */
void track_close(struct medium *medium, struct track *track)
{
	bool cd = medium->kind->cd, last = track == medium_last_track(medium);
	uint32_t end = round_up(track->nwa, medium->kind->ecc);
	uint32_t least = track->start + (cd ? CD_TRACK_LEAST : medium->kind->ecc);
	uint32_t limit = track->start + track->size;

	if (end < least)
		end = least;
	if (!last || end > limit)
		end = limit;
	if (track->nwa < end)
		medium_fill(medium, track->nwa, end - track->nwa, SECTOR_DATA);
	track->lra = end - 1;
	if (cd && last && end + CD_RUN_OUT <= limit) {
		medium_fill(medium, end, CD_RUN_OUT, SECTOR_LINK);
		end += CD_RUN_OUT;
	}
	track->nwa = end;
	track->size = end - track->start;
	track->state = TRACK_CLOSED;
	session_incomplete(medium->state);
	if (last)
		session_append_track(medium, cd ? end + CD_PAUSE : end);
}

/* The disc takes no more. */
static void disc_complete(struct medium_state *state)
{
	state->status = DISC_COMPLETE;
	state->last_session = SESSION_COMPLETE;
}

/* DVD+R knows fragments only while a session is open: closed, it is one track (MMC-5 4.3.6.2). */
static void merge_fragments(struct medium *medium)
{
	struct medium_state *state = medium->state;
	struct track *track;

	if (!is_dvd_plus_r(medium))
		return;
	for (; state->tracks > 1; state->tracks--) {
		const struct track *last = medium_last_track(medium);

		track = &state->track[state->tracks - 2];
		if (track->session != last->session)
			return;
		track->size = last->start + last->size - track->start;
		track->nwa = last->nwa;
		track->lra = last->lra;
	}
}

/* With less than this left, a drive finalizes the disc: a CD's shortest track; 65 ECC blocks on DVD+R. */
static uint32_t session_least(const struct medium *medium)
{
	if (medium->kind->cd)
		return CD_TRACK_LEAST + CD_RUN_OUT;
	return (is_dvd_plus_r(medium) ? 65 : 1) * medium->kind->ecc;
}

void session_close(struct medium *medium, bool finalize)
{
	struct medium_state *state = medium->state;
	bool empty = session_is_empty(medium);
	uint32_t gap = state->sessions == 1 ? medium->kind->first_gap : medium->kind->next_gap;
	const struct track *last;
	uint32_t next;

	if (empty && !finalize)
		return;
	if (medium_last_track(medium)->state == TRACK_INVISIBLE)
		state->tracks--;
	if (empty)
		state->sessions--;
	merge_fragments(medium);
	if (finalize || state->sessions >= medium->kind->sessions) {
		disc_complete(state);
		return;
	}
	last = medium_last_track(medium);
	next = round_up(last->start + last->size + gap, medium->kind->ecc);
	state->sessions++;
	if (next + session_least(medium) <= state->capacity && session_append_track(medium, next)) {
		state->status = DISC_INCOMPLETE;
		state->last_session = SESSION_EMPTY;
		return;
	}
	state->sessions--;
	disc_complete(state);
}
