/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/burn.h"

#include "base/fault.h"
#include "disc/burning.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define POLL_MS	    50
#define PROGRESS_MS 200
#define START_MS    20000 /* libburn says "idle" until its thread has begun */

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
	drive_release(&burning->drive);
	cleanup_close(&burning->image);
}

static int failed(const struct burning *burning, int err, const char *what)
{
	return drive_failed(err, what, burning->why);
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
	burning->opts = burn_write_opts_new(burning->drive.drive);
	if (!burning->source || !burning->disc || !burning->session || !burning->track || !burning->opts)
		return reason_set(burning->why, ENOMEM, "out of memory");
	burn_track_define_data(burning->track, 0, 0, 0, BURN_MODE1);
	if (burn_track_set_source(burning->track, burning->source) != BURN_SOURCE_OK ||
	    !burn_session_add_track(burning->session, burning->track, BURN_POS_END) ||
	    !burn_disc_add_session(burning->disc, burning->session, BURN_POS_END))
		return failed(burning, EIO, "the burn can't be set up");
	burn_write_opts_set_perform_opc(burning->opts, 0);
	burn_write_opts_set_underrun_proof(burning->opts, 1);
	return 0;
}

static bool is_possible(const struct burning *burning, char *reasons)
{
	if (burning->typed)
		return burn_precheck_write(burning->opts, burning->disc, reasons, 0) > 0;
	return burn_write_opts_auto_write_type(burning->opts, burning->disc, reasons, 0) != BURN_WRITE_NONE;
}

static int start(struct burning *burning)
{
	AUTO_FREE char *reasons = calloc(1, BURN_REASONS_LEN);
	int got = fault_point(FAULT_BURN_START);

	if (got < 0)
		return got;
	if (!reasons || !is_possible(burning, reasons))
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
	if (burn_drive_get_status(burning->drive.drive, NULL) != BURN_DRIVE_IDLE)
		return false;
	if (burning->feed.sent > 0 || burning->feed.failed)
		return true;
	return !burn_drive_wrote_well(burning->drive.drive) || now_ms() - began > START_MS;
}

static void wait_for_end(struct burning *burning, const struct burn_way *way)
{
	const struct burn_request *request = burning->request;
	const struct timespec pause = { 0, POLL_MS * 1000000l };
	int64_t began = now_ms(), told = 0;
	bool cancelled = false;
	int how;

	while (!is_over(burning, began)) {
		if (!cancelled && (burning->feed.failed || burning->feed.stop)) {
			burn_drive_cancel(burning->drive.drive); /* or it pads the rest with zeroes */
			cancelled = true;
		}
		if (now_ms() - told >= PROGRESS_MS && !burning->feed.stop) {
			told = now_ms();
			how = request->progress(request->self, burning->feed.sent / SECTOR, request->sectors);
			if (how == -ECANCELED || (how < 0 && way->stops))
				burning->feed.stop = true;
		}
		nanosleep(&pause, NULL);
	}
}

static int check(struct burning *burning, const struct burn_way *way)
{
	const struct burn_request *request = burning->request;
	struct reason *why = burning->why;

	if (iso_session_failed(request->session, why))
		return -why->err;
	if (burning->feed.stop)
		return reason_set(why, ECANCELED, "cancelled");
	if (burning->feed.failed)
		return failed(burning, EIO, "the session broke off while it was made");
	if (burning->feed.sent != burning->feed.size)
		return failed(burning, EIO, "the burn failed");
	if (burn_drive_wrote_well(burning->drive.drive))
		return 0;
	if (!way->closes)
		return failed(burning, EIO, "the burn failed");
	(void)drive_failed(EIO, "", &burning->unwell);
	return 0;
}

int burn_session(const struct burn_request *request, struct reason *why)
{
	const struct burn_way *way = request->job->is_drive ? &burn_medium : &burn_image;
	CLEANUP(burning_clear) struct burning burning = { .request = request, .image = -1, .why = why };
	int got = way->open(&burning);

	if (got == 0)
		got = compose(&burning);
	if (got == 0)
		got = way->options(&burning);
	if (got == 0)
		got = start(&burning);
	if (got == 0) {
		wait_for_end(&burning, way);
		got = check(&burning, way);
		if (got == 0)
			got = way->finish(&burning);
		if (got == 0) /* it's written and synced: whether anybody still listens doesn't matter */
			(void)request->progress(request->self, request->sectors, request->sectors);
	}
	if (got < 0)
		way->spoil(&burning);
	return got;
}
