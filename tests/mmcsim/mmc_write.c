/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a medium takes what: WRITE in all its forms, SYNCHRONIZE CACHE, RESERVE TRACK. */
#include "physics.h"

/* --- mode page 05 -------------------------------------------------------------- */

enum write_type page_write_type(const struct drive_state *state)
{
	return state->write_page[2] & 0x0F;
}

bool page_test_write(const struct drive_state *state)
{
	return state->write_page[2] & 0x10;
}

/* 11b: another session may follow; 00b and 01b: none (MMC-5 table 668). */
bool page_multisession(const struct drive_state *state)
{
	return state->write_page[3] >> 6 == 3;
}

/* Mode 1, or mode 2 form 1: data block types of 2048 bytes. */
bool page_is_data(const struct drive_state *state)
{
	return ((state->write_page[4] & 0x0F) == 8 || page_is_xa(state)) && state->write_page[3] & 4;
}

bool page_is_xa(const struct drive_state *state)
{
	return (state->write_page[4] & 0x0F) == 10;
}

/* --- sequential media ---------------------------------------------------------- */

/* The track of the last session that takes a sector at lba now. */
static struct track *track_for(const struct medium *medium, uint32_t lba, uint32_t count, struct sense *ret)
{
	struct track *track = medium_track_at(medium, lba);

	if (session_track(medium, TRACK_DAMAGED)) {
		*ret = SENSE(5, 0x72, 0x03); /* incomplete track in session: it must be closed first */
		return NULL;
	}
	if (!track || track->state == TRACK_CLOSED || lba != track->nwa) {
		*ret = lba < medium->state->capacity ? SENSE_BAD_ADDRESS : SENSE(5, 0x21, 0x00);
		return NULL;
	}
	if (count > (track->state == TRACK_RESERVED ? track->start + track->size - track->nwa
						    : medium_free(medium))) {
		*ret = SENSE(5, 0x63, 0x00); /* end of user area encountered on this track */
		return NULL;
	}
	return track;
}

/* Dummy writing: addresses must be those of a real one; the medium learns nothing. */
static bool simulate(struct drive *drive, uint32_t lba, uint32_t count, struct sense *ret)
{
	struct drive_state *state = drive->state;
	uint32_t capacity = drive->medium.state->capacity;

	if (!state->simulating) {
		if (!track_for(&drive->medium, lba, count, ret))
			return false;
		state->simulating = 1;
		state->sao_next = lba;
	}
	*ret = SENSE_BAD_ADDRESS;
	if (lba != state->sao_next)
		return false;
	*ret = SENSE(5, 0x63, 0x00);
	if (lba > capacity || count > capacity - lba)
		return false;
	state->sao_next += count;
	return true;
}

static bool write_to_track(struct drive *drive, uint32_t lba, uint32_t count, const uint8_t *data,
			   struct sense *ret)
{
	struct track *track = track_for(&drive->medium, lba, count, ret);

	if (!track)
		return false;
	track_begin(&drive->medium, track);
	track->nwa = lba + count; /* an error moves it back */
	track->lra = track->nwa - 1;
	drive->state->writing_track = track->number;
	return cache_write(drive, lba, data, count, ret);
}

/* All sectors of a track are of one mode. */
static bool write_cd_track(struct drive *drive, uint32_t lba, uint32_t count, const uint8_t *data,
			   struct sense *ret)
{
	struct track *track = track_for(&drive->medium, lba, count, ret);

	if (!track)
		return false;
	if (lba == track->start)
		track->xa = page_is_xa(drive->state);
	*ret = SENSE(5, 0x64, 0x00);
	return track->xa == page_is_xa(drive->state) && write_to_track(drive, lba, count, data, ret);
}

/* CD: mode page 05 must fit: a data track in blocks of 2048 bytes, at once or by tracks. */
static bool write_cd(struct drive *drive, int64_t lba, uint32_t count, const uint8_t *data, struct sense *ret)
{
	struct drive_state *state = drive->state;

	if (page_write_type(state) == WRITE_SESSION_AT_ONCE)
		return sao_write(drive, lba, count, data, ret);
	*ret = SENSE(5, 0x64, 0x00); /* illegal mode for this track */
	if (page_write_type(state) != WRITE_TRACK_AT_ONCE || !page_is_data(state))
		return false;
	*ret = SENSE_BAD_ADDRESS;
	if (lba < 0)
		return false;
	if (page_test_write(state))
		return simulate(drive, (uint32_t)lba, count, ret);
	return write_cd_track(drive, (uint32_t)lba, count, data, ret);
}

/* A track reserved for the whole disc. */
static bool is_disc_at_once(const struct medium *medium)
{
	const struct track *track = medium_last_track(medium);

	return is_dvd_r(medium) && track && track->state == TRACK_RESERVED;
}

