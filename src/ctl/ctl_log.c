/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/place.h"
#include "ctl/treat.h"
#include "proc/probe.h"
#include "wire/session_json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct log_words {
	bool stat, all, json;
};

static void number_column(const struct json *log, int row, const char *key, const char *more)
{
	char number[FORMAT_ROOM];
	int64_t count = json_int(log, "$[%d].%s", row, key);

	if (!json_has(log, "$[%d].%s", row, key)) {
		printf("  %7s", "-");
		return;
	}
	if (more)
		count += json_int(log, "$[%d].%s", row, more);
	printf("  %7s", format_count(number, (uint64_t)count));
}

/* One that failed has no number and no size, but a reason. */
static void print_failed(const struct json *log, int row)
{
	AUTO_FREE char *label = json_string(log, "$[%d].label", row);
	AUTO_FREE char *message = json_string(log, "$[%d].message", row);
	char date[FORMAT_ROOM];

	printf("%7s  %-16s  failed: ", "-", format_time(date, json_int(log, "$[%d].time", row)));
	format_print_name(message);
	if (label && label[0]) {
		fputs(" (", stdout);
		format_print_name(label);
		putchar(')');
	}
	putchar('\n');
}

static void print_row(const struct json *log, int row)
{
	AUTO_FREE char *label = json_string(log, "$[%d].label", row);
	char date[FORMAT_ROOM], start[FORMAT_ROOM], size[FORMAT_ROOM];

	printf("%7" PRId64 "  %-16s  %12s  %8s", json_int(log, "$[%d].number", row),
	       format_time(date, json_int(log, "$[%d].time", row)),
	       format_count(start, (uint64_t)json_int(log, "$[%d].start", row)),
	       format_sectors(size, (uint64_t)json_int(log, "$[%d].sectors", row)));
	number_column(log, row, "added", NULL);
	number_column(log, row, "modified", "renamed");
	number_column(log, row, "deleted", NULL);
	fputs("  ", stdout);
	format_print_name(label);
	if (json_has(log, "$[%d].verified", row) && !json_bool(log, "$[%d].verified", row))
		printf("%s(not verified)", label && label[0] ? " " : "");
	putchar('\n');
}

static bool is_shown(const struct json *log, int row, const struct log_words *words)
{
	return words->all || json_has(log, "$[%d].number", row);
}

static void print_table(const struct json *log, const struct log_words *words)
{
	int shown = 0;

	for (int row = (int)json_count(log, "$") - 1; row >= 0; row--) {
		if (!is_shown(log, row, words))
			continue;
		if (!shown++)
			printf("%7s  %-16s  %12s  %8s  %7s  %7s  %7s  %s\n", "Session", "Date", "Start",
			       "Size", "Added", "Changed", "Removed", "Label");
		if (json_has(log, "$[%d].number", row))
			print_row(log, row);
		else
			print_failed(log, row);
	}
	if (!shown)
		puts("No session on it yet.");
}

static int print_log(const struct text *text, const struct log_words *words)
{
	AUTO_JSON struct json log = { 0 };
	int shown = 0;

	if (text->failed || json_open(&log, text->data, text->length) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "no memory for what was found");
	if (!words->json) {
		print_table(&log, words);
		return EXIT_CODE_DONE;
	}
	for (int row = 0; row < (int)json_count(&log, "$"); row++) {
		AUTO_FREE char *object = json_string(&log, "$[%d]", row);

		if (is_shown(&log, row, words))
			printf("%s%s", shown++ ? ",\n" : "[", object ? object : "null");
	}
	puts(shown ? "]" : "[]");
	return EXIT_CODE_DONE;
}

static int log_of_mount(const struct target *target, const struct log_words *words)
{
	AUTO_TEXT struct text text = { 0 };
	int code = target_read(target, words->stat ? "log-stat.json" : "log.json", &text);

	return code ? code : print_log(&text, words);
}

static int log_of_source(const struct place *place, const struct log_words *words)
{
	const struct probe_wish wish = { .damaged = true }; /* whatever can be told */
	CLEANUP(probe_clear) struct probe probe = { 0 };
	AUTO_CLOSE int fd = open(place->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	AUTO_TEXT struct text text = { 0 };
	struct reason why = { 0 };
	int err;

	if (words->stat)
		return ctl_usage("log", "%s isn't mounted: --stat needs that", place->path);
	if (fd < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", place->path, strerror(errno));
	err = probe_run(fd, place->path, &wish, &probe, &why);
	if (err < 0)
		return treat_failed(place->path, -err, &why);
	sessions_to_json(probe.sessions.items, probe.sessions.count, &text);
	text_add(&text, "\n");
	return print_log(&text, words);
}

int command_log(int argc, char **argv)
{
	struct log_words words = { 0 };
	const struct option_spec options[] = {
		{ "stat", 's', .flag = &words.stat },
		{ "all", 'a', .flag = &words.all },
		{ "json", 0, .flag = &words.json },
		{ 0 },
	};
	struct place place;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = place_find("log", count ? argv[1] : NULL, true, &place);
	if (code)
		return code;
	if (place.discfs)
		return log_of_mount(&place.mount, &words);
	/* A drive that is in use isn't asked. */
	if (place.is_drive && place.mounted)
		return place_is_mounted(&place);
	return log_of_source(&place, &words);
}
