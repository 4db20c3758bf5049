/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/burn.h"

#include "base/fault.h"
#include "disc/burn_feed.h"
#include "disc/head.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS	     50
#define PROGRESS_MS  200
#define START_MS     20000 /* libburn says "idle" until its thread has begun */
#define SYNC_SECTORS 16384 /* 32 MiB between syncs: a full host file system shows early */

struct burning {
	const struct burn_request *request;
	struct burn_feed feed;
	struct burn_drive_info *infos;
	struct burn_drive *drive;
	struct burn_disc *disc;
	struct burn_session *session;
	struct burn_track *track;
	struct burn_source *source;
	struct burn_write_opts *opts;
	int image; /* own descriptor, for truncating and syncing */
	struct reason *why;
};

static void burning_clear(struct burning *burning)
{
	if (burning->opts)
		burn_write_opts_free(burning->opts);
	if (burning->track)
		burn_track_free(burning->track);
	if (burning->session)
		burn_session_free(burning->session);
	if (burning->disc)
		burn_disc_free(burning->disc);
	if (burning->source)
		burn_source_free(burning->source);
	if (burning->drive)
		burn_drive_release(burning->drive, 0);
	if (burning->infos)
		burn_drive_info_free(burning->infos);
	cleanup_close(&burning->image);
}

/* What libburn has said: the first error becomes why's text. */
static void take_messages(int err, struct reason *why)
{
	char text[BURN_MSGS_MESSAGE_LEN];
	char severity[80];
	char from[] = "SORRY";
	int code, system;

	while (burn_msgs_obtain(from, &code, text, &system, severity) > 0) {
		text[strcspn(text, "\n")] = '\0';
		reason_set(why, system == ENOSPC ? ENOSPC : err, "%.400s%s%s", text, system ? ": " : "",
			   system ? strerror(system) : "");
	}
}

static int failed(const struct burning *burning, int err, const char *what)
{
	struct reason said = { 0 };

	take_messages(err, &said);
	return reason_set(burning->why, said.err ? said.err : err, "%s%s%s", what, said.err ? ": " : "",
			  said.text);
}

/* Blocks for the session are reserved without changing the file's size, so that a full disk shows before
 * anything is written; file systems that can't reserve are asked for their free space. */
static int reserve(const struct burning *burning)
{
	const struct burn_request *request = burning->request;
	uint64_t need = request->sectors * SECTOR;
	struct statvfs host;

	if (fallocate(burning->image, FALLOC_FL_KEEP_SIZE, (off_t)(request->start * SECTOR), (off_t)need) ==
	    0)
		return 0;
	if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG && fstatvfs(burning->image, &host) == 0 &&
	    (uint64_t)host.f_bavail * host.f_frsize >= need)
		return 0;
	return reason_set(burning->why, errno == EFBIG || errno == EDQUOT ? errno : ENOSPC,
			  "the session needs %" PRIu64 " bytes more for %s than its file system has free",
			  need, request->path);
}

/* Whatever lies behind the end of the recorded part (padding, a session that was never finished) goes first:
 * a crash during the burn then leaves nothing that could be taken for a session. */
static int prepare_image(struct burning *burning)
{
	const struct burn_request *request = burning->request;
	struct stat info;

	burning->image = head_open_image(request->path, request->medium, burning->why);
	if (burning->image < 0)
		return burning->image;
	if (fstat(burning->image, &info) != 0 ||
	    ((uint64_t)info.st_size > request->start * SECTOR &&
	     ftruncate(burning->image, (off_t)(request->start * SECTOR)) != 0))
		return reason_set(burning->why, errno, "%s can't be cut off at the end of its sessions: %s",
				  request->path, strerror(errno));
	return reserve(burning);
}

static int grab(struct burning *burning)
{
	char address[PATH_LIMIT + 8];
	char queue[] = "SORRY";
	char print[] = "NEVER";
	char prefix[] = "";

	if (!burn_initialize())
		return reason_set(burning->why, EIO, "libburn doesn't start");
	burn_msgs_set_severities(queue, print, prefix);
	snprintf(address, sizeof address, "stdio:%s", burning->request->path);
	if (burn_drive_scan_and_grab(&burning->infos, address, 0) <= 0)
		return failed(burning, EBUSY, "the image file can't be opened for burning");
	burning->drive = burning->infos[0].drive;
	if (burn_drive_get_drive_role(burning->drive) != 2)
		return reason_set(burning->why, EOPNOTSUPP, "%s isn't an image file", burning->request->path);
	return 0;
}