/* DVD-R, DVD-RW: incremental, or disc at once into the track that RESERVE TRACK made. */
static bool write_dvd_r(struct drive *drive, int64_t lba, uint32_t count, const uint8_t *data,
			struct sense *ret)
{
	struct drive_state *state = drive->state;
	enum write_type type = page_write_type(state);

	*ret = SENSE(5, 0x64, 0x00);
	if ((type != WRITE_INCREMENTAL && type != WRITE_SESSION_AT_ONCE) ||
	    (state->write_page[4] & 0x0F) != 8)
		return false;
	/* After minimal blanking the old recording is still in the way of incremental writing. */
	if (type == WRITE_INCREMENTAL && drive->medium.state->minimal)
		return false;
	*ret = SENSE(5, 0x2C, 0x00);
	if (type == WRITE_SESSION_AT_ONCE && !state->simulating && !is_disc_at_once(&drive->medium))
		return false;
	*ret = SENSE_BAD_ADDRESS;
	if (lba < 0)
		return false;
	if (page_test_write(state))
		return simulate(drive, (uint32_t)lba, count, ret);
	return write_to_track(drive, (uint32_t)lba, count, data, ret);
}

/* DVD+R, BD-R: mode page 05 says nothing to them. A blank BD-R that nobody formatted becomes one without
 * spare area by the first write. */
static bool write_plus_r(struct drive *drive, int64_t lba, uint32_t count, const uint8_t *data,
			 struct sense *ret)
{
	*ret = SENSE_BAD_ADDRESS;
	if (lba < 0)
		return false;
	return write_to_track(drive, (uint32_t)lba, count, data, ret);
}

/* --- overwriteable media ------------------------------------------------------- */

/* DVD-RW in restricted overwrite takes whole ECC blocks; with its last border open, also those that make the
 * recorded area grow without a hole. */
static bool restricted_allows(const struct medium *medium, uint32_t lba, uint32_t count, struct sense *ret)
{
	*ret = SENSE_BAD_ADDRESS;
	if (lba % medium->kind->ecc || (medium->state->intermediate && lba > medium->state->formatted))
		return false;
	*ret = SENSE_BAD_FIELD;
	return count % medium->kind->ecc == 0;
}

static void overwriteable_grows(struct medium *medium, uint32_t end)
{
	if (end <= medium->state->formatted)
		return;
	medium->state->formatted = round_up(end, medium->kind->ecc);
	session_overwriteable(medium, medium->state->formatted);
	if (medium->kind->profile == PROFILE_DVD_RW_OVERWRITE)
		medium->state->last_session = SESSION_INCOMPLETE;
}

/* DVD+RW: while the drive isn't asked for anything else, formatting goes on, a 64th of the disc at a time
 * here. */
void background_format(struct medium *medium)
{
	struct medium_state *state = medium->state;

	if (state->profile != PROFILE_DVD_PLUS_RW || !state->intermediate)
		return;
	if (state->capacity - state->formatted > state->capacity / 64)
		overwriteable_grows(medium, state->formatted + state->capacity / 64);
	else
		overwriteable_grows(medium, state->capacity);
	state->intermediate = state->formatted < state->capacity;
}

static bool write_overwrite(struct drive *drive, int64_t lba, uint32_t count, const uint8_t *data,
			    struct sense *ret)
{
	struct medium *medium = &drive->medium;
	bool restricted = medium->kind->profile == PROFILE_DVD_RW_OVERWRITE;
	uint32_t limit = medium->state->intermediate ? medium->state->capacity : medium->state->formatted;

	*ret = SENSE(3, 0x31, 0x00); /* medium format corrupted: it has none */
	if (!limit)
		return false;
	*ret = SENSE(5, 0x21, 0x00);
	if (lba < 0 || lba > limit || count > limit - lba)
		return false;
	if (restricted && !restricted_allows(medium, (uint32_t)lba, count, ret))
		return false;
	medium->state->writes++;
	drive->state->writing_track = 1;
	overwriteable_grows(medium, (uint32_t)lba + count);
	return cache_write(drive, (uint32_t)lba, data, count, ret);
}

/* --- by medium ----------------------------------------------------------------- */

typedef bool write_function(struct drive *, int64_t, uint32_t, const uint8_t *, struct sense *);

