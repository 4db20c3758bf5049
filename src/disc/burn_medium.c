/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Burning to a disc in a drive. */
#include "disc/burning.h"

#include "disc/drive_task.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The blocks that tell this disc from another: of a base session its begin, else the head. */
static uint64_t identity_at(const struct verb_job *job)
{
	return job->sequential ? job->session : 0;
}

/* Between planning and now nobody held the drive. */
static int check_identity(struct burning *burning)
{
	const struct verb_job *job = burning->request->job;
	AUTO_FREE uint8_t *now = malloc(HEAD_BYTES);
	struct reason ignored = { 0 };

	if (!job->has_base)
		return 0; /* nothing to be known by, and nothing to be lost */
	if (!now)
		return reason_set(burning->why, ENOMEM, "out of memory");
	if (drive_read(&burning->drive, identity_at(job), HEAD_SECTORS, now, &ignored) == 0 &&
	    memcmp(now, iso_session_identity(burning->request->session), HEAD_BYTES) == 0)
		return 0;
	return reason_set(
	    burning->why, ESTALE,
	    "the disc in %s isn't the one that the session was made for: nothing was burned; put "
	    "the right disc back and commit again",
	    job->path);
}

static int check_place(struct burning *burning)
{
	const struct burn_request *request = burning->request;
	CLEANUP(drive_report_clear) struct drive_report report = { 0 };
	const struct verb_drive *now = &report.drive;
	int got = drive_describe(&burning->drive, &report, burning->why);

	if (got < 0)
		return got;
	if (now->status == DRIVE_EMPTY)
		return reason_set(burning->why, ENOMEDIUM, "the disc was taken out of %s",
				  request->job->path);
	if (now->overwriteable == request->job->sequential)
		return reason_set(burning->why, ESTALE, "the disc in %s is of another kind than before",
				  request->job->path);
	if (request->job->sequential && (now->nwa != request->start || now->damaged))
		return reason_set(burning->why, ESTALE,
				  "a session on the disc in %s would begin at sector %" PRIu64
				  " now, not at %" PRIu64,
				  request->job->path, now->nwa, request->start);
	return 0;
}

static int open_medium(struct burning *burning)
{
	int got = drive_grab(&burning->drive, burning->request->job->path, burning->why);

	if (got == 0)
		got = check_identity(burning);
	return got < 0 ? got : check_place(burning);
}

/* Track at once, where further sessions are to follow: what libburn would choose for a first session fixes
 * its size beforehand (session at once on CD, RESERVE TRACK on DVD+R and BD-R), and when that one breaks off,
 * the disc can hardly be closed any more. */
static void choose_write_type(struct burning *burning)
{
	struct burn_multi_caps *caps = NULL;

	if (burn_disc_get_multi_caps(burning->drive.drive, BURN_WRITE_TAO, &caps, 0) <= 0)
		return;
	burning->typed = caps->multi_session && caps->might_do_tao &&
			 burn_write_opts_set_write_type(burning->opts, BURN_WRITE_TAO, BURN_BLOCK_MODE1) > 0;
	burn_disc_free_multi_caps(&caps);
}

static int set_options(struct burning *burning)
{
	const struct verb_job *job = burning->request->job;

	burn_write_opts_set_multi(burning->opts, job->sequential && !job->finalize);
	if (job->sequential)
		choose_write_type(burning);
	else
		burn_write_opts_set_start_byte(burning->opts, (off_t)(burning->request->start * SECTOR));
	burn_write_opts_set_simulate(burning->opts, job->simulate);
	burn_write_opts_set_stream_recording(burning->opts, job->stream);
	/* 0 is the fastest. Speeds of libburn are in 1000 bytes a second. */
	burn_drive_set_speed(burning->drive.drive, 0, (int)job->speed_kbps);
	return 0;
}

static int no_progress(void *self, uint64_t done, uint64_t total)
{
	return 0;
}

static bool is_closed(const struct burning *burning, const struct drive_report *report)
{
	for (size_t i = 0; i < report->tracks.count; i++)
		if (report->tracks.items[i].start == burning->request->start)
			return true;
	return false;
}

static int unfinished(const struct burning *burning)
{
	const char *said = burning->unwell.text;

	return reason_set(burning->why, EIO,
			  "everything was sent to the drive, but the session can't be finished%s", said);
}

/* A session counts when the disc lists it: closing may have failed after all went out. Then once more.
 * Whether what went out arrived is seen when it's verified. */
static int finish(struct burning *burning)
{
	const struct verb_task close = { .op = DRIVE_CLOSE_DAMAGED };
	CLEANUP(drive_report_clear) struct drive_report report = { 0 };
	struct reason ignored = { 0 };
	int got;

	if (!burning->request->job->sequential || burning->request->job->simulate)
		return burning->unwell.err ? unfinished(burning) : 0;
	got = drive_reassess(&burning->drive, burning->why);
	if (got == 0)
		got = drive_describe(&burning->drive, &report, burning->why);
	if (got < 0 || is_closed(burning, &report))
		return got;
	(void)drive_do(&burning->drive, &close, no_progress, NULL, &ignored);
	drive_report_clear(&report);
	report = (struct drive_report){ 0 };
	got = drive_describe(&burning->drive, &report, burning->why);
	if (got < 0 || is_closed(burning, &report))
		return got;
	return unfinished(burning);
}

/* What was cancelled is closed at once: nobody has to find an open track. After any other failure that's left
 * to the next commit, when the drive may have recovered. */
static void spoil(struct burning *burning)
{
	const struct verb_task close = { .op = DRIVE_CLOSE_DAMAGED };
	CLEANUP(drive_report_clear) struct drive_report report = { 0 };
	struct reason ignored = { 0 };

	if (burning->why->err != ECANCELED || !burning->request->job->sequential || !burning->feed.sent)
		return;
	if (drive_reassess(&burning->drive, &ignored) == 0 &&
	    drive_describe(&burning->drive, &report, &ignored) == 0 && report.drive.damaged)
		(void)drive_do(&burning->drive, &close, no_progress, NULL, &ignored);
}

const struct burn_way burn_medium = { open_medium, set_options, finish, spoil, false, true };
