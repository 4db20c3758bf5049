/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/flush.h"

#include "proc/child.h"
#include "wire/verbs.h"

#include <errno.h>
#include <stdio.h>

static int talk(struct child *child, const char *mountpoint, int timeout_ms, struct reason *why)
{
	struct verb_job job = { 0 };
	struct verb_written written;
	struct msg msg = { 0 };
	int ret;

	snprintf(job.path, sizeof job.path, "%s", mountpoint);
	child->link.timeout_ms = timeout_ms;
	put_job(&msg, &job);
	ret = link_send(&child->link, &msg);
	if (ret == 0)
		ret = child_receive(child, &msg, why);
	if (ret < 0)
		return why->err ? ret : reason_set(why, -ret, "the sync worker is gone");
	if (msg.verb != VERB_WRITTEN || !get_written(&msg, &written))
		return reason_set(why, EPROTO, "the sync worker answered nonsense");
	return 0;
}

int flush_mount(const char *mountpoint, int timeout_ms, struct reason *why)
{
	struct child child;
	int ret = child_start(&child, "sync", why);
	int end;

	if (ret < 0)
		return ret;
	ret = talk(&child, mountpoint, timeout_ms, why);
	if (ret < 0)
		child_kill(&child);
	end = child_finish(&child, why);
	return ret < 0 ? ret : end;
}
