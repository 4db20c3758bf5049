/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work that the daemon has under way: watching it until it ends, and telling how it ended. */
#pragma once

#include "ctl/target.h"

struct work_watch {
	const char *id;	   /* done when there's a result for it; NULL: done when nothing is under way */
	int64_t timeout_s; /* -1: for ever */
	bool quiet;	   /* no progress */
};

/* How it came out. */
struct work_end {
	struct json status; /* the newest */
	struct json result; /* of what was watched, or else of the last work; null when there was none */
	bool was_busy;	    /* there was something to watch */
};

void work_end_clear(struct work_end *end);

/* What is asked of a commit. */
struct work_wish {
	const char *label; /* NULL: the disc keeps its name */
	bool finalize, simulate, dry_run, stream;
	bool damaged;	     /* also on a disc that could be read in part only */
	const char *to;	     /* NULL, or the absolute path of a file that gets the session */
	bool force;	     /* which may be there already */
	bool no_verify;	     /* what new files hold isn't read back */
	bool verbose;	     /* of a dry run: all that it found out */
	uint32_t speed_kbps; /* 0: as fast as it goes */
};

/* How much is said. */
enum work_telling { WORK_PLAIN, WORK_VERBOSE, WORK_JSON, WORK_SILENT };

/* Changes that wait to be committed. */
uint64_t work_staged(const struct json *status);

/* Watches until it's done. Ctrl-C ends the watching (EXIT_CODE_INTERRUPTED), a time-out too
 * (EXIT_CODE_TIMED_OUT). */
int work_follow(const struct target *target, const struct work_watch *watch, struct work_end *ret);
/* Tells how it ended (on success on stdout, else on stderr) and returns its exit code. */
int work_report(const struct json *result, enum work_telling telling);

/* Commits what is staged and follows it to the end: commit, finalize, and umount with commit=unmount. */
int work_commit(const struct target *target, const struct work_wish *wish, enum work_telling telling,
		bool wait);
