/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/verify_show.h"

#include "base/bytes.h"
#include "ctl/ctl.h"
#include "ctl/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SETTLE_S 5 /* before that, a guess of the time left is none */

/* By enum damaged_what; never change the names, scripts read them. */
static const struct {
	const char *name, *title;
} parts[] = {
	[0] = { "disc", "the disc" },
	[DAMAGED_FILE] = { "file", "" },
	[DAMAGED_HEAD] = { "head", "the descriptors at the disc's begin" },
	[DAMAGED_DESCRIPTORS] = { "descriptors", "the descriptors" },
	[DAMAGED_TREE] = { "tree", "the directories" },
	[DAMAGED_SUMS] = { "sums", "the recorded sums of the files" },
	[DAMAGED_TAG] = { "tag", "the sum at its end" },
	[DAMAGED_UDF] = { "udf", "the descriptors of UDF" },
	[DAMAGED_UDF_TREE] = { "udf-tree", "the directories of UDF" },
	[DAMAGED_UDF_SUMS] = { "udf-sums", "the recorded sums of UDF" },
};
static const char *const ways[] = { "unknown", "unreadable", "differs", "cut" };

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void show_progress(void *self, const struct verb_session *session,
			  const struct verb_progress *progress)
{
	struct verify_show *show = self;
	struct progress_look look = {
		.done = progress->done, .total = progress->total, .sectors = true, .eta = -1
	};
	AUTO_FREE char *file = strndup(progress->file, progress->file_length);
	char phase[32] = "verifying";
	int64_t passed;

	if (show->all)
		snprintf(phase, sizeof phase, "session %" PRIu32, session->number);
	if (show->session != session->number)
		show->start_s = now_s();
	show->session = session->number;
	passed = now_s() - show->start_s;
	look.phase = phase;
	look.file = file;
	if (passed >= SETTLE_S && look.done) {
		look.rate = (int64_t)((double)look.done * SECTOR / (double)passed);
		look.eta = (int64_t)((double)passed * (double)(look.total - look.done) / (double)look.done);
	}
	if (look.total)
		progress_show(&show->progress, &look);
}

static void add_comma(struct text *text)
{
	if (text->length)
		text_add(text, ",");
}

static void add_damage(struct verify_show *show, const struct verb_damaged *damaged)
{
	struct text *text = &show->damages;

	add_comma(text);
	text_add(text, "{\"session\":");
	if (damaged->session)
		text_add(text, "%" PRIu32, damaged->session);
	else
		text_add(text, "null");
	text_add(text, ",\"what\":\"%s\",\"path\":", parts[damaged->what].name);
	if (damaged->path_length)
		text_add_json(text, damaged->path, damaged->path_length);
	else
		text_add(text, "null");
	text_add(text, ",\"how\":\"%s\",\"sector\":", ways[damaged->how]);
	if (damaged->lba == NO_SECTOR)
		text_add(text, "null");
	else
		text_add(text, "%" PRIu64, damaged->lba);
	text_add(text, ",\"message\":");
	text_add_json(text, damaged->text, strlen(damaged->text));
	text_add(text, "}");
}

static void print_damage(struct verify_show *show, const struct verb_damaged *damaged)
{
	AUTO_TEXT struct text line = { 0 };

	progress_end(&show->progress);
	text_add(&line, "damaged: ");
	if (damaged->session && (show->all || damaged->what != DAMAGED_FILE))
		text_add(&line, "session %" PRIu32 ": ", damaged->session);
	text_add_escaped(&line, damaged->path_length ? damaged->path : parts[damaged->what].title,
			 damaged->path_length ? damaged->path_length : strlen(parts[damaged->what].title));
	text_add(&line, ": ");
	text_add_escaped(&line, damaged->text, strlen(damaged->text));
	puts(line.failed ? "damaged" : line.data);
	fflush(stdout);
}

static void show_damaged(void *self, const struct verb_damaged *damaged)
{
	struct verify_show *show = self;

	if (show->json)
		add_damage(show, damaged);
	else
		print_damage(show, damaged);
}

static void add_counts(struct text *text, const struct verb_checked *checked)
{
	text_add(text,
		 "\"good_files\":%" PRIu64 ",\"good_bytes\":%" PRIu64 ",\"unsummed_files\":%" PRIu64
		 ",\"unsummed_bytes\":%" PRIu64 ",\"damaged_files\":%" PRIu64 ",\"damaged_bytes\":%" PRIu64
		 ",\"damages\":%" PRIu64,
		 checked->good_files, checked->good_bytes, checked->unsummed_files, checked->unsummed_bytes,
		 checked->damaged_files, checked->damaged_bytes, checked->damages);
}

static void add_session(struct verify_show *show, const struct verb_checked *checked)
{
	struct text *text = &show->sessions;

	add_comma(text);
	text_add(text,
		 "{\"number\":%" PRIu32 ",\"readable\":%s,\"tree_summed\":%s,\"shared_files\":%" PRIu64 ",",
		 checked->session, checked->imported ? "true" : "false", checked->summed ? "true" : "false",
		 checked->shared_files);
	add_counts(text, checked);
	text_add(text, "}");
}

static void add_files(struct text *text, uint64_t files, uint64_t bytes)
{
	char size[FORMAT_ROOM];

	format_plural(text, files, "file");
	text_add(text, " (%s)", text_size(size, bytes));
}

