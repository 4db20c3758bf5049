/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/image.h"
#include "ctl/place.h"
#include "ctl/treat.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

/* One command line of blank or format. */
struct treatment {
	const char *command; /* "blank" */
	const char *verb;    /* "blanking" */
	const char *done;    /* "blanked" */
	struct verb_task task;
	bool yes, json;
};

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* look: NULL for an image file. */
static int report(const struct treatment *treatment, const char *path, const struct look *look, bool was_done,
		  int64_t seconds)
{
	AUTO_TEXT struct text text = { 0 };

	if (treatment->json) {
		text_add(&text, "{\"op\":\"%s\",\"source\":", treatment->command);
		text_add_json(&text, path, strlen(path));
		text_add(&text, ",\"full\":%s,\"done\":%s,\"seconds\":%" PRId64 ",\"now\":",
			 treatment->task.full ? "true" : "false", was_done ? "true" : "false", seconds);
		if (look)
			look_to_json(look, &text);
		else
			text_add(&text, "null");
		text_add(&text, "}");
	} else if (!was_done) {
		text_add_escaped(&text, path, strlen(path));
		text_add(&text, " is blank already");
	} else if (look) {
		text_add(&text, "%s: ", treatment->done);
		look_to_line(look, &text);
	} else {
		text_add(&text, "%s: ", treatment->done);
		text_add_escaped(&text, path, strlen(path));
	}
	puts(text.failed ? "" : text.data);
	return EXIT_CODE_DONE;
}

/* On a disc that may hold something. title: what it is. */
static int ask(const struct treatment *treatment, const char *path, const char *title, const char *label)
{
	AUTO_TEXT struct text question = { 0 };

	if (treatment->yes)
		return EXIT_CODE_DONE;
	text_add(&question, "%c%s %s in ", treatment->command[0] & ~0x20, treatment->command + 1, title);
	text_add_escaped(&question, path, strlen(path));
	if (label[0]) {
		text_add(&question, " (");
		text_add_escaped(&question, label, strlen(label));
		text_add(&question, ")");
	}
	text_add(&question, "? Everything on it is lost.");
	return ctl_confirm(treatment->command, "erase a disc that isn't blank",
			   question.failed ? "Erase it?" : question.data, "nothing is erased");
}

static int drive_refused(const struct look *look)
{
	if (look->access == LOOK_BUSY)
		return ctl_fail(EXIT_CODE_BUSY, "%s is busy: another program has it for itself", look->path);
	if (look->access == LOOK_FAILED)
		return treat_failed(look->path, look->why.err, &look->why);
	if (look->state == LOOK_EMPTY)
		return ctl_fail(EXIT_CODE_NO_MEDIUM, "there is no disc in %s", look->path);
	return EXIT_CODE_DONE;
}

static int treat_disc(const struct treatment *treatment, const char *path)
{
	CLEANUP(look_clear) struct look before = { 0 };
	CLEANUP(look_clear) struct look after = { 0 };
	int64_t start = now_s();
	bool blank;
	int code;

	look_at(path, &before);
	code = drive_refused(&before);
	if (code)
		return code;
	blank = before.state == LOOK_BLANK;
	if (blank && treatment->task.op == DRIVE_BLANK_DISC && !treatment->task.full)
		return report(treatment, path, &before, false, 0);
	if (!blank && before.state != LOOK_UNFORMATTED)
		code = ask(treatment, path, before.title ? before.title : "the disc", before.label);
	if (!code)
		code = treat_drive(path, &treatment->task, treatment->verb, treatment->json, &after);
	return code ? code : report(treatment, path, &after, true, now_s() - start);
}

static int blank_image(const struct treatment *treatment, const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct medium_mark mark;
	int err, code;

	if (fd < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return ctl_fail(EXIT_CODE_BUSY, "%s is in use", path);
	if (!image_has_mark(fd, &mark))
		return ctl_fail(EXIT_CODE_NOT_APPENDABLE,
				"%s is no image that discfsctl create made: it is left alone", path);
	if (image_is_blank(fd))
		return report(treatment, path, NULL, false, 0);
	code = ask(treatment, path, "the disc", "");
	if (code)
		return code;
	err = image_reset(fd, &mark);
	if (err < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", path, strerror(-err));
	return report(treatment, path, NULL, true, 0);
}

static int treat(const struct treatment *treatment, const char *argument)
{
	struct place place = { 0 };
	int code;

	if (!argument)
		return ctl_usage(treatment->command, "the name of the DRIVE is missing");
	code = place_find(treatment->command, argument, false, &place);
	if (code)
		return code;
	if (place.mounted)
		return place_is_mounted(&place);
	if (place.is_drive)
		return treat_disc(treatment, place.path);
	if (treatment->task.op == DRIVE_FORMAT)
		return ctl_fail(EXIT_CODE_NOT_APPENDABLE, "%s is an image file: it needs no formatting",
				place.path);
	return blank_image(treatment, place.path);
}

int command_blank(int argc, char **argv)
{
	struct treatment treatment = {
		.command = "blank", .verb = "blanking", .done = "Blanked", .task.op = DRIVE_BLANK_DISC
	};
	const struct option_spec options[] = {
		{ "full", 0, .flag = &treatment.task.full },
		{ "yes", 'y', .flag = &treatment.yes },
		{ "json", 0, .flag = &treatment.json },
		{ 0 },
	};
	int count, code = ctl_options(argc, argv, options, 1, &count);

	return code ? code : treat(&treatment, count ? argv[1] : NULL);
}

int command_format(int argc, char **argv)
{
	struct treatment treatment = {
		.command = "format", .verb = "formatting", .done = "Formatted", .task.op = DRIVE_FORMAT
	};
	bool spare = false, no_spare = false;
	const struct option_spec options[] = {
		{ "full", 0, .flag = &treatment.task.full }, { "spare", 0, .flag = &spare },
		{ "no-spare", 0, .flag = &no_spare },	     { "yes", 'y', .flag = &treatment.yes },
		{ "json", 0, .flag = &treatment.json },	     { 0 },
	};
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code && spare && no_spare)
		code = ctl_usage("format", "--spare and --no-spare: say one of them");
	if (code)
		return code;
	treatment.task.spare = spare ? SPARE_WANTED : no_spare ? SPARE_UNWANTED : SPARE_USUAL;
	return treat(&treatment, count ? argv[1] : NULL);
}
