/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/drive_task.h"

#include "base/bytes.h"
#include "base/sg.h"

#include <libburn/libburn.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define POLL_MS 200

/* burn_disc_format()'s flags. */
#define FORMAT_ZEROES	  1	   /* and a border, so that what was formatted quickly can be read */
#define FORMAT_LARGEST	  (2 << 1) /* size modes: with DVD-RW, a full format */
#define FORMAT_USUAL	  (3 << 1)
#define FORMAT_ANEW	  (1 << 4)
#define FORMAT_NO_SPARE	  (1 << 5)
#define FORMAT_NO_CERTIFY (1 << 6)

#define FORMAT_BD_NO_SPARE 0x31 /* MMC-5 6.5.4.2.16 */

/* xorriso and cdrskin write as many zeroes: the least that all readers take for a disc. */
#define QUICK_BYTES (128ll << 20)

#define BLOCK		 32u /* sectors: an ECC block of all media, 64 KiB on BD */
#define FILL_SECTORS	 512u
#define ANCHOR		 256u /* ECMA-167 3/8.4.2.1: 256, N - 256 and N */
#define AVDP_TAG	 2u   /* ECMA-167 3/7.2.1 */
#define PROFILE_CD_RW	 0x0a
#define PROFILE_DVD_RAM	 0x12
#define PROFILE_DVD_RW_O 0x13
#define PROFILE_DVD_RW_S 0x14
#define PROFILE_DVDP_RW	 0x1a
#define PROFILE_BD_R	 0x41
#define PROFILE_BD_RE	 0x43

struct work {
	struct drive *drive;
	const struct verb_task *task;
	int profile;
	char medium[80]; /* its name */
	drive_progress_fn *progress;
	void *self;
	struct reason *why;
};

static const uint8_t zeroes[FILL_SECTORS * SECTOR];

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

static int refused(const struct work *work, const char *what)
{
	return reason_set(work->why, EMEDIUMTYPE, "%s: %s", work->medium, what);
}

/* --- overwriteable media ---------------------------------------------------- */

/* 1 formatted, 0 not, or -errno. */
static int is_formatted(const struct work *work, uint64_t *ret_sectors)
{
	int status = 0, formats = 0;
	unsigned bl_sas = 0;
	off_t size = 0;

	if (burn_disc_get_formats(work->drive->drive, &status, &size, &bl_sas, &formats) <= 0)
		return drive_failed(EIO, "the drive doesn't tell how the disc is formatted", work->why);
	*ret_sectors = size > 0 ? (uint64_t)size / SECTOR : 0;
	return status == BURN_FORMAT_IS_FORMATTED;
}

static int write_zeroes(const struct work *work, uint64_t lba, uint32_t count, bool flush)
{
	/* It isn't written to, though libburn's parameter isn't const. */
	if (burn_random_access_write(work->drive->drive, (off_t)(lba * SECTOR), (char *)(uintptr_t)zeroes,
				     (off_t)count * SECTOR, flush) <= 0)
		return drive_failed(EIO, "the disc can't be overwritten", work->why);
	return 0;
}

/* An anchor at lba is overwritten with the ECC block around it; anything else there is data, of which nobody
 * finds the begin once the head is gone. What can't be read holds no anchor. */
static int clear_anchor(const struct work *work, uint64_t lba, uint64_t sectors)
{
	uint8_t block[SECTOR];
	struct reason ignored = { 0 };
	uint64_t start = lba - lba % BLOCK;

	if (start < BLOCK || lba >= sectors)
		return 0;
	if (drive_read(work->drive, lba, 1, block, &ignored) < 0) {
		drive_forget_messages();
		return 0;
	}
	if (block[0] != AVDP_TAG || block[1])
		return 0;
	return write_zeroes(work, start, (uint32_t)min_u64(BLOCK, sectors - start), false);
}

/* The anchors first: as long as the head is there, the disc is what it was. */
static int clear_head(const struct work *work)
{
	uint64_t sectors = 0;
	int readable = 0, got = is_formatted(work, &sectors);

	if (burn_get_read_capacity(work->drive->drive, &readable, 0) > 0 && readable > 0)
		sectors = (uint64_t)readable;
	if (got >= 0)
		got = clear_anchor(work, ANCHOR, sectors);
	if (got == 0 && sectors > 2 * ANCHOR)
		got = clear_anchor(work, sectors - 1 - ANCHOR, sectors);
	if (got == 0 && sectors > 2 * ANCHOR)
		got = clear_anchor(work, sectors - 1, sectors);
	if (got == 0)
		got = write_zeroes(work, 0, BLOCK, true);
	return got < 0 ? got : drive_reassess(work->drive, work->why);
}

static int clear_all(const struct work *work)
{
	uint64_t sectors = 0;
	int got = is_formatted(work, &sectors);

	for (uint64_t lba = 0; got >= 0 && lba < sectors; lba += FILL_SECTORS) {
		uint32_t count = (uint32_t)min_u64(FILL_SECTORS, sectors - lba);

		work->progress(work->self, lba, sectors);
		got = write_zeroes(work, lba, count, lba + count == sectors);
	}
	return got < 0 ? got : drive_reassess(work->drive, work->why);
}

