/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work that the daemon has under way: watching it until it ends, and telling how it ended. */
#pragma once

#include "ctl/target.h"

struct work_watch {
	int64_t serial;	   /* done when last.serial is another; -1: done when nothing is under way */
	int64_t timeout_s; /* -1: for ever */
	bool quiet;	   /* no progress */
};

/* What is asked of a commit. */
struct work_wish {
	const char *label; /* NULL: the disc keeps its name */
	bool finalize, simulate, dry_run, stream;
	bool damaged;	     /* also on a disc that could be read in part only */
	const char *to;	     /* NULL, or the absolute path of a file that gets the session */
	bool force;	     /* which may be there already */
	bool verbose;	     /* of a dry run: all that it found out */
	uint32_t speed_kbps; /* 0: as fast as it goes */
};

/* How much is said. */
enum work_telling { WORK_PLAIN, WORK_JSON, WORK_SILENT };

/* last.serial of a status, 0 when nothing was ever done. */
int64_t work_serial(const struct json *status);
/* Changes that wait to be committed. */
uint64_t work_staged(const struct json *status);

/* Watches until it's done and fills ret_status with the newest status. Ctrl-C ends the watching
 * (EXIT_CODE_INTERRUPTED), a time-out too (EXIT_CODE_TIMED_OUT). *ret_was_busy: there was something to watch.
 */
int work_follow(const struct target *target, const struct work_watch *watch, struct json *ret_status,
		bool *ret_was_busy);
/* Tells how the last work ended (on success on stdout, else on stderr) and returns its exit code. */
int work_report(const struct json *status, enum work_telling telling);

/* Commits what is staged and follows it to the end: commit, finalize, and umount with commit=unmount. */
int work_commit(const struct target *target, const struct json *status, const struct work_wish *wish,
		enum work_telling telling, bool wait);
