/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a drive says of the disc: READ DISC INFORMATION, READ TRACK INFORMATION, READ CAPACITY; and what the
 * other informing commands want to know of it. */
#include "mmc_info.h"

#include <string.h>

const uint8_t info_atip_lead_in[4] = { 0, 97, 15, 17 };

/* --- of use to all ------------------------------------------------------------- */

uint32_t info_profile(const struct drive *drive)
{
	return drive->medium.state ? drive->medium.state->profile : PROFILE_NONE;
}

bool info_on_cd(const struct drive *drive)
{
	uint32_t profile = info_profile(drive);

	return profile >= PROFILE_CD_ROM && profile <= PROFILE_CD_RW;
}

bool info_on_dvd(const struct drive *drive)
{
	uint32_t profile = info_profile(drive);

	return profile >= PROFILE_DVD_ROM && profile <= PROFILE_DVD_PLUS_R_DL;
}

bool info_on_bd(const struct drive *drive)
{
	return info_profile(drive) >= PROFILE_BD_ROM;
}

bool info_is_overwriteable(const struct drive *drive)
{
	return drive->medium.state && drive->medium.kind->overwrite;
}

bool info_is_erasable(const struct drive *drive)
{
	return drive->medium.state && !drive->medium.kind->write_once && !drive->medium.kind->closed;
}

bool info_is_writable(const struct drive *drive)
{
	if (!drive->medium.state || drive->medium.kind->closed)
		return false;
	return info_is_erasable(drive) || drive->medium.state->status != DISC_COMPLETE;
}

uint32_t info_complete_sessions(const struct medium_state *disc)
{
	return disc->last_session == SESSION_COMPLETE ? disc->sessions : disc->sessions - 1;
}

uint32_t info_complete_tracks(const struct medium_state *disc)
{
	uint32_t sessions = info_complete_sessions(disc), count = 0;

	while (count < disc->tracks && disc->track[count].session <= sessions)
		count++;
	return count;
}

const struct track *info_first_track(const struct medium_state *disc, uint32_t session)
{
	for (uint32_t i = 0; i < disc->tracks; i++)
		if (disc->track[i].session == session)
			return &disc->track[i];
	return NULL;
}

uint32_t info_leadout(const struct medium_state *disc, uint32_t session)
{
	uint32_t end = 0;

	for (uint32_t i = 0; i < disc->tracks; i++)
		if (disc->track[i].session == session)
			end = disc->track[i].start + disc->track[i].size;
	return end;
}

void info_put_msf(uint8_t *at, int64_t lba)
{
	int64_t frames = lba + 150;

	if (frames < 0)
		frames += 100 * 60 * 75;
	at[0] = 0;
	/* A fabricated TOC of a bigger medium ends at the last time that can be told (MMC-5 6.26.3.2.4). */
	if (frames >= 256 * 60 * 75)
		frames = 256 * 60 * 75 - 1;
	at[1] = (uint8_t)(frames / 75 / 60);
	at[2] = (uint8_t)(frames / 75 % 60);
	at[3] = (uint8_t)(frames % 75);
}

void info_put_address(uint8_t *at, uint32_t lba, bool msf)
{
	if (msf)
		info_put_msf(at, lba);
	else
		mmc_put32(at, lba);
}

/* --- READ DISC INFORMATION ----------------------------------------------------- */

/* Only DVD+RW is formatted in the background: 0 blank, 1 begun and stopped, 2 going on, 3 done. */
static uint8_t background_format(const struct medium_state *disc)
{
	if (disc->profile != PROFILE_DVD_PLUS_RW)
		return 0;
	if (disc->intermediate)
		return 2;
	if (disc->formatted == 0)
		return 0;
	return disc->formatted < disc->capacity ? 1 : 3;
}

