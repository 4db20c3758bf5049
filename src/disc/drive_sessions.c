/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/drive_sessions.h"

#include "disc/bridge_base.h"
#include "disc/udf_record.h"
#include "disc/udf_session.h"
#include "disc/session_tags.h"
#include "model/medium.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_START 32u /* of sessions on overwriteable media: the head comes before */

struct look {
	const struct source *source;
	const struct verb_job *job;
	const struct drive_report *facts;
	struct disc_report *report;
	struct reason *why;
	bool foreign; /* something is recorded that isn't ISO 9660, nor the remains of a killed burn */
};

static bool is_known_bad(const struct verb_job *job, uint64_t start)
{
	for (uint32_t i = 0; i < job->bad_count; i++)
		if (job->bad[i] == start)
			return true;
	return false;
}

/* The size counts from the session's start (libisofs, genisoimage) or from sector 0 (ours, and what Linux
 * expects). */
static bool ends_within(const struct volume *volume, const struct verb_track *track)
{
	uint64_t limit = track->start + track->sectors + PAD_SLACK;

	return volume->size > 0 && volume->root < limit &&
	       (volume->start + volume->size <= limit ||
		(volume->size > volume->start && volume->size <= limit));
}

/* Other programs keep our name when they append (xorriso does), but not our way: without checksums there's no
 * tag at the end either. Ours has one behind its descriptors. */
static bool has_sums(const struct look *look, const struct volume *volume)
{
	struct reason ignored = { 0 };
	uint8_t block[SECTOR];

	for (uint64_t lba = volume->start + 17; lba < volume->start + HEAD_SECTORS; lba++)
		if (source_read(look->source, lba, 1, block, &ignored) < 0 ||
		    session_tags_is_superblock(block))
			return true;
	return false;
}

/* Sessions of our own end with libisofs' checksum tag (its doc/checksums.txt), behind which there's padding
 * only; those with UDF with an anchor. One that broke off lacks it, whatever a drive filled its track with
 * when it closed it. Where that can't be read, nothing is known against the session. */
static bool is_whole(const struct look *look, const struct volume *volume, const struct verb_track *track)
{
	uint64_t end = volume->size > volume->start ? volume->size : volume->start + volume->size;
	struct reason ignored = { 0 };
	uint8_t block[SECTOR];
	bool bridge = volume->ours && volume_inner(look->source, volume->start) != volume->start;
	char tag[48];

	if (!volume->ours || (!bridge && !has_sums(look, volume)))
		return true;
	if (end > track->start + track->sectors)
		return bridge; /* its size counts the padding, which a copy may have lost: see ends_within */
	if (source_read(look->source, end - 1, 1, block, &ignored) < 0)
		return true;
	if (bridge)
		return udf_record_is_anchor(block, (uint32_t)end - 1);
	snprintf(tag, sizeof tag, "libisofs_checksum_tag_v1 pos=%" PRIu64 " ", end - 1);
	return memcmp(block, tag, strlen(tag)) == 0;
}

/* Its descriptor can't be read. Where its copy behind the front can, that tells. Else it may be good or not,
 * and keeps its number. When it's the one that counts, that fails later. */
static int take_unreadable(struct look *look, const struct verb_track *track)
{
	uint64_t inner = volume_inner(look->source, track->start);
	struct reason ignored = { 0 };
	struct volume volume;

	if (inner == track->start || volume_read(look->source, inner, &volume, &ignored) <= 0)
		volume = (struct volume){ 0 };
	else if (!ends_within(&volume, track) || !is_whole(look, &volume, track))
		return 0;
	volume.start = look->report->disc.base = track->start;
	return disc_report_add(look->report, look->source, &volume, track->sectors, look->why);
}

/* A burn that was killed before the descriptors leaves zeroes. */
static int look_for_foreign(struct look *look, const struct verb_track *track)
{
	static const uint8_t none[SECTOR];
	uint8_t block[SECTOR];

	if (track->sectors <= 16)
		return 0;
	if (source_read(look->source, track->start + 16, 1, block, look->why) < 0)
		return -look->why->err;
	if (memcmp(block, none, SECTOR) != 0)
		look->foreign = true;
	return 0;
}

/* No ISO 9660: then UDF, or something else. */
static int take_other(struct look *look, const struct verb_track *track)
{
	struct volume volume;
	int got =
	    udf_session_read(look->source, track->start, track->start + track->sectors, &volume, look->why);

	if (got <= 0)
		return got < 0 ? got : look_for_foreign(look, track);
	look->report->disc.base = track->start;
	return disc_report_add(look->report, look->source, &volume, track->sectors, look->why);
}

static int take_track(struct look *look, const struct verb_track *track)
{
	struct reason failed = { 0 };
	struct volume volume;
	int got;

	if (is_known_bad(look->job, track->start))
		return 0;
	got = volume_read(look->source, track->start, &volume, &failed);
	if (got == -EIO)
		return take_unreadable(look, track);
	if (got < 0)
		return reason_set(look->why, -got, "%s", failed.text);
	if (got == 0)
		return take_other(look, track);
	if (!ends_within(&volume, track) || !is_whole(look, &volume, track))
		return 0;
	look->report->disc.base = volume.start;
	return disc_report_add(look->report, look->source, &volume, track->sectors, look->why);
}