static int compose(struct burning *burning)
{
	const struct burn_request *request = burning->request;
	struct burn_feed *feed = &burning->feed;

	feed->read = iso_session_read;
	feed->from = request->session;
	feed->inner_size = iso_session_size(request->session);
	feed->size = request->sectors * SECTOR;
	burning->source = burn_feed_source(feed);
	burning->disc = burn_disc_create();
	burning->session = burn_session_create();
	burning->track = burn_track_create();
	burning->opts = burn_write_opts_new(burning->drive);
	if (!burning->source || !burning->disc || !burning->session || !burning->track || !burning->opts)
		return reason_set(burning->why, ENOMEM, "out of memory");
	burn_track_define_data(burning->track, 0, 0, 0, BURN_MODE1);
	if (burn_track_set_source(burning->track, burning->source) != BURN_SOURCE_OK ||
	    !burn_session_add_track(burning->session, burning->track, BURN_POS_END) ||
	    !burn_disc_add_session(burning->disc, burning->session, BURN_POS_END))
		return failed(burning, EIO, "the burn can't be set up");
	burn_write_opts_set_multi(burning->opts, 0); /* nothing to be kept open */
	burn_write_opts_set_perform_opc(burning->opts, 0);
	burn_write_opts_set_underrun_proof(burning->opts, 1);
	burn_write_opts_set_stdio_fsync(burning->opts, SYNC_SECTORS);
	burn_write_opts_set_start_byte(burning->opts, (off_t)(request->start * SECTOR));
	return 0;
}

static int start(struct burning *burning)
{
	AUTO_FREE char *reasons = calloc(1, BURN_REASONS_LEN);
	int got = fault_point("burn-start");

	if (got < 0)
		return got;
	if (!reasons ||
	    burn_write_opts_auto_write_type(burning->opts, burning->disc, reasons, 0) == BURN_WRITE_NONE)
		return failed(burning, EIO, reasons ? reasons : "out of memory");
	burn_disc_write(burning->opts, burning->disc);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Idle with nothing sent may mean "not begun yet"; a refusal shows by libburn's verdict. */
static bool is_over(const struct burning *burning, int64_t began)
{
	if (burn_drive_get_status(burning->drive, NULL) != BURN_DRIVE_IDLE)
		return false;
	if (burning->feed.sent > 0 || burning->feed.failed)
		return true;
	return !burn_drive_wrote_well(burning->drive) || now_ms() - began > START_MS;
}

static void wait_for_end(struct burning *burning)
{
	const struct burn_request *request = burning->request;
	const struct timespec pause = { 0, POLL_MS * 1000000l };
	int64_t began = now_ms(), told = 0;
	bool cancelled = false;

	while (!is_over(burning, began)) {
		if (!cancelled && (burning->feed.failed || burning->feed.stop)) {
			burn_drive_cancel(burning->drive); /* or it pads the rest with zeroes */
			cancelled = true;
		}
		if (now_ms() - told >= PROGRESS_MS && !burning->feed.stop) {
			told = now_ms();
			if (request->progress(request->self, burning->feed.sent / SECTOR, request->sectors) <
			    0)
				burning->feed.stop = true;
		}
		nanosleep(&pause, NULL);
	}
}

static int check(struct burning *burning)
{
	const struct burn_request *request = burning->request;
	struct reason *why = burning->why;
	struct stat info;

	if (iso_session_failed(request->session, why))
		return -why->err;
	if (burning->feed.stop)
		return reason_set(why, ECANCELED, "cancelled");
	if (burning->feed.failed)
		return failed(burning, EIO, "the session broke off while it was made");
	if (!burn_drive_wrote_well(burning->drive) || burning->feed.sent != burning->feed.size)
		return failed(burning, EIO, "the burn failed");
	if (fsync(burning->image) != 0)
		return reason_set(why, errno, "%s can't be synced: %s", request->path, strerror(errno));
	if (fstat(burning->image, &info) != 0 ||
	    (uint64_t)info.st_size < (request->start + request->sectors) * SECTOR)
		return reason_set(why, EIO, "the session isn't all in %s", request->path);
	return 0;
}

int burn_session(const struct burn_request *request, struct reason *why)
{
	CLEANUP(burning_clear) struct burning burning = { .request = request, .image = -1, .why = why };
	int got = prepare_image(&burning);

	if (got == 0)
		got = grab(&burning);
	if (got == 0)
		got = compose(&burning);
	if (got == 0)
		got = start(&burning);
	if (got == 0) {
		wait_for_end(&burning);
		got = check(&burning);
		if (got == 0) /* it's written and synced: whether anybody still listens doesn't matter */
			(void)request->progress(request->self, request->sectors, request->sectors);
	}
	if (got < 0 && burning.image >= 0 && ftruncate(burning.image, (off_t)(request->start * SECTOR)) != 0)
		reason_set(why, errno, "what was begun can't be cut off: %s", strerror(errno));
	return got;
}