/* Last session's lead-in, last possible lead-out: times on CD, where a full disc has neither. */
static void put_room(uint8_t *data, const struct medium_state *disc, bool cd)
{
	const struct track *first = info_first_track(disc, disc->sessions);

	if (disc->status == DISC_COMPLETE) {
		memset(data, 0xFF, 8);
		return;
	}
	if (!cd) {
		mmc_put32(data + 4, disc->capacity);
		return;
	}
	if (disc->sessions == 1 || !first)
		memcpy(data, info_atip_lead_in, 4);
	else /* a lead-in of one minute, a pregap of two seconds */
		info_put_msf(data, (int64_t)first->start - 150 - 4500);
	info_put_msf(data + 4, disc->capacity);
}

/* CD-ROM, or CD-ROM XA by the first track. */
uint8_t info_disc_type(const struct medium_state *disc)
{
	return disc->track[0].xa ? 0x20 : 0x00;
}

static int disc_standard(struct drive *drive, struct command *command)
{
	const struct medium_state *disc = drive->medium.state;
	const struct track *first = info_first_track(disc, disc->sessions);
	uint32_t first_number = first ? first->number : 1, last_number = disc->tracks ? disc->tracks : 1;
	uint8_t data[34] = { [1] = sizeof(data) - 2, [3] = 1 };

	data[2] = (uint8_t)(disc->status | disc->last_session << 2 | (info_is_erasable(drive) ? 0x10 : 0));
	data[4] = (uint8_t)disc->sessions;
	data[5] = (uint8_t)first_number;
	data[6] = (uint8_t)last_number;
	data[7] = 0x20 | background_format(disc); /* no restrictions on use */
	data[8] = info_on_cd(drive) && disc->status != DISC_EMPTY ? info_disc_type(disc) : 0xFF;
	data[9] = (uint8_t)(disc->sessions >> 8);
	data[10] = (uint8_t)(first_number >> 8);
	data[11] = (uint8_t)(last_number >> 8);
	put_room(data + 16, disc, info_on_cd(drive));
	return mmc_reply(command, data, sizeof(data), mmc_be16(command->cdb + 7));
}

/* BD-R: how many tracks there may be. */
static int disc_track_resources(struct drive *drive, struct command *command)
{
	const struct medium_state *disc = drive->medium.state;
	uint8_t data[12] = { [1] = sizeof(data) - 2, [2] = 1 << 5 };
	uint32_t open = 0;

	for (uint32_t i = 0; i < disc->tracks; i++)
		open += disc->track[i].state != TRACK_CLOSED;
	mmc_put16(data + 4, TRACKS_LIMIT);
	mmc_put16(data + 6, disc->tracks);
	mmc_put16(data + 8, 16);
	mmc_put16(data + 10, open);
	return mmc_reply(command, data, sizeof(data), mmc_be16(command->cdb + 7));
}

/* Pseudo-overwrite: nothing left, as there was nothing. */
static int disc_pow_resources(struct drive *drive, struct command *command)
{
	const uint8_t data[16] = { [1] = sizeof(data) - 2, [2] = 2 << 5 };

	(void)drive;
	return mmc_reply(command, data, sizeof(data), mmc_be16(command->cdb + 7));
}

int info_disc_information(struct drive *drive, struct command *command)
{
	static int (*const kinds[8])(
	    struct drive *, struct command *) = { disc_standard, disc_track_resources, disc_pow_resources };
	unsigned kind = command->cdb[1] & 7;

	if (!kinds[kind] || (kind > 0 && info_profile(drive) != PROFILE_BD_R))
		return mmc_fail(command, SENSE_BAD_FIELD);
	return kinds[kind](drive, command);
}

/* --- READ TRACK INFORMATION ---------------------------------------------------- */

/* Bits of byte 6. */
#define RESERVED_BIT 0x80 /* RT */
#define BLANK_BIT    0x40
#define PACKET_BIT   0x20
#define FIXED_BIT    0x10 /* FP */

