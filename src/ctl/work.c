/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/work.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/progress.h"
#include "ctl/trial_show.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ID_ROOM 33
#define POLL_NS 200000000L
#define LOST_S	10 /* a commit that was accepted shows up as work, or as done, long before */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	interrupted = 1;
}

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void work_end_clear(struct work_end *end)
{
	json_close(&end->status);
	json_close(&end->result);
	end->was_busy = false;
}

uint64_t work_staged(const struct json *status)
{
	return (uint64_t)(json_int(status, "$.staged.added") + json_int(status, "$.staged.modified") +
			  json_int(status, "$.staged.deleted") + json_int(status, "$.staged.renamed") +
			  json_int(status, "$.staged.boot"));
}

static int follow_interrupted(const struct target *target)
{
	AUTO_FREE char *root = text_shell_word(target->root);

	return ctl_fail(
	    EXIT_CODE_INTERRUPTED,
	    "no longer watching; the work goes on (discfsctl wait %s; discfsctl cancel %s ends it)", root,
	    root);
}

/* -1: there's none of that id (or, without one, of that serial). */
static int find_result(const struct json *status, const char *id, int64_t serial)
{
	for (int at = (int)json_count(status, "$.recent") - 1; at >= 0; at--) {
		AUTO_FREE char *its = json_string(status, "$.recent[%d].id", at);

		if (id ? its && strcmp(its, id) == 0 : json_int(status, "$.recent[%d].serial", at) == serial)
			return at;
	}
	return -1;
}

/* Takes the status over. */
static int keep_end(struct json *status, int found, struct work_end *ret)
{
	AUTO_FREE char *result =
	    found < 0 ? json_string(status, "$.last") : json_string(status, "$.recent[%d]", found);
	const char *text = result ? result : "null";

	ret->status = *status;
	*status = (struct json){ 0 };
	return json_open(&ret->result, text, strlen(text)) < 0
		   ? ctl_fail(EXIT_CODE_SYSTEM, "no memory for the result")
		   : EXIT_CODE_DONE;
}

/* Looks until it's done. */
static int follow_poll(const struct target *target, const struct work_watch *watch, struct progress *progress,
		       struct work_end *ret)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	int64_t start = now_s(), seen = start, serial = -1;

	for (;;) {
		AUTO_JSON struct json status = { 0 };
		int code = target_status(target, &status);
		bool busy = !code && json_has(&status, "$.work");
		int found = code ? -1 : find_result(&status, watch->id, serial);

		if (code)
			return code;
		if (watch->id ? found >= 0 : !busy)
			return keep_end(&status, found, ret);
		if (busy) {
			ret->was_busy = true;
			seen = now_s();
			serial = json_int(&status, "$.work.serial");
			progress_show_status(progress, &status);
		}
		if (interrupted)
			return follow_interrupted(target);
		if (watch->timeout_s >= 0 && now_s() - start >= watch->timeout_s)
			return ctl_fail(EXIT_CODE_TIMED_OUT, "still at work after %" PRId64 " s",
					watch->timeout_s);
		if (!busy && now_s() - seen > LOST_S)
			return ctl_fail(EXIT_CODE_SYSTEM, "discfs accepted the commit but doesn't do it");
		nanosleep(&pause, NULL);
	}
}

int work_follow(const struct target *target, const struct work_watch *watch, struct work_end *ret)
{
	const struct sigaction watching = { .sa_handler = on_interrupt };
	struct sigaction before;
	struct progress progress;
	int code;

	interrupted = 0;
	sigaction(SIGINT, &watching, &before);
	progress_start(&progress, watch->quiet);
	code = follow_poll(target, watch, &progress, ret);
	progress_end(&progress);
	sigaction(SIGINT, &before, NULL);
	return code;
}

static void report_success(const struct json *result, bool verbose)
{
	char session[FORMAT_ROOM], size[FORMAT_ROOM], sectors[FORMAT_ROOM], start[FORMAT_ROOM],
	    seconds[FORMAT_ROOM];
	AUTO_FREE char *no_udf = json_string(result, "$.no_udf");

	printf("Session %s is burned%s: %s in %s",
	       format_count(session, (uint64_t)json_int(result, "$.session")),
	       json_bool(result, "$.verified") ? " and verified" : ", not verified",
	       format_sectors(size, (uint64_t)json_int(result, "$.sectors")),
	       format_duration(seconds, json_int(result, "$.seconds")));
	if (verbose)
		printf(", %s sectors at %s", format_count(sectors, (uint64_t)json_int(result, "$.sectors")),
		       format_count(start, (uint64_t)json_int(result, "$.start")));
	putchar('\n');
	if (json_int(result, "$.carried_files"))
		printf("%s old files were copied into it, as ISO 9660 can't refer to where they were\n",
		       format_count(session, (uint64_t)json_int(result, "$.carried_files")));
	if (no_udf)
		printf("It has no UDF: %s\n", no_udf);
	if (json_bool(result, "$.anchor_stale"))
		puts("Systems that look for UDF see the session before until the next commit:\n"
		     "sector 256 (or the last one, where that is others') couldn't be written");
}