static int take_sessions(struct look *look)
{
	const struct drive_report *facts = look->facts;
	uint32_t session = 0;
	int got = 0;

	for (size_t i = 0; got >= 0 && i < facts->tracks.count; i++) {
		const struct verb_track *track = &facts->tracks.items[i];

		look->report->disc.recorded = track->start + track->sectors;
		look->foreign |= !track->data;
		if (track->session == session || !track->data) /* the first data track of a session */
			continue;
		session = track->session;
		got = take_track(look, track);
	}
	return got;
}

static const char *why_closed(const struct verb_drive *drive)
{
	const char *title = medium_kind_of(drive->profile)->title;

	if (strstr(title, "ROM"))
		return "not appendable: it is a pressed or closed disc";
	return "not appendable: the disc is closed";
}

/* A session that is looked at isn't the disc as it was when that session was the newest: what was staged then
 * is another state's. */
static int fingerprint_base(const struct look *look, bool wanted, struct reason *why)
{
	struct verb_disc *disc = &look->report->disc;
	AUTO_FREE uint8_t *blocks = calloc(1, HEAD_BYTES);
	uint64_t start = disc->base;
	int got;

	if (!blocks)
		return reason_set(why, ENOMEM, "out of memory");
	got = source_read(look->source, start, HEAD_SECTORS, blocks, why);
	if (got == -EIO && volume_inner(look->source, start) != start) {
		got = bridge_read_start(look->source, start, blocks, why);
		disc->base = volume_inner(look->source, start); /* all else is read there */
	}
	if (got == 0)
		got = sessions_fingerprint(blocks, wanted ? start + 1 : 0, blocks, disc->fingerprint);
	return got;
}

static int fingerprint_blank(const struct look *look)
{
	const struct verb_drive *drive = &look->facts->drive;
	AUTO_FREE uint8_t *blocks = calloc(1, HEAD_BYTES);

	if (!blocks)
		return reason_set(look->why, ENOMEM, "out of memory");
	snprintf((char *)blocks, HEAD_BYTES, "blank\n%s\n%s\n%s\n%s\n%s\n%s",
		 medium_kind_of(drive->profile)->name, drive->vendor, drive->product, drive->revision,
		 drive->serial, look->job->path);
	return sessions_fingerprint(blocks, 0, NULL, look->report->disc.fingerprint);
}

static int probe_sequential(struct look *look)
{
	const struct verb_drive *drive = &look->facts->drive;
	struct verb_disc *disc = &look->report->disc;
	struct reason failed = { 0 };
	int got;

	disc->nwa = drive->nwa;
	if (drive->status == DRIVE_BLANK) {
		disc->state = DISC_BLANK;
		return fingerprint_blank(look);
	}
	disc->state = drive->status == DRIVE_APPENDABLE ? DISC_APPENDABLE : DISC_CLOSED;
	if (disc->state == DISC_CLOSED)
		snprintf(disc->closed_why, sizeof disc->closed_why, "%s", why_closed(drive));
	got = take_sessions(look);
	if (got < 0)
		return got;
	disc->sessions = (uint32_t)look->report->sessions.count;
	disc->nwa = max_u64(disc->nwa, disc->recorded);
	if (disc->sessions == 0 && disc->state == DISC_APPENDABLE && !look->foreign) {
		disc->state = DISC_BLANK; /* but for sessions that were never finished */
		return fingerprint_blank(look);
	}
	if (disc->sessions == 0)
		return reason_set(look->why, EMEDIUMTYPE,
				  "the disc has %zu tracks but none with an ISO 9660 or UDF file system",
				  look->facts->tracks.count);
	disc_report_print(look->report, look->source);
	got = disc_report_choose(look->report, look->source, look->job->wanted, look->why);
	if (got == 0)
		got = fingerprint_base(look, look->job->wanted != 0, &failed);
	if (got == -EIO)
		return reason_set(
		    look->why, EIO,
		    "session %zu, at sector %" PRIu64
		    ", can't be read (a scratch, dirt?), so nobody can tell what belongs to the "
		    "disc: clean it and try again, or mount an older session with -o session=N",
		    look->job->wanted ? look->job->wanted : look->report->sessions.count, disc->base);
	return got < 0 ? reason_set(look->why, -got, "%s", failed.text) : 0;
}

static int probe_overwriteable(const struct look *look)
{
	const struct verb_drive *drive = &look->facts->drive;
	struct verb_disc *disc = &look->report->disc;
	struct source source = *look->source;
	int got = 0;

	source.sectors = drive->capacity;
	if (drive->formatted)
		got = sessions_probe(&source, look->job, look->report, look->why);
	if (got < 0)
		return got;
	if (!drive->formatted) {
		disc->state = DISC_BLANK;
		disc->nwa = FIRST_START;
	}
	return disc->state == DISC_BLANK ? fingerprint_blank(look) : 0;
}

int drive_sessions_probe(const struct source *source, const struct verb_job *job,
			 const struct drive_report *facts, struct disc_report *ret, struct reason *why)
{
	const struct verb_drive *drive = &facts->drive;
	struct look look = { source, job, facts, ret, why, false };
	int got;

	if (drive->status == DRIVE_EMPTY)
		return reason_set(why, ENOMEDIUM, "there is no disc in the drive");
	if (drive->status == DRIVE_UNUSABLE)
		return reason_set(why, EMEDIUMTYPE, "the drive can't tell what kind of disc it holds");
	got = drive->overwriteable ? probe_overwriteable(&look) : probe_sequential(&look);
	snprintf(ret->disc.profile, sizeof ret->disc.profile, "%s", medium_kind_of(drive->profile)->name);
	ret->disc.capacity = drive->capacity;
	return got;
}
