/* SPDX-License-Identifier: GPL-2.0-or-later */
/* READ TOC/PMA/ATIP and what else a CD tells by time codes. Only sessions with a lead-out have a TOC. DVD and
 * BD have none at all: drives make up formats 0 and 1 from what they know of the tracks (MMC-5 6.26.3.2.4),
 * format 1 with the last session's first track, which Linux mounts by. */
#include "mmc_info.h"

#include <string.h>

#define TOC_TRACKS 99u

struct toc {
	uint8_t *data; /* header of four bytes, then entries */
	size_t length;
	uint8_t wanted; /* track or session of the CDB */
	bool msf;
};

/* --- formats 0 and 1 ----------------------------------------------------------- */

static void put_toc_entry(struct toc *toc, uint32_t mode, uint8_t number, uint32_t lba)
{
	uint8_t *entry = toc->data + toc->length;

	entry[1] = (uint8_t)(0x10 | (mode & 0xF));
	entry[2] = number;
	info_put_address(entry + 4, lba, toc->msf);
	toc->length += 8;
}

/* Tracks from the wanted one on, and the lead-out (AAh) of the last complete session. */
static bool toc_tracks(const struct drive *drive, struct toc *toc)
{
	const struct medium_state *disc = drive->medium.state;
	uint32_t count = info_complete_tracks(disc), mode = 4;

	if (count > TOC_TRACKS)
		count = TOC_TRACKS;
	if (count == 0 || (toc->wanted > count && toc->wanted != 0xAA))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		mode = disc->track[i].mode;
		if (disc->track[i].number >= toc->wanted)
			put_toc_entry(toc, mode, (uint8_t)disc->track[i].number, disc->track[i].start);
	}
	put_toc_entry(toc, mode, 0xAA, info_leadout(disc, info_complete_sessions(disc)));
	toc->data[2] = 1;
	toc->data[3] = (uint8_t)count;
	return true;
}

static bool toc_sessions(const struct drive *drive, struct toc *toc)
{
	const struct medium_state *disc = drive->medium.state;
	uint32_t sessions = info_complete_sessions(disc);
	const struct track *track = info_first_track(disc, sessions);

	if (sessions == 0 || !track)
		return false;
	put_toc_entry(toc, track->mode, (uint8_t)track->number, track->start);
	toc->data[2] = 1;
	toc->data[3] = (uint8_t)(sessions > 0xFF ? 0xFF : sessions);
	return true;
}

/* --- format 2: the lead-ins' points -------------------------------------------- */

static uint8_t *put_point(struct toc *toc, uint32_t session, uint8_t adr_mode, uint8_t point)
{
	uint8_t *entry = toc->data + toc->length;

	memset(entry, 0, 11);
	entry[0] = (uint8_t)session;
	entry[1] = adr_mode;
	entry[3] = point;
	toc->length += 11;
	return entry;
}

static void put_point_time(uint8_t *at, int64_t lba)
{
	uint8_t msf[4];

	info_put_msf(msf, lba);
	memcpy(at, msf + 1, 3);
}

static void put_program(struct toc *toc, const struct medium_state *disc, uint32_t session)
{
	const struct track *first = info_first_track(disc, session), *end = disc->track + disc->tracks;
	const struct track *after = first;
	uint8_t adr_mode = (uint8_t)(0x10 | (first->mode & 0xF)), *entry;

	while (after < end && after->session == session)
		after++;
	entry = put_point(toc, session, adr_mode, 0xA0);
	entry[8] = (uint8_t)first->number;
	entry[9] = info_disc_type(disc);
	put_point(toc, session, adr_mode, 0xA1)[8] = (uint8_t)after[-1].number;
	put_point_time(put_point(toc, session, adr_mode, 0xA2) + 8, info_leadout(disc, session));
	for (const struct track *track = first; track < after; track++)
		put_point_time(put_point(toc, session, adr_mode, (uint8_t)track->number) + 8, track->start);
}

/* B0: where the next session's program begins, and how far lead-outs may reach; in the first lead-in C0, too.
 */
static void put_next_program(struct toc *toc, const struct medium_state *disc, uint32_t session)
{
	const struct track *next = info_first_track(disc, session + 1);
	uint8_t *entry;

	if (!next)
		return;
	entry = put_point(toc, session, 0x54, 0xB0);
	put_point_time(entry + 4, next->start);
	entry[7] = session == 1 ? 2 : 1;
	put_point_time(entry + 8, disc->capacity);
	if (session > 1)
		return;
	entry = put_point(toc, session, 0x54, 0xC0);
	entry[4] = 0x90;
	memcpy(entry + 8, info_atip_lead_in + 1, 3);
}

static bool toc_full(const struct drive *drive, struct toc *toc)
{
	const struct medium_state *disc = drive->medium.state;
	uint32_t sessions = info_complete_sessions(disc);

	if (!info_on_cd(drive) || sessions == 0 || toc->wanted > sessions)
		return false;
	for (uint32_t session = toc->wanted ? toc->wanted : 1; session <= sessions; session++) {
		put_program(toc, disc, session);
		put_next_program(toc, disc, session);
	}
	toc->data[2] = 1;
	toc->data[3] = (uint8_t)sessions;
	return true;
}