static bool is_plus_r(uint32_t profile)
{
	return profile == PROFILE_DVD_PLUS_R || profile == PROFILE_DVD_PLUS_R_DL;
}

static bool is_dash(uint32_t profile)
{
	return profile >= PROFILE_DVD_R && profile <= PROFILE_DVD_R_DL && profile != PROFILE_DVD_RAM;
}

/* DVD-RW is formatted for packets of one ECC block, even where nothing is written yet. */
static uint8_t overwriteable_bits(const struct drive *drive)
{
	bool blank = drive->medium.state->formatted == 0;
	bool fixed = !blank || info_profile(drive) == PROFILE_DVD_RW_OVERWRITE;

	return (uint8_t)(PACKET_BIT | (fixed ? FIXED_BIT : 0) | (blank ? BLANK_BIT : 0));
}

static uint8_t track_state_bits(const struct drive *drive, const struct track *track)
{
	uint32_t profile = info_profile(drive);
	bool written = track->lra + 1 > track->start; /* start - 1 may be -1 */
	uint8_t bits = 0;

	if (track->state == TRACK_INVISIBLE)
		bits = BLANK_BIT;
	else if (track->state == TRACK_RESERVED)
		bits = RESERVED_BIT | (written ? 0 : BLANK_BIT);
	else if (track->state == TRACK_CLOSED && is_plus_r(profile))
		bits = RESERVED_BIT; /* on DVD+R a fragment that is on the disc's list, filled or not */
	if (info_is_overwriteable(drive))
		return overwriteable_bits(drive);
	return info_on_cd(drive) || drive->medium.kind->closed ? bits : bits | PACKET_BIT;
}

static bool has_nwa(const struct drive *drive, const struct track *track)
{
	if (info_is_overwriteable(drive) || track->state < TRACK_INVISIBLE || track->state > TRACK_OPEN)
		return false;
	return track->state != TRACK_RESERVED || track->nwa < track->start + track->size;
}

static uint32_t track_free(const struct drive *drive, const struct track *track)
{
	if (!has_nwa(drive, track))
		return 0;
	if (track->state == TRACK_RESERVED)
		return track->start + track->size - track->nwa;
	return medium_free(&drive->medium);
}

static uint32_t track_size(const struct drive *drive, const struct track *track)
{
	if (track->state == TRACK_INVISIBLE || track->state == TRACK_OPEN)
		return track->nwa - track->start + track_free(drive, track);
	return track->size;
}

static size_t track_length(uint32_t profile)
{
	if (is_plus_r(profile))
		return 40;
	return profile == PROFILE_DVD_R_DL ? 48 : 36;
}

static void put_track(const struct drive *drive, const struct track *track, uint8_t *data)
{
	uint32_t profile = info_profile(drive);
	uint8_t bits = track_state_bits(drive, track);
	bool nwa = has_nwa(drive, track), written = track->lra + 1 > track->start;

	mmc_put16(data, (uint32_t)track_length(profile) - 2);
	data[2] = (uint8_t)track->number;
	data[3] = (uint8_t)track->session;
	/* Incremental recording has track mode 5 on DVD-R and -RW (MMC-5 4.2.3.4). */
	data[5] =
	    (uint8_t)((track->mode & 0xF) | is_dash(profile) | (track->state == TRACK_DAMAGED ? 0x20 : 0));
	data[6] = bits | (info_on_cd(drive) && (bits & BLANK_BIT) ? 0xF
			  : track->xa				  ? 2
								  : 1); /* data mode; 15: unknown */
	data[7] = (uint8_t)((nwa ? 1 : 0) | (written && !info_on_cd(drive) ? 2 : 0));
	mmc_put32(data + 8, track->start);
	/* Once there is a cue sheet, the session begins with the pause before its first track. */
	if (nwa)
		mmc_put32(data + 12,
			  drive->state->cue_length ? (uint32_t)drive->state->sao_next : track->nwa);
	mmc_put32(data + 16, track_free(drive, track));
	if (!info_on_cd(drive))
		mmc_put32(data + 20, drive->medium.kind->ecc);
	mmc_put32(data + 24, track_size(drive, track));
	if (data[7] & 2)
		mmc_put32(data + 28, track->lra);
	data[32] = (uint8_t)(track->number >> 8);
	data[33] = (uint8_t)(track->session >> 8);
	if (is_plus_r(profile))
		mmc_put32(data + 36, 0x40000); /* where a lead-out must be for old DVD-ROM drives */
}