int work_report(const struct json *result, enum work_telling telling)
{
	AUTO_FREE char *message = json_string(result, "$.message");
	AUTO_FREE char *op = json_string(result, "$.op");
	AUTO_FREE char *burn = json_string(result, "$.burn");
	int code = (int)json_int(result, "$.exit");

	if (telling == WORK_JSON)
		puts(result->text);
	if (code)
		return ctl_fail(code, "%s",
				message && message[0] ? message : strerror((int)json_int(result, "$.errno")));
	if (telling == WORK_JSON || telling == WORK_SILENT || !op)
		return EXIT_CODE_DONE;
	if (strcmp(op, "commit") == 0 && json_int(result, "$.sectors"))
		report_success(result, telling == WORK_VERBOSE);
	else if (message && message[0])
		format_print_line(message);
	if (burn && burn[0])
		printf("Everything stays staged until the disc has it. Burn it with:\n  %s\n", burn);
	return EXIT_CODE_DONE;
}

/* A dry run found things out even when it says that the session can't be made. */
static int report_trial(const struct target *target, const struct json *result, const struct work_wish *wish,
			enum work_telling telling)
{
	int code = EXIT_CODE_DONE, found;

	if (telling == WORK_JSON) {
		found = trial_show_json(target, result->text);
		code = work_report(result, WORK_SILENT);
	} else {
		code = work_report(result, telling);
		found = trial_show(target, wish->verbose);
	}
	return code ? code : found;
}

/* The daemon refused: its errno says how, its status often why. */
static int commit_refused(const struct target *target, int err)
{
	static const struct {
		int err;
		const char *text;
	} sentences[] = {
		{ ENOSPC, "it doesn't fit on the medium any more" },
		{ ENOMEDIUM, "there is no disc in the drive" },
		{ ESTALE, "another disc is in the drive" },
	};
	AUTO_JSON struct json status = { 0 };
	AUTO_FREE char *root = text_shell_word(target->root);
	AUTO_FREE char *why = NULL;
	const char *text = strerror(err);

	if (err == ENOTCONN)
		return target_died(target->root);
	if (err == EBUSY)
		return ctl_fail(EXIT_CODE_BUSY,
				"a commit is under way or the drive is in use (discfsctl wait %s)", root);
	if (err == EACCES || err == EPERM)
		return ctl_fail(EXIT_CODE_SYSTEM, "only the owner of %s may control it", target->root);
	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (sentences[i].err == err)
			text = sentences[i].text;
	if ((err == EROFS || err == EMEDIUMTYPE) && target_status(target, &status) == 0)
		why = json_string(&status, "$.read_only_reason");
	return ctl_fail(exit_code_of_errno(err), "the commit is refused: %s", why && why[0] ? why : text);
}

static void add_path(struct text *line, const char *path)
{
	text_add(line, " --to=");
	for (const char *at = path; *at; at++)
		if (*at == ' ')
			text_add(line, "\\040");
		else
			text_add_escaped(line, at, 1);
}

/* The line for the control file. */
static void add_wish(struct text *line, const struct work_wish *wish, const char *id)
{
	text_add(line, "commit-nowait --id=%s%s%s%s%s", id, wish->finalize ? " --finalize" : "",
		 wish->simulate ? " --simulate" : "", wish->dry_run ? " --dry-run" : "",
		 wish->stream ? " --stream" : "");
	if (wish->speed_kbps)
		text_add(line, " --speed=%" PRIu32, wish->speed_kbps);
	if (wish->to)
		add_path(line, wish->to);
	if (wish->damaged)
		text_add(line, " --damaged");
	if (wish->no_verify)
		text_add(line, " --no-verify");
	if (wish->force)
		text_add(line, " --force");
	if (wish->label)
		text_add(line, " -- %s", wish->label);
}

/* Whoever else commits there: the result is found by this. */
static void make_id(char *ret, size_t room)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(ret, room, "%lx.%lx.%lx", (long)getpid(), (long)now.tv_sec, now.tv_nsec);
}

int work_commit(const struct target *target, const struct work_wish *wish, enum work_telling telling,
		bool wait)
{
	char id[ID_ROOM];
	struct work_watch watch = { .id = id,
				    .timeout_s = -1,
				    .quiet = telling == WORK_JSON || telling == WORK_SILENT };
	CLEANUP(work_end_clear) struct work_end end = { 0 };
	AUTO_TEXT struct text line = { 0 };
	int code;

	make_id(id, sizeof id);
	add_wish(&line, wish, id);
	code = line.failed ? -ENOMEM : target_tell(target, line.data);
	if (code < 0)
		return commit_refused(target, -code);
	if (!wait) {
		if (telling != WORK_SILENT)
			puts(telling == WORK_JSON
				 ? "{\"accepted\":true}"
				 : "The commit is accepted and goes on by itself (discfsctl wait)");
		return EXIT_CODE_DONE;
	}
	code = work_follow(target, &watch, &end);
	if (code)
		return code;
	return wish->dry_run ? report_trial(target, &end.result, wish, telling)
			     : work_report(&end.result, telling);
}
