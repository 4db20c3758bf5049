/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB -> WRITTEN: what the kernel still caches for the mount goes to the daemon. A process of its own, since
 * one that holds the FUSE device and waits for itself could never be killed. */
#include "worker/role.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int role_sync(struct worker *worker, struct reason *why)
{
	int mount AUTO_CLOSE = open(worker->job.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct msg reply = { 0 };

	if (mount < 0 || syncfs(mount) < 0)
		return reason_set(why, errno, "%s can't be synced: %s", worker->job.path, strerror(errno));
	put_written(&reply, &(struct verb_written){ 0 });
	return worker_send_now(worker, &reply, why);
}
