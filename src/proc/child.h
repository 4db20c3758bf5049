/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Worker processes: the discfs binary executed again with a role, at the other end of a link.
 *
 * The worker's end of the socket is its descriptor 3; everything else is closed on exec; it gets SIGTERM when
 * its parent dies (PR_SET_PDEATHSIG), ignores SIGINT of the terminal, and runs in its own process group. One
 * thread owns a child; child_kill may come from any. */
#pragma once

#include "base/reason.h"
#include "wire/link.h"

#include <sys/types.h>

struct child {
	const char *role;
	pid_t pid;	   /* 0 = none */
	uint32_t warnings; /* received so far */
	uint64_t peak_kib; /* of memory, once it has ended; at least what the daemon had when it forked */
	struct link link;
};

/* role: "probe", "import", "verify", "burn", "head", "drive", "sync". The binary is /proc/self/exe, or the
 * file "discfs" beside it when this is another program. */
int child_start(struct child *child, const char *role, struct reason *why);
/* Closes the link and waits, as long as link.timeout_ms says; then the worker is killed. 0 when the worker
 * exited with 0; else -EIO and "the import worker was killed by signal 9" in why. Safe on a child that never
 * started (0). */
int child_finish(struct child *child, struct reason *why);
/* SIGKILL, without waiting. */
void child_kill(const struct child *child);

/* Receives the next message of a worker. FAILED becomes its reason and -err; a closed link or a crash becomes
 * -EIO (or -ETIMEDOUT) with a reason; WARNING is logged and skipped. 0 = ret holds a message. */
int child_receive(struct child *child, struct msg *ret, struct reason *why);