static int start_format(const struct work *work, off_t size, int flags)
{
	uint64_t sectors;
	int got;

	drive_forget_messages();
	burn_disc_format(work->drive->drive, size, flags);
	got = wait_for_end(work, "the disc can't be formatted");
	if (got == 0)
		got = is_formatted(work, &sectors);
	if (got == 0 && work->profile != PROFILE_DVD_RW_S && work->profile != PROFILE_DVD_RW_O)
		return reason_set(work->why, EIO,
				  "the drive said that it formatted the disc, and the disc isn't formatted");
	return got < 0 ? got : 0; /* DVD-RW may stay in an intermediate state, which can be written */
}

static int certify_flag(const struct work *work)
{
	return work->task->full ? 0 : FORMAT_NO_CERTIFY;
}

static bool format_is_offered(const struct work *work, int wanted)
{
	int status = 0, formats = 0, type = -1;
	unsigned bl_sas = 0, tdp = 0;
	off_t size = 0;

	if (burn_disc_get_formats(work->drive->drive, &status, &size, &bl_sas, &formats) <= 0)
		return false;
	for (int i = 0; i < formats; i++)
		if (burn_disc_get_format_descr(work->drive->drive, i, &type, &size, &tdp) > 0 &&
		    type == wanted)
			return true;
	return false;
}

/* DVD-RAM and BD-RE: what is asked for about the spare area, else what the drive does by itself. */
static int format_defect_managed(const struct work *work)
{
	int got, spare = work->task->spare == SPARE_UNWANTED ? FORMAT_NO_SPARE : FORMAT_USUAL;

	if (spare == FORMAT_NO_SPARE && work->profile == PROFILE_BD_RE &&
	    !format_is_offered(work, FORMAT_BD_NO_SPARE))
		return refused(work, "this drive doesn't format it without a spare area");
	got = start_format(work, 0, spare | certify_flag(work));
	return got < 0 ? got : clear_head(work);
}

/* The drive goes on in the background by itself, and the disc can be written meanwhile. */
static int format_dvd_plus_rw(const struct work *work)
{
	uint64_t sectors;
	int got = is_formatted(work, &sectors);

	if (got == 0 || (got > 0 && work->task->full))
		got = start_format(work, 0, FORMAT_LARGEST | FORMAT_ANEW);
	return got < 0 ? got : clear_head(work);
}

static int format_dvd_rw(const struct work *work)
{
	if (work->task->full)
		return start_format(work, 0, FORMAT_LARGEST | FORMAT_ANEW);
	return start_format(work, QUICK_BYTES, FORMAT_ZEROES | FORMAT_ANEW);
}

/* Before anything was written to it, and only once (MMC-5 6.5.4.2.17). */
static int format_bd_r(const struct work *work)
{
	uint64_t sectors;
	int formatted;

	if (burn_disc_get_status(work->drive->drive) != BURN_DISC_BLANK)
		return refused(work, "it can be formatted before the first session only");
	formatted = is_formatted(work, &sectors);
	if (formatted)
		return formatted < 0 ? formatted : refused(work, "it is formatted, and can't be again");
	/* Without a spare area is how it is when it was never formatted. */
	return work->task->spare == SPARE_UNWANTED ? 0 : start_format(work, 0, FORMAT_USUAL);
}

/* Overwriteable media must be formatted before anything can be written. */
static int blank_overwriteable(const struct work *work)
{
	uint64_t sectors;
	int got = is_formatted(work, &sectors);

	if (got == 0)
		got =
		    work->profile == PROFILE_DVDP_RW ? format_dvd_plus_rw(work) : format_defect_managed(work);
	if (got < 0)
		return got;
	return work->task->full ? clear_all(work) : clear_head(work);
}

/* --- media that are erased -------------------------------------------------- */

static int erase(const struct work *work, bool fast)
{
	int got;

	/* One whose TOC can't be read is what is blanked most. */
	if (burn_disc_get_status(work->drive->drive) == BURN_DISC_UNSUITABLE)
		burn_disc_pretend_full(work->drive->drive);
	drive_forget_messages();
	burn_disc_erase(work->drive->drive, fast);
	got = wait_for_end(work, "the disc can't be blanked");
	if (got == 0 && burn_disc_get_status(work->drive->drive) != BURN_DISC_BLANK)
		return reason_set(work->why, EIO,
				  "the drive said that it blanked the disc, and the disc isn't blank");
	return got;
}

static int blank_cd_rw(const struct work *work)
{
	return erase(work, !work->task->full);
}

static int blank_dvd_rw(const struct work *work)
{
	if (work->task->full)
		return erase(work, false);
	return work->profile == PROFILE_DVD_RW_S ? format_dvd_rw(work) : clear_head(work);
}

/* --- what can be done to which medium --------------------------------------- */

