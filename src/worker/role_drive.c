/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(), TASK -> PROGRESS*, TRACK*, SPEED*, DRIVE: what is in a drive, after something was done to it. */
#include "worker/role.h"

#include "disc/drive_look.h"
#include "disc/drive_task.h"

#include <errno.h>

static int send_progress(void *self, uint64_t done, uint64_t total)
{
	struct worker *worker = (struct worker *)self;
	struct verb_progress progress = { .done = done, .total = total };
	struct msg msg = { 0 };

	put_progress(&msg, &progress);
	return link_send(&worker->link, &msg) < 0 || link_flush(&worker->link) < 0 ? -1 : 0;
}

static int send_report(struct worker *worker, const struct drive_report *report, struct reason *why)
{
	struct msg msg = { 0 };
	int got = 0;

	for (size_t i = 0; got == 0 && i < report->tracks.count; i++) {
		put_track(&msg, &report->tracks.items[i]);
		got = worker_send(worker, &msg, why);
	}
	for (size_t i = 0; got == 0 && i < report->speeds.count; i++) {
		put_speed(&msg, &report->speeds.items[i]);
		got = worker_send(worker, &msg, why);
	}
	put_drive(&msg, &report->drive);
	return got < 0 ? got : worker_send_now(worker, &msg, why);
}

int role_drive(struct worker *worker, struct reason *why)
{
	CLEANUP(drive_report_clear) struct drive_report report = { 0 };
	CLEANUP(drive_release) struct drive drive = { 0 };
	struct verb_task task;
	struct msg msg;
	int got = worker_receive(worker, &msg, why);

	if (got < 0)
		return got;
	if (!get_task(&msg, &task))
		return reason_set(why, EPROTO, "the daemon sent something else than a task");
	got = drive_grab(&drive, worker->job.path, why);
	if (got == 0)
		got = drive_do(&drive, &task, send_progress, worker, why);
	if (got == 0)
		got = drive_describe(&drive, &report, why);
	if (got == 0 && task.look)
		drive_look(&drive, &report);
	return got < 0 ? got : send_report(worker, &report, why);
}