static const struct discipline {
	enum profile profile;
	write_function *write;
	bool verifies; /* knows WRITE AND VERIFY */
} disciplines[] = {
	{ PROFILE_CD_R, write_cd, false },
	{ PROFILE_CD_RW, write_cd, false },
	{ PROFILE_DVD_R, write_dvd_r, false },
	{ PROFILE_DVD_RW, write_dvd_r, false },
	{ PROFILE_DVD_R_DL, write_dvd_r, false },
	{ PROFILE_DVD_PLUS_R, write_plus_r, false },
	{ PROFILE_DVD_PLUS_R_DL, write_plus_r, false },
	{ PROFILE_BD_R, write_plus_r, true },
	{ PROFILE_DVD_RW_OVERWRITE, write_overwrite, false },
	{ PROFILE_DVD_PLUS_RW, write_overwrite, true },
	{ PROFILE_DVD_RAM, write_overwrite, true },
	{ PROFILE_BD_RE, write_overwrite, true },
};

static const struct discipline *discipline_of(const struct medium *medium)
{
	for (size_t i = 0; i < sizeof(disciplines) / sizeof(disciplines[0]); i++)
		if (disciplines[i].profile == medium->kind->profile)
			return &disciplines[i];
	return NULL;
}

bool medium_takes_writes(const struct medium *medium, struct sense *ret)
{
	if (medium->state->write_protected) {
		*ret = SENSE(7, 0x27, 0x00);
		return false;
	}
	*ret = SENSE(5, 0x30, 0x05); /* cannot write medium: incompatible format */
	return !medium->kind->closed && (medium->kind->overwrite || medium->state->status != DISC_COMPLETE);
}

static int write_range(struct drive *drive, struct command *command)
{
	const struct discipline *discipline = discipline_of(&drive->medium);
	uint32_t address, count;
	struct sense sense;

	mmc_range(command, &address, &count);
	if (!medium_takes_writes(&drive->medium, &sense))
		return mmc_fail(command, sense);
	if ((size_t)count * SECTOR > command->length)
		return mmc_fail(command, SENSE(5, 0x1A, 0x00)); /* parameter list length error */
	if (!count)
		return 0;
	/* Addresses before 0 are those of a CD's first pause. */
	if (!discipline || !discipline->write(drive, (int32_t)address, count, command->data, &sense))
		return mmc_fail(command, sense);
	drive->state->blocks_written += count;
	command->transferred = (size_t)count * SECTOR;
	return 0;
}

/* Byte 10, bit 7 of WRITE(12): streaming; then BD and DVD-RAM do without checking what they wrote. */
int run_write(struct drive *drive, struct command *command)
{
	if (command->cdb[0] == 0xAA)
		drive->state->streaming = command->cdb[10] >> 7;
	return write_range(drive, command);
}

int run_write_and_verify(struct drive *drive, struct command *command)
{
	const struct discipline *discipline = discipline_of(&drive->medium);
	struct sense sense;
	uint32_t lba, count;

	if (!discipline || !discipline->verifies)
		return mmc_fail(command, SENSE_BAD_OPCODE);
	if (write_range(drive, command))
		return -1;
	mmc_range(command, &lba, &count);
	if (!cache_flush(drive, &sense) || !sectors_verify(drive, lba, count, &sense))
		return mmc_fail(command, sense);
	return 0;
}

/* --- the end of writing -------------------------------------------------------- */

void recording_failed(struct drive *drive, uint32_t lba)
{
	struct medium *medium = &drive->medium;
	struct track *track = medium_track_at(medium, lba);
	uint32_t ecc = medium->kind->ecc, begin = lba / ecc * ecc;

	if (!track)
		return;
	/* The spot is burnt. A CD and a BD-R can be gone on with behind it; a DVD's track has lost its
	 * thread. */
	medium_fill(medium, begin, ecc, SECTOR_DAMAGED);
	track->nwa = begin + ecc;
	track->lra = track->nwa - 1;
	if ((!medium->kind->cd && medium->kind->profile != PROFILE_BD_R) || drive->state->cue_length)
		track_damage(medium, track);
	drive->state->cue_length = 0; /* a session at once ends with its first error */
}

/* Session at once ends by itself: a CD's when all that the cue sheet announced was written; a DVD-R's when
 * the reserved track is full. */
static void finish_at_once(struct drive *drive, bool abandon)
{
	struct drive_state *state = drive->state;
	struct medium *medium = &drive->medium;
	struct track *track = medium_last_track(medium);

	if (state->cue_length && sao_is_complete(state)) {
		sao_finish(drive);
	} else if (state->cue_length && abandon) {
		state->cue_length = 0;
		if (track && track->state == TRACK_OPEN)
			track_damage(medium, track);
	} else if (is_disc_at_once(medium) && track->nwa == track->start + track->size) {
		track_close(medium, track);
		session_close(medium, !page_multisession(state));
	} else if (is_disc_at_once(medium) && abandon && track->nwa > track->start) {
		track_damage(medium, track);
	}
}

