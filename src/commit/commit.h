/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commit: one conductor thread that takes the staged tree to the disc, phase by phase.
 *
 * conduct.c leads it from the wish to the result, finish.c from WRITTEN on; phases.h is the picture of the
 * journal that they go by, and recover.c what follows where one was cut off. FUSE threads only ask and wait;
 * the conductor never answers FUSE. */
#pragma once

#include "commit/boot.h"
#include "commit/disc.h"
#include "commit/progress.h"
#include "commit/trial.h"

#define COMMIT_ID_LIMIT 32u

/* What is asked for. */
struct commit_wish {
	char label[LABEL_LIMIT + 1];  /* UTF-8, may be empty */
	bool finalize;		      /* nothing can be appended afterwards */
	bool simulate;		      /* the drive writes in pretence, where it can with this medium */
	bool dry_run;		      /* sizes and fit only */
	bool stream;		      /* stream recording, on BD */
	bool damaged;		      /* also on a disc that could be read in part only, see damage.h */
	bool force;		      /* `to` may be there already */
	bool no_verify;		      /* what the new files hold isn't read back, see check.h */
	char id[COMMIT_ID_LIMIT + 1]; /* whoever asks finds the result by it; may be empty */
	uint32_t speed_kbps;	      /* 1000 bytes a second; 0 = as fast as it goes */
	char to[PATH_LIMIT];	      /* the session goes to this file, and everything stays staged */
};

struct commit_result {
	uint64_t serial; /* 0: none yet */
	char id[COMMIT_ID_LIMIT + 1];
	const char *op; /* "commit", "dry-run", "simulate", "to-file" */
	int err;	/* 0 or a positive errno */
	int exit_code;	/* for discfsctl */
	char message[480];
	bool anchor_stale;		     /* see COMMIT_ANCHOR_STALE */
	bool verified;			     /* a session was burned, and all of it compared */
	uint64_t session, start, sectors;    /* 0 when nothing was burned */
	uint64_t saved_files, saved_sectors; /* see dedupe.h */
	uint64_t worker_kib;		     /* of memory, the burn worker's peak */
	uint64_t carried_files;		     /* of the old tree, recorded anew: see disc.h */
	char no_udf[WHY_LIMIT + 1];	     /* why the session has none, though it was asked for; or "" */
	char file[PATH_LIMIT];		     /* that was written; empty: none */
	bool has_head;			     /* and FILE.head with it */
	char burn[3 * PATH_LIMIT];	     /* a command line that burns it */
	double seconds;
};

/* Of verb_disc.anchor_stale. */
#define COMMIT_ANCHOR_STALE                                                                                  \
	"sector 256 (or the last one, where that is others') couldn't be written: systems that look for "    \
	"UDF see the session before until the next commit"

#define COMMIT_OUTCOMES 64u
#define COMMIT_RECENT	8u

/* What the conductor wants of the mount. */
struct commit_mount {
	void (*call_in)(void *self); /* all pages that the kernel holds of files that are being written */
	void (*forget)(void *self, uint64_t ino); /* the content of a file isn't what it was */
	void (*writing)(void *self, bool on);	  /* the medium is written from now on / no more */
	void (*ended)(void *self, const struct commit_result *result); /* whoever waits has been told */
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
	bool handed_over;	/* see handover.h */
	_Atomic bool keep;	/* nothing is to be committed when it is unmounted */
	_Atomic bool cancelled; /* the one that is running */
	uint64_t requested;	/* serial of the newest request */
	struct commit_wish wish;
	struct commit_result last;
	struct commit_result recent[COMMIT_RECENT]; /* by serial; serial 0: none */
	struct trial trial;	       /* of the last dry run; none where it didn't come so far */
	struct boot_images trial_boot; /* what it boots */
	struct commit_result tried;    /* its result */
	int outcomes[COMMIT_OUTCOMES]; /* of the newest: 0 or a positive errno, by serial */
	struct progress progress;
};

int commit_open(struct commit *commit, struct disc *disc, const char *mountpoint,
		const struct commit_mount *mount);
/* Waits for what is under way. */
void commit_close(struct commit *commit);
/* Asks for a commit. -EBUSY when one is under way, -EROFS, -EINVAL (a label that can't be, wishes that don't
 * go together). */
int commit_request(struct commit *commit, const struct commit_wish *wish, uint64_t *ret_serial);
const char *commit_op(const struct commit_wish *wish);
/* Waits for the end of a request. Returns 0 or -errno as the commit ended. */
int commit_wait(struct commit *commit, uint64_t serial);
/* Ends the one that is under way, and waits until it has ended. 0: it's cancelled, everything is staged as
 * before; -ESRCH: none is under way; -EALREADY: it came to its end all the same. */
int commit_cancel(struct commit *commit);
/* Waits until none is under way. */
void commit_settle(struct commit *commit);
void commit_last(struct commit *commit, struct commit_result *ret);
/* The newest results, oldest first, under the lock. */
void commit_each_recent(struct commit *commit, void (*each)(void *self, const struct commit_result *result),
			void *self);
/* A dry run's conductor: looks through the frozen generation, and keeps what it finds. Without memory there
 * is none. */
void commit_keep_trial(struct commit *commit, uint32_t gen);
/* The plan turned out to have no UDF. */
void commit_trial_without_udf(struct commit *commit);
/* Unmounting was asked for, and the commit that it means is taken over by this process (on), or isn't after
 * all. On the disk when it returns; should the process die before that commit has ended, the next mount tells
 * so. 0 or -errno. */
int commit_hand_over(struct commit *commit, bool on);
/* The kernel's caches can't be asked any more: the mount is gone. */
void commit_unmounted(struct commit *commit);
