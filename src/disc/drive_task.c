/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/drive_task.h"

#include <libburn/libburn.h>

#include <errno.h>
#include <time.h>

#define POLL_MS 200

struct work {
	struct drive *drive;
	const struct verb_task *task;
	drive_progress_fn *progress;
	void *self;
	struct reason *why;
};

/* Until libburn's own thread is through. */
static int wait_for_end(const struct work *work, const char *what)
{
	const struct timespec pause = { 0, POLL_MS * 1000000l };
	struct burn_progress at = { 0 };

	do {
		nanosleep(&pause, NULL);
		work->progress(work->self, at.sector > 0 ? (uint64_t)at.sector : 0,
			       at.sectors > 0 ? (uint64_t)at.sectors : 0);
	} while (burn_drive_get_status(work->drive->drive, &at) != BURN_DRIVE_IDLE);
	if (!burn_drive_wrote_well(work->drive->drive))
		return drive_failed(EIO, what, work->why);
	return drive_reassess(work->drive, work->why);
}

static int inquire(const struct work *work)
{
	return 0;
}

static int close_damaged(const struct work *work)
{
	struct burn_drive *drive = work->drive->drive;
	struct burn_write_opts *opts = burn_write_opts_new(drive);
	int lba, nwa, closed;

	if (!opts)
		return reason_set(work->why, ENOMEM, "out of memory");
	burn_write_opts_set_multi(opts, 1);
	burn_write_opts_set_write_type(opts, BURN_WRITE_TAO, BURN_BLOCK_MODE1);
	burn_disc_track_lba_nwa(drive, opts, 0, &lba, &nwa); /* where libburn learns that there's damage */
	closed = burn_disc_close_damaged(opts, 1);
	burn_write_opts_free(opts);
	if (closed <= 0)
		return drive_failed(EIO, "the track that a broken burn left open can't be closed", work->why);
	return drive_reassess(work->drive, work->why);
}

static int eject(const struct work *work)
{
	drive_release_eject(work->drive);
	return drive_grab(work->drive, work->drive->path, work->why);
}

/* By drive_op. */
static int (*const table[])(const struct work *work) = {
	[DRIVE_INQUIRE] = inquire,
	[DRIVE_CLOSE_DAMAGED] = close_damaged,
	[DRIVE_EJECT] = eject,
};

int drive_do(struct drive *drive, const struct verb_task *task, drive_progress_fn *progress, void *self,
	     struct reason *why)
{
	struct work work = { drive, task, progress, self, why };

	(void)wait_for_end;
	return table[task->op](&work);
}