/* What the drive puts after the last sector that it got: the rest of an ECC block. A CD's track that was
 * written at once can't be gone on with later: it ends here, with its run-out. */
static void pad(struct drive *drive)
{
	struct medium *medium = &drive->medium;
	struct drive_state *state = drive->state;
	struct track *track;
	uint32_t end;

	if (!state->writing_track || state->cue_length || is_disc_at_once(medium))
		return;
	track = &medium->state->track[state->writing_track - 1];
	if (track->state != TRACK_OPEN && track->state != TRACK_RESERVED)
		return;
	if (medium->kind->cd) {
		track_close(medium, track);
		return;
	}
	end = round_up(track->nwa, medium->kind->ecc);
	medium_fill(medium, track->nwa, end - track->nwa, SECTOR_DATA);
	track->nwa = end;
	track->lra = end - 1;
}

bool recording_end(struct drive *drive, bool abandon, struct sense *ret)
{
	struct drive_state *state = drive->state;

	if (!drive->medium.state)
		return true;
	if (!cache_empty(drive, ret))
		return false;
	state->simulating = 0;
	finish_at_once(drive, abandon);
	if (!drive->medium.kind->overwrite)
		pad(drive);
	state->writing_track = 0;
	return true;
}

int run_synchronize_cache(struct drive *drive, struct command *command)
{
	struct sense sense;

	if (!recording_end(drive, false, &sense))
		return mmc_fail(command, sense);
	if (command->cdb[1] & 2)
		mmc_go_on(drive, SENSE(2, 0x04, 0x07), 1);
	return 0;
}

/* --- RESERVE TRACK ------------------------------------------------------------- */

static bool reserve_allowed(struct drive *drive, struct sense *ret)
{
	const struct medium *medium = &drive->medium;
	const struct track *last = medium_last_track(medium);

	if (!medium_takes_writes(medium, ret))
		return false;
	*ret = SENSE(5, 0x64, 0x00);
	if (medium->kind->overwrite ||
	    (medium->state->minimal && page_write_type(drive->state) != WRITE_SESSION_AT_ONCE))
		return false;
	*ret = SENSE(5, 0x72, 0x03);
	if (session_track(medium, TRACK_DAMAGED) || session_track(medium, TRACK_OPEN))
		return false;
	*ret = SENSE(5, 0x72, 0x05); /* no more track reservations allowed */
	return last && last->state == TRACK_INVISIBLE;
}

/* ARSV, DVD+R and BD-R: the track that can be written is cut in two at an address. */
static int reserve_by_address(struct drive *drive, struct command *command, uint32_t address)
{
	struct medium *medium = &drive->medium;
	struct track *track = medium_last_track(medium);
	enum profile profile = medium->kind->profile;

	if (profile != PROFILE_DVD_PLUS_R && profile != PROFILE_DVD_PLUS_R_DL && profile != PROFILE_BD_R)
		return mmc_fail(command, SENSE_BAD_FIELD);
	if (address <= track->start || address >= track->start + track->size || address % medium->kind->ecc)
		return mmc_fail(command, SENSE_BAD_ADDRESS);
	track_reserve(medium, track, address - track->start);
	session_append_track(medium, address);
	return 0;
}

/* Disc at once has one track of just that size, and nothing comes after it. */
static int reserve_disc(struct drive *drive, struct command *command, uint32_t size)
{
	struct medium *medium = &drive->medium;
	struct track *track = medium_last_track(medium);

	if (medium->state->status != DISC_EMPTY)
		return mmc_fail(command, SENSE(5, 0x2C, 0x00));
	if (!size || size > track->size)
		return mmc_fail(command, SENSE(5, 0x21, 0x00));
	if (page_test_write(drive->state)) {
		drive->state->simulating = 1;
		drive->state->sao_next = track->nwa;
		return 0;
	}
	track_reserve(medium, track, size);
	return 0;
}

int run_reserve_track(struct drive *drive, struct command *command)
{
	struct medium *medium = &drive->medium;
	uint32_t size = mmc_be32(command->cdb + 5);
	struct sense sense;

	if (!reserve_allowed(drive, &sense))
		return mmc_fail(command, sense);
	if (is_dvd_r(medium) && page_write_type(drive->state) == WRITE_SESSION_AT_ONCE)
		return reserve_disc(drive, command, size);
	if (command->cdb[1] & 1)
		return reserve_by_address(drive, command, size);
	size = round_up(size, medium->kind->ecc);
	if (!size || size > medium_free(medium))
		return mmc_fail(command, SENSE(5, 0x21, 0x00));
	track_reserve(medium, medium_last_track(medium), size);
	session_append_track(medium, medium_last_track(medium)->start + size);
	return 0;
}