/* The one that an append would go to: number FFh where numbers are short. */
static const struct track *track_incomplete(const struct drive *drive)
{
	const struct track *last = medium_last_track(&drive->medium);
	uint32_t profile = info_profile(drive);

	if (!last || last->state == TRACK_CLOSED || profile >= PROFILE_BD_ROM)
		return NULL;
	return last;
}

static const struct track *track_by_number(const struct drive *drive, uint32_t number)
{
	const struct medium_state *disc = drive->medium.state;

	if (number == 0xFF && disc->tracks < 0xFF)
		return track_incomplete(drive);
	return number >= 1 && number <= disc->tracks ? &disc->track[number - 1] : NULL;
}

static const struct track *track_from(const struct drive *drive, const struct track *track)
{
	const struct medium_state *disc = drive->medium.state;

	while (track && track < disc->track + disc->tracks && !has_nwa(drive, track))
		track++;
	return track && track < disc->track + disc->tracks ? track : NULL;
}

/* CD: what is known of the lead-in, as track 0. */
static int reply_lead_in(struct drive *drive, struct command *command)
{
	uint8_t data[36] = { [1] = sizeof(data) - 2, [3] = (uint8_t)drive->medium.state->sessions };

	data[5] = 4;
	data[6] = 0xF;
	return mmc_reply(command, data, sizeof(data), mmc_be16(command->cdb + 7));
}

int info_track_information(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	uint32_t address = mmc_be32(cdb + 2);
	const struct track *track = NULL;
	uint8_t data[48] = { 0 };

	if ((cdb[1] & 3) == 0)
		track = medium_track_at(&drive->medium, address);
	else if ((cdb[1] & 3) == 1 && address == 0 && info_on_cd(drive))
		return reply_lead_in(drive, command);
	else if ((cdb[1] & 3) == 1)
		track = track_by_number(drive, address);
	else if ((cdb[1] & 3) == 2)
		track = info_first_track(drive->medium.state, address);
	if (cdb[1] & 4)
		track = track_from(drive, track);
	if (!track)
		return mmc_fail(command, (cdb[1] & 3) == 0 ? SENSE(5, 0x21, 0x00) : SENSE_BAD_FIELD);
	put_track(drive, track, data);
	return mmc_reply(command, data, track_length(info_profile(drive)), mmc_be16(cdb + 7));
}

/* --- READ CAPACITY ------------------------------------------------------------- */

/* The last readable block: of a disc without a closed session it is 0, as drives do. */
int info_capacity(struct drive *drive, struct command *command)
{
	const struct medium_state *disc = drive->medium.state;
	uint32_t end = info_leadout(disc, info_complete_sessions(disc));
	uint8_t data[8] = { 0 };

	if ((command->cdb[1] & 1) || (!(command->cdb[8] & 1) && mmc_be32(command->cdb + 2) != 0))
		return mmc_fail(command, SENSE_BAD_FIELD);
	if (info_is_overwriteable(drive))
		end = disc->formatted;
	/* DVD+RW has its full size from the first format on, however far that came. */
	if (disc->profile == PROFILE_DVD_PLUS_RW && (disc->formatted || disc->intermediate))
		end = disc->capacity;
	mmc_put32(data, end ? end - 1 : 0);
	mmc_put32(data + 4, SECTOR);
	return mmc_reply(command, data, sizeof(data), sizeof(data));
}
