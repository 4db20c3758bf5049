/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(source), HEAD -> WRITTEN: the switch to a new session on overwriteable media and in image files. */
#include "worker/role.h"

#include "base/fault.h"
#include "disc/head.h"

#include <errno.h>

int role_head(struct worker *worker, struct reason *why)
{
	struct verb_written written = { 0, HEAD_SECTORS };
	struct verb_head head;
	struct msg msg, reply = { 0 };
	int got = worker_receive(worker, &msg, why);

	if (got < 0)
		return got;
	if (!get_head(&msg, &head) || head.length != HEAD_BYTES)
		return reason_set(why, EPROTO, "the daemon sent something else than a head");
	got = fault_point("head-before");
	if (got == 0)
		got = head_write(worker->job.path, worker->medium, head.data, why);
	if (got == 0)
		got = fault_point("head-after");
	if (got < 0)
		return got;
	put_written(&reply, &written);
	return worker_send_now(worker, &reply, why);
}
