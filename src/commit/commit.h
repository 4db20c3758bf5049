/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commit: one conductor thread that takes the staged tree to the disc, phase by phase.
 *
 *	IDLE -> FROZEN -> PLANNED -> BURNING -> WRITTEN -> CHECKED -> (head, publication) -> IDLE
 *	          |          |          |          |          |
 *	          +----------+----------+----------+----------+--- any failure: thaw -> IDLE
 *
 *	FROZEN	 commit.c  freeze_generation: N takes no more changes, N+1 does
 *	PLANNED	 commit.c  the burn worker holds the whole tree and told size, place and the coming head
 *	BURNING	 commit.c  the worker writes behind everything recorded; nothing leads there yet
 *	WRITTEN	 finish.c  the worker said so; check_session reads it all back
 *	CHECKED	 finish.c  the head is written, the disc probed, and publish_generation makes N the base in
 *one transaction that also ends the journal After a crash recover.c thaws up to BURNING, and goes on with
 *finish.c from WRITTEN. FUSE threads only ask and wait; the conductor never answers FUSE. */
#pragma once

#include "commit/disc.h"
#include "commit/progress.h"

struct commit_result {
	uint64_t serial; /* 0: none yet */
	int err;	 /* 0 or a positive errno */
	int exit_code;	 /* for discfsctl */
	char message[480];
	uint64_t session, start, sectors; /* 0 when nothing was burned */
	double seconds;
};

#define COMMIT_OUTCOMES 64u

/* What the conductor wants of the mount: that all pages come in which the kernel holds of files that are
 * being written. */
struct commit_mount {
	void (*call_in)(void *self);
	void *self;
};

struct commit {
	struct disc *disc;
	char mountpoint[PATH_LIMIT]; /* empty: not mounted any more */
	struct commit_mount mount;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool running, stopping;
	uint64_t requested; /* serial of the newest request */
	char label[LABEL_LIMIT + 1];
	struct commit_result last;
	int outcomes[COMMIT_OUTCOMES]; /* of the newest: 0 or a positive errno, by serial */
	struct progress progress;
};

int commit_open(struct commit *commit, struct disc *disc, const char *mountpoint,
		const struct commit_mount *mount);
/* Waits for what is under way. */
void commit_close(struct commit *commit);
/* Asks for a commit. label: UTF-8, may be empty. -EBUSY when one is under way, -EROFS, -EINVAL (label too
 * long). */
int commit_request(struct commit *commit, const char *label, uint64_t *ret_serial);
/* Waits for the end of a request. Returns 0 or -errno as the commit ended. */
int commit_wait(struct commit *commit, uint64_t serial);
/* Waits until none is under way. */
void commit_settle(struct commit *commit);
void commit_last(struct commit *commit, struct commit_result *ret);
/* The kernel's caches can't be asked any more: the mount is gone. */
void commit_unmounted(struct commit *commit);
