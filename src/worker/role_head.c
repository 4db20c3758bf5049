/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(source), HEAD -> WRITTEN: the switch to a new session on overwriteable media and in image files. */
#include "worker/role.h"

#include "base/fault.h"
#include "disc/head.h"

#include <errno.h>

static int take_head(struct worker *worker, struct blob *ret, struct reason *why)
{
	struct verb_head head;
	struct msg msg;
	int got = worker_receive(worker, &msg, why);

	if (got < 0)
		return got;
	if (!get_head(&msg, &head) || head.length != HEAD_BYTES)
		return reason_set(why, EPROTO, "the daemon sent something else than a head");
	return blob_set(ret, head.data, head.length) < 0 ? reason_set(why, ENOMEM, "out of memory") : 0;
}

static int write_head(struct worker *worker, const struct blob *head, struct reason *warning,
		      struct reason *why)
{
	CLEANUP(blob_clear) struct blob before = { 0 };
	int got;

	if (!worker->job.is_drive)
		return head_write(worker->job.path, worker->medium, head->data, warning, why);
	got = take_head(worker, &before, why);
	return got < 0 ? got : head_write_medium(worker->job.path, head->data, before.data, warning, why);
}

int role_head(struct worker *worker, struct reason *why)
{
	CLEANUP(blob_clear) struct blob head = { 0 };
	struct verb_written written = { .sectors = HEAD_SECTORS };
	struct reason warning = { 0 };
	struct msg reply = { 0 };
	int got = take_head(worker, &head, why);

	if (got == 0)
		got = fault_point(FAULT_HEAD_BEFORE);
	if (got == 0)
		got = write_head(worker, &head, &warning, why);
	if (got == 0 && warning.err)
		got = worker_warn(worker, warning.text, why);
	if (got == 0)
		got = fault_point(FAULT_HEAD_AFTER);
	if (got < 0)
		return got;
	put_written(&reply, &written);
	return worker_send_now(worker, &reply, why);
}
