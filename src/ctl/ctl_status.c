/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"
#include "ctl/colour.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/show.h"
#include "ctl/target.h"
#include "ctl/work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGES_SHOWN 40u
#define COPIES_FROM   10000000u /* more than that isn't directories */
#define WATCH_S	      1

static void print_medium(const struct target *target, const struct json *status)
{
	AUTO_FREE char *source = json_string(status, "$.source");

	format_print_name(source);
	fputs(" on ", stdout);
	format_print_name(target->root);
	fputs(": ", stdout);
	show_medium(status);
	show_sessions_line(status);
	if (json_bool(status, "$.offline"))
		puts("Offline: the disc isn't here. What only it holds can't be read, and nothing can be "
		     "committed.");
	if (json_bool(status, "$.read_only")) {
		AUTO_FREE char *why = json_string(status, "$.read_only_reason");

		fputs("Read-only: ", stdout);
		format_print_name(why && why[0] ? why : "as it was mounted");
		putchar('\n');
	}
}

/* "A path" as "	added:    path". */
static void print_change(const char *line, size_t length)
{
	static const struct {
		char letter;
		const char *word;
		enum colour colour;
	} words[] = { { 'A', "added:", COLOUR_GREEN },
		      { 'M', "modified:", COLOUR_GREEN },
		      { 'D', "deleted:", COLOUR_RED },
		      { 'R', "renamed:", COLOUR_GREEN },
		      { 'X', "stays here:", COLOUR_YELLOW } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (length <= 2 || line[0] != words[i].letter)
			continue;
		putchar('\t');
		colour_begin(words[i].colour);
		printf("%-10s %.*s", words[i].word, (int)(length - 2), line + 2);
		colour_end(words[i].colour);
		putchar('\n');
	}
}

/* "I path": told of by itself, see print_incomplete. */
static bool is_incomplete(const char *line)
{
	return line[0] == 'I' && line[1] == ' ';
}

static int print_changes(const struct target *target)
{
	AUTO_TEXT struct text changes = { 0 };
	int code = target_read(target, "changes", &changes);
	unsigned count = 0;

	if (code)
		return code;
	for (const char *line = changes.data; *line && !is_incomplete(line); count++) {
		size_t length = strcspn(line, "\n");

		if (count < CHANGES_SHOWN)
			print_change(line, length);
		line += length + (line[length] == '\n');
	}
	if (count > CHANGES_SHOWN)
		printf("\t… and %u more (discfsctl diff)\n", count - CHANGES_SHOWN);
	return EXIT_CODE_DONE;
}

static void print_origin(const struct json *status)
{
	AUTO_FREE char *path = json_string(status, "$.staged_at");

	if (!path || !path[0])
		return;
	fputs("It was staged at ", stdout);
	format_print_name(path);
	puts(", of which this image is a copy; the first of the two that gets a session keeps it.");
}

static void print_litter(const struct json *status)
{
	uint64_t count = (uint64_t)json_int(status, "$.staged.litter");

	if (count)
		printf("%" PRIu64 " staged %s here: litter, which isn't burned (X in discfsctl diff).\n",
		       count, count == 1 ? "thing stays" : "things stay");
}

static int print_staged(const struct target *target, const struct json *status)
{
	uint64_t bytes = (uint64_t)json_int(status, "$.staged.bytes");
	uint64_t session = (uint64_t)json_int(status, "$.room.predicted_sectors") * SECTOR;
	char data[FORMAT_ROOM], size[FORMAT_ROOM];
	int code;

	if (!work_staged(status)) {
		puts("\nNothing is staged.");
		print_litter(status);
		return EXIT_CODE_DONE;
	}
	puts("\nStaged for the next session (discfsctl commit burns it, discfsctl discard forgets it):");
	print_origin(status);
	code = print_changes(target);
	if (code)
		return code;
	text_size(data, bytes);
	text_size(size, session);
	print_litter(status);
	if (json_has(status, "$.work")) /* what goes in now, and what comes later, can't be told apart */
		printf("%s of new data.\n", data);
	else if (session > bytes + bytes / 4 + COPIES_FROM)
		printf("%s of new data; the session will take at most %s, less where files are copies.\n",
		       data, size);
	else
		printf("%s of new data; the session will take about %s.\n", data, size);
	return EXIT_CODE_DONE;
}