static const struct treatment {
	int profile;
	int (*blank)(const struct work *work);	/* NULL: it can't be */
	int (*format)(const struct work *work); /* NULL: it can't be */
	bool spare;				/* may have a spare area, or not */
	const char *unformattable;
} treatments[] = {
	{ PROFILE_CD_RW, blank_cd_rw, NULL, false, "it is blanked, not formatted" },
	{ PROFILE_DVD_RW_S, blank_dvd_rw, format_dvd_rw, false, NULL },
	{ PROFILE_DVD_RW_O, blank_dvd_rw, format_dvd_rw, false, NULL },
	{ PROFILE_DVDP_RW, blank_overwriteable, format_dvd_plus_rw, false, NULL },
	{ PROFILE_DVD_RAM, blank_overwriteable, format_defect_managed, true, NULL },
	{ PROFILE_BD_RE, blank_overwriteable, format_defect_managed, true, NULL },
	{ PROFILE_BD_R, NULL, format_bd_r, true, NULL },
	{ 0, NULL, NULL, false, "it can be written once only, or not at all" },
};

static const struct treatment *treatment_of(int profile)
{
	const struct treatment *at = treatments;

	while (at->profile && at->profile != profile)
		at++;
	return at;
}

static int blank(const struct work *work)
{
	const struct treatment *treatment = treatment_of(work->profile);

	return treatment->blank ? treatment->blank(work)
				: refused(work, "what is recorded on it can't be erased");
}

static int format(const struct work *work)
{
	const struct treatment *treatment = treatment_of(work->profile);

	if (!treatment->format)
		return refused(work, treatment->unformattable);
	if (work->task->spare != SPARE_USUAL && !treatment->spare)
		return refused(work, "it has no spare area to be chosen");
	return treatment->format(work);
}

static int inquire(const struct work *work)
{
	return 0;
}

/* libburn closes the last track at most, and of a CD none: each that was begun in the open session is ended
 * here. What has nothing to be ended refuses, and that's all right. False: there's no open session. */
static bool close_tracks(const struct work *work)
{
	AUTO_CLOSE int fd = open(work->drive->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct sg_disc_info info;

	if (fd < 0 || sg_disc_information(fd, &info) < 0 || info.last_session_state != SG_SESSION_INCOMPLETE)
		return false;
	for (unsigned number = info.first_track; number <= info.last_track; number++)
		(void)sg_close_track(fd, number);
	return true;
}

static int close_session(const struct work *work)
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

static int close_damaged(const struct work *work)
{
	struct reason first = { 0 };
	struct work attempt = *work;
	int got;

	attempt.why = &first;
	got = close_session(&attempt);
	if (!close_tracks(work))
		return got < 0 ? reason_set(work->why, first.err, "%s", first.text) : got;
	return close_session(work);
}

/* --- the tray --------------------------------------------------------------- */

static int eject(const struct work *work)
{
	struct burn_drive *drive = work->drive->drive;

	drive_forget_messages();
	burn_drive_release(drive, 1);
	if (burn_drive_grab(drive, 0) <= 0)
		return drive_failed(EIO, "the drive is lost after ejecting", work->why);
	if (burn_disc_get_status(drive) != BURN_DISC_EMPTY)
		return drive_failed(EIO, "the drive doesn't let the disc out", work->why);
	return 0;
}

static int load(const struct work *work)
{
	struct burn_drive *drive = work->drive->drive;

	if (burn_disc_get_status(drive) != BURN_DISC_EMPTY)
		return 0;
	drive_forget_messages();
	burn_drive_release(drive, 0);
	if (burn_drive_grab(drive, 1) <= 0)
		return drive_failed(EIO, "the drive doesn't take its tray in: push it in by hand", work->why);
	return drive_reassess(work->drive, work->why);
}

/* By drive_op. */
static const struct {
	int (*run)(const struct work *work);
	bool needs_disc;
} table[] = {
	[DRIVE_INQUIRE] = { inquire, false }, [DRIVE_CLOSE_DAMAGED] = { close_damaged, true },
	[DRIVE_FORMAT] = { format, true },    [DRIVE_BLANK_DISC] = { blank, true },
	[DRIVE_EJECT] = { eject, false },     [DRIVE_LOAD] = { load, false },
};

int drive_do(struct drive *drive, const struct verb_task *task, drive_progress_fn *progress, void *self,
	     struct reason *why)
{
	struct work work = { .drive = drive, .task = task, .progress = progress, .self = self, .why = why };

	if (table[task->op].needs_disc && burn_disc_get_status(drive->drive) == BURN_DISC_EMPTY)
		return reason_set(why, ENOMEDIUM, "there is no disc in %s", drive->path);
	if (burn_disc_get_profile(drive->drive, &work.profile, work.medium) <= 0)
		work.profile = 0;
	if (!work.medium[0])
		snprintf(work.medium, sizeof work.medium, "a disc of profile %02Xh", (unsigned)work.profile);
	return table[task->op].run(&work);
}