static void print_session(struct verify_show *show, const struct verb_checked *checked)
{
	AUTO_TEXT struct text line = { 0 };

	progress_end(&show->progress);
	text_add(&line, "Session %" PRIu32 ": ", checked->session);
	if (!checked->imported)
		text_add(&line, "nothing of it can be reached");
	else
		add_files(&line, checked->good_files, checked->good_bytes);
	if (checked->imported)
		text_add(&line, " good");
	if (checked->unsummed_files) {
		text_add(&line, ", ");
		add_files(&line, checked->unsummed_files, checked->unsummed_bytes);
		text_add(&line, " readable, without a recorded sum");
	}
	if (checked->damaged_files) {
		text_add(&line, ", ");
		add_files(&line, checked->damaged_files, checked->damaged_bytes);
		text_add(&line, " damaged");
	}
	if (checked->shared_files) {
		text_add(&line, "; ");
		format_plural(&line, checked->shared_files, "file");
		text_add(&line, " of these as in newer sessions");
	}
	puts(line.failed ? "" : line.data);
	fflush(stdout);
}

static void show_checked(void *self, const struct verb_checked *checked)
{
	struct verify_show *show = self;
	struct verb_checked *sum = &show->sum;

	sum->session++;
	sum->good_files += checked->good_files;
	sum->good_bytes += checked->good_bytes;
	sum->unsummed_files += checked->unsummed_files;
	sum->unsummed_bytes += checked->unsummed_bytes;
	sum->damaged_files += checked->damaged_files - checked->again_files;
	show->damaged_sessions += checked->damaged_files > 0;
	if (!checked->imported && !show->unreached++)
		show->lost_from = checked->session;
	sum->damaged_bytes += checked->damaged_bytes;
	sum->damages += checked->damages;
	if (show->json)
		add_session(show, checked);
	else
		print_session(show, checked);
}

static void keep_sum(void *self, const struct verb_sum *sum)
{
	struct verify_show *show = (struct verify_show *)self;

	text_add(show->learned, "%" PRIu64 " %" PRIu64 " ", sum->lba, sum->bytes);
	for (size_t i = 0; i < sizeof sum->sha256; i++)
		text_add(show->learned, "%02x", sum->sha256[i]);
	text_add(show->learned, "\n");
}

const struct verify_watch verify_show_watch = { show_progress, show_damaged, show_checked, keep_sum };

void verify_show_start(struct verify_show *show, bool json, bool all)
{
	*show = (struct verify_show){ .json = json, .all = all };
	progress_start(&show->progress, json);
}

void verify_show_disc(struct verify_show *show, const char *text)
{
	struct verb_damaged damaged = { .how = DAMAGED_UNREADABLE, .lba = NO_SECTOR };

	snprintf(damaged.text, sizeof damaged.text, "%.*s", (int)sizeof damaged.text - 1, text);
	show->sum.damages++;
	show_damaged(show, &damaged);
}

static bool is_good(const struct verify_show *show)
{
	return !show->sum.damages && !show->sum.damaged_files;
}

static int print_json(const struct verify_show *show, const char *source, const char *mountpoint)
{
	AUTO_TEXT struct text text = { 0 };

	text_add(&text, "{\"source\":");
	text_add_json(&text, source, strlen(source));
	text_add(&text, ",\"mountpoint\":");
	if (mountpoint)
		text_add_json(&text, mountpoint, strlen(mountpoint));
	else
		text_add(&text, "null");
	text_add(&text, ",\"good\":%s,", is_good(show) ? "true" : "false");
	add_counts(&text, &show->sum);
	text_add(&text, ",\"sessions\":[");
	text_add(&text, "%s", show->sessions.data ? show->sessions.data : "");
	text_add(&text, "],\"damaged\":[");
	text_add(&text, "%s", show->damages.data ? show->damages.data : "");
	text_add(&text, "]}");
	if (text.failed || show->sessions.failed || show->damages.failed)
		return ctl_fail(EXIT_CODE_SYSTEM, "no memory for what was found");
	puts(text.data);
	return EXIT_CODE_DONE;
}

static void tell_files(const struct verify_show *show, struct text *text)
{
	format_plural(text, show->sum.damaged_files, "file");
	text_add(text, " %s damaged", show->sum.damaged_files == 1 ? "is" : "are");
	if (show->damaged_sessions > 1)
		text_add(text, " in %" PRIu32 " sessions", show->damaged_sessions);
	if (show->unreached)
		text_add(text, ", and nothing of %" PRIu32 " more can be reached", show->unreached);
}

int verify_show_end(struct verify_show *show, const char *source, const char *mountpoint)
{
	const struct verb_checked *sum = &show->sum;
	AUTO_TEXT struct text text = { 0 };
	int code = EXIT_CODE_DONE;

	progress_end(&show->progress);
	if (show->json)
		code = print_json(show, source, mountpoint);
	else if (!sum->session && is_good(show))
		puts("Nothing is recorded: there is nothing to verify");
	if (code || is_good(show))
		return code;
	if (sum->damaged_files)
		tell_files(show, &text);
	else if (show->unreached == 1)
		text_add(&text, "damaged: nothing of session %" PRIu32 " can be reached", show->lost_from);
	else if (show->unreached)
		text_add(&text, "damaged: nothing of %" PRIu32 " sessions can be reached", show->unreached);
	else
		text_add(&text, "damaged, but not in the content of a file");
	return ctl_fail(EXIT_CODE_VERIFY_FAILED, "%s: %s", source, text.failed ? "damaged" : text.data);
}

void verify_show_clear(struct verify_show *show)
{
	text_clear(&show->sessions);
	text_clear(&show->damages);
}