/* --- formats 3 and 4: what recordable CDs have ---------------------------------- */

static bool is_recordable_cd(const struct drive *drive)
{
	return info_on_cd(drive) && !drive->medium.kind->closed;
}

/* The PMA has closed tracks whose session has no TOC yet, and all others, too. */
static bool toc_pma(const struct drive *drive, struct toc *toc)
{
	const struct medium_state *disc = drive->medium.state;

	if (!is_recordable_cd(drive))
		return false;
	for (uint32_t i = 0; i < disc->tracks; i++) {
		const struct track *track = &disc->track[i];
		uint8_t *entry;

		if (track->state != TRACK_CLOSED && track->state != TRACK_RESERVED)
			continue;
		entry = put_point(toc, 0, (uint8_t)(0x10 | (track->mode & 0xF)), (uint8_t)track->number);
		put_point_time(entry + 4, (int64_t)track->start + track->size);
		put_point_time(entry + 8, track->start);
	}
	return true;
}

/* The wobble of the blank groove. CD-RW: ultra speed, 4x to 24x. */
static bool toc_atip(const struct drive *drive, struct toc *toc)
{
	bool erasable = info_is_erasable(drive);
	uint8_t *atip = toc->data + 4;

	if (!is_recordable_cd(drive))
		return false;
	atip[0] = erasable ? 0xC1 : 0xD0; /* writing power; reference speed of CD-RW */
	atip[1] = 0x40;			  /* no restrictions on use */
	atip[2] = erasable ? 0x80 | 0x40 | 2 << 3 | 4 | 2 : 0x80;
	memcpy(atip + 4, info_atip_lead_in + 1, 3);
	put_point_time(atip + 8, drive->medium.state->capacity);
	if (erasable) /* at two speeds: A1 and A2 */
		memcpy(atip + 12, (const uint8_t[]){ 0x28, 0x26, 0xB0, 0, 0x28, 0x26, 0xB0 }, 7);
	toc->length += 24;
	return true;
}

/* --- the command --------------------------------------------------------------- */

static bool (*const formats[16])(const struct drive *drive, struct toc *toc) = {
	toc_tracks, toc_sessions, toc_full, toc_pma, toc_atip, /* CD-TEXT isn't read */
};

int info_read_toc(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	uint8_t data[4 + 11 * 5 * (TOC_TRACKS + 1)] = { 0 };
	struct toc toc = { data, 4, cdb[6], cdb[1] & 2 };
	unsigned format = cdb[2] & 0xF;

	if (format == 0) /* where the format was before MMC-2 */
		format = cdb[9] >> 6;
	if (!formats[format] || !formats[format](drive, &toc))
		return mmc_fail(command, SENSE_BAD_FIELD);
	mmc_put16(data, (uint32_t)toc.length - 2);
	return mmc_reply(command, data, toc.length, mmc_be16(cdb + 7));
}

/* --- READ SUB-CHANNEL, READ HEADER ---------------------------------------------- */

static size_t subchannel_length(uint8_t format)
{
	switch (format) {
	case 0x01: /* position */
		return 16;
	case 0x02: /* catalogue number: there's none */
	case 0x03: /* ISRC: neither */
		return 24;
	default:
		return 0;
	}
}

int info_read_subchannel(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	uint8_t data[24] = { [1] = 0x15 }; /* nothing is played */
	size_t length = cdb[2] & 0x40 ? subchannel_length(cdb[3]) : 4;

	if (length == 0 || info_complete_sessions(drive->medium.state) == 0)
		return mmc_fail(command, SENSE_BAD_FIELD);
	mmc_put16(data + 2, (uint32_t)length - 4);
	data[4] = cdb[3];
	if (length == 16) {
		data[5] = 0x14;
		data[6] = data[7] = 1;
		info_put_address(data + 8, 0, cdb[1] & 2);
		info_put_address(data + 12, 0, false);
	}
	return mmc_reply(command, data, length, mmc_be16(cdb + 7));
}

int info_read_header(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	uint32_t lba = mmc_be32(cdb + 2);
	const struct medium_state *disc = drive->medium.state;
	const struct track *track = medium_track_at(&drive->medium, lba);
	uint8_t data[8] = { track && track->xa ? 2 : 1 };

	if (!info_on_cd(drive))
		return mmc_fail(command, SENSE(5, 0x30, 0x02)); /* cannot read medium: incompatible format */
	if (lba >= info_leadout(disc, info_complete_sessions(disc)))
		return mmc_fail(command, SENSE(5, 0x21, 0x00));
	info_put_address(data + 4, lba, cdb[1] & 2);
	return mmc_reply(command, data, sizeof(data), mmc_be16(cdb + 7));
}