/* Nothing is burned as long as there are any. */
static void print_incomplete(const struct json *status)
{
	uint64_t count = (uint64_t)json_int(status, "$.incomplete.count");

	if (!count)
		return;
	printf("\nIncomplete, since writes were refused: copy %s again, or delete %s. Until then nothing is "
	       "burned.\n",
	       count == 1 ? "it" : "them", count == 1 ? "it" : "them");
	for (uint64_t i = 0; i < count && i < CHANGES_SHOWN; i++) {
		AUTO_FREE char *name = json_string(status, "$.incomplete.list[%" PRIu64 "].path", i);
		AUTO_FREE char *why = json_string(status, "$.incomplete.list[%" PRIu64 "].why", i);

		fputs("\tincomplete: ", stdout);
		format_print_name(name);
		printf(" (%s)\n", why ? why : "");
	}
	if (count > CHANGES_SHOWN)
		printf("\t… and %" PRIu64 " more (discfsctl diff)\n", count - CHANGES_SHOWN);
	putchar('\n');
}

/* The less of two counts: what fits on the disc, and what may be staged here. */
static void print_room(const struct json *status)
{
	uint64_t disc = (uint64_t)json_int(status, "$.room.free_bytes");
	uint64_t staging = (uint64_t)json_int(status, "$.room.staging_bytes");
	uint64_t limit = (uint64_t)json_int(status, "$.spool.limit_bytes");
	uint64_t used = (uint64_t)json_int(status, "$.spool.bytes");
	char least[FORMAT_ROOM], more[FORMAT_ROOM];

	printf("Room for %s more", text_size(least, disc < staging ? disc : staging));
	if (staging < disc)
		printf(" (%s; the disc has room for %s)",
		       limit && limit <= used + staging ? "what spool_limit allows"
							: "what the disk with the state directory takes",
		       text_size(more, disc));
	puts(".");
}

static void print_last(const struct json *status)
{
	AUTO_FREE char *message = json_string(status, "$.last.message");

	if (!json_int(status, "$.last.exit"))
		return;
	putchar('\n');
	colour_begin(COLOUR_RED);
	fputs("The last commit failed: ", stdout);
	format_print_name(message);
	colour_end(COLOUR_RED);
	putchar('\n');
}

static int print_status(const struct target *target, const struct json *status)
{
	int code;

	print_medium(target, status);
	show_work(status);
	code = print_staged(target, status);
	if (code)
		return code;
	print_incomplete(status);
	if (!json_bool(status, "$.read_only"))
		print_room(status);
	print_last(status);
	show_warnings(status);
	return EXIT_CODE_DONE;
}

/* JSON keeps newlines between values only. */
static void print_json_line(const char *text)
{
	for (; *text; text++)
		if (*text != '\n')
			putchar(*text);
	putchar('\n');
}

static int status_show(const struct target *target, const struct json *status, bool json)
{
	if (json)
		fputs(status->text, stdout);
	return json ? EXIT_CODE_DONE : print_status(target, status);
}

/* On a terminal it's drawn anew each second; elsewhere it's told again whenever something is different. */
static int status_watch(const struct target *target, bool json)
{
	bool terminal = !json && isatty(STDOUT_FILENO);
	AUTO_FREE char *before = NULL;

	for (;;) {
		AUTO_JSON struct json status = { 0 };
		int code = target_status(target, &status);

		if (code)
			return code;
		if (terminal)
			fputs("\033[H\033[2J", stdout);
		if (terminal || !before || strcmp(before, status.text) != 0) {
			if (!terminal && !json && before)
				putchar('\n');
			if (json)
				print_json_line(status.text);
			else
				code = print_status(target, &status);
			free(before);
			before = strdup(status.text);
		}
		if (code || fflush(stdout) != 0 || ferror(stdout))
			return code ? code : EXIT_CODE_SYSTEM;
		sleep(WATCH_S);
	}
}

int command_status(int argc, char **argv)
{
	bool exit_code = false, json = false, watch = false;
	const struct option_spec options[] = {
		{ "exit-code", 0, .flag = &exit_code },
		{ "watch", 'w', .flag = &watch },
		{ "json", 0, .flag = &json },
		{ 0 },
	};
	AUTO_JSON struct json status = { 0 };
	struct target target;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = target_find(count ? argv[1] : ".", &target);
	if (!code && watch)
		return status_watch(&target, json);
	if (!code)
		code = target_status(&target, &status);
	if (!code)
		code = status_show(&target, &status, json);
	return !code && exit_code && work_staged(&status) ? EXIT_CODE_PENDING : code;
}

int command_diff(int argc, char **argv)
{
	bool json = false;
	const struct option_spec options[] = { { "json", 0, .flag = &json }, { 0 } };
	AUTO_TEXT struct text changes = { 0 };
	struct target target;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = target_find(count ? argv[1] : ".", &target);
	if (!code)
		code = target_read(&target, json ? "changes.json" : "changes", &changes);
	if (!code)
		fwrite(changes.data, 1, changes.length, stdout);
	return code;
}
