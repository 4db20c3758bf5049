/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/drive_show.h"
#include "ctl/format.h"
#include "ctl/show.h"
#include "ctl/place.h"
#include "ctl/treat.h"
#include "wire/session_json.h"
#include "proc/drive_json.h"
#include "proc/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct info_words {
	bool json, verbose;
};

static const char *state_word(uint32_t state)
{
	return state == DISC_BLANK ? "blank" : state == DISC_APPENDABLE ? "appendable" : "closed";
}

static void add_string(struct text *text, const char *key, const char *value)
{
	text_add(text, "\"%s\":", key);
	text_add_json(text, value, strlen(value));
}

/* Sectors for the next session and all after it; 0: nothing more, or (an image) as much as the host's disk.
 */
static uint64_t room_of(const struct probe *probe)
{
	const struct verb_disc *disc = &probe->disc;

	if (disc->state == DISC_CLOSED)
		return 0;
	if (probe->is_drive && !probe->facts.drive.overwriteable)
		return probe->facts.drive.free;
	return disc->capacity > disc->nwa ? disc->capacity - disc->nwa : 0;
}

/* What a probe found, under the keys that a mount's status has too. */
static void probe_to_json(const char *source, const struct probe *probe, struct text *text)
{
	const struct verb_disc *disc = &probe->disc;
	size_t count = probe->sessions.count;
	struct target target;

	text_add(text, "{");
	add_string(text, "source", source);
	text_add(text, ",");
	if (target_of_source(source, &target))
		add_string(text, "mountpoint", target.root);
	else
		text_add(text, "\"mountpoint\":null");
	text_add(text, ",\"medium\":{");
	add_string(text, "profile", disc->profile);
	text_add(text, ",\"state\":\"%s\",\"capacity_sectors\":%" PRIu64 ",\"used_sectors\":%" PRIu64 "},",
		 state_word(disc->state), disc->capacity, disc->recorded);
	add_string(text, "closed_reason", disc->state == DISC_CLOSED ? disc->closed_why : "");
	text_add(text, ",\"room\":{\"next_start\":%" PRIu64 ",\"free_sectors\":%" PRIu64 "},", disc->nwa,
		 room_of(probe));
	add_string(text, "label", count ? probe->sessions.items[count - 1].label : "");
	text_add(text, ",");
	text_add(text, "\"sessions\":");
	sessions_to_json(probe->sessions.items, count, text);
	if (probe->is_drive)
		drive_to_json(&probe->facts, text);
	text_add(text, "}\n");
}

/* Of a drive, drive_print says it. That number is dd's seek= for a session that comes from a file. */
static void print_next(const struct json *status)
{
	AUTO_FREE char *state = json_string(status, "$.medium.state");
	char start[FORMAT_ROOM];

	if (json_has(status, "$.drive") || !state || strcmp(state, "closed") == 0)
		return;
	printf("The next session begins at sector %s\n",
	       format_count(start, (uint64_t)json_int(status, "$.room.next_start")));
}

static int info_print(const struct json *status, const struct info_words *words)
{
	AUTO_FREE char *source = json_string(status, "$.source");
	AUTO_FREE char *mountpoint = json_string(status, "$.mountpoint");
	AUTO_FREE char *closed = json_string(status, "$.closed_reason");

	if (words->json) {
		fputs(status->text, stdout);
		return EXIT_CODE_DONE;
	}
	format_print_name(source);
	if (mountpoint) {
		fputs(", mounted on ", stdout);
		format_print_name(mountpoint);
	}
	putchar('\n');
	show_medium(status);
	if (closed && closed[0]) {
		fputs("Nothing can be appended: ", stdout);
		format_print_name(closed);
		putchar('\n');
	}
	drive_print(status);
	print_next(status);
	show_sessions_line(status);
	if (json_count(status, "$.sessions"))
		show_sessions(status);
	if (words->verbose)
		drive_print_tracks(status);
	show_damage(status);
	return EXIT_CODE_DONE;
}

static int info_mount(const struct target *target, const struct info_words *words)
{
	AUTO_JSON struct json status = { 0 };
	int code = target_status(target, &status);

	return code ? code : info_print(&status, words);
}

/* There is no telling what is on it, but what is known can be told. */
static int info_unknown(const char *path, const struct info_words *words)
{
	CLEANUP(look_clear) struct look look = { 0 };
	AUTO_TEXT struct text text = { 0 };

	look_at(path, &look);
	if (words->json)
		look_to_json(&look, &text);
	else
		look_to_line(&look, &text);
	puts(text.failed ? "" : text.data);
	return look.state == LOOK_EMPTY ? EXIT_CODE_NO_MEDIUM : EXIT_CODE_DONE;
}

static int info_failed(const struct place *place, int err, const struct reason *why,
		       const struct info_words *words)
{
	if (place->is_drive && (err == ENOMEDIUM || err == EMEDIUMTYPE || err == EIO))
		info_unknown(place->path, words);
	return treat_failed(place->path, err, why);
}

static int info_source(const struct place *place, const struct info_words *words)
{
	const struct probe_wish wish = { .damaged = true }; /* whatever can be told */
	CLEANUP(probe_clear) struct probe probe = { 0 };
	AUTO_CLOSE int fd = open(place->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	AUTO_TEXT struct text text = { 0 };
	AUTO_JSON struct json status = { 0 };
	struct reason why = { 0 };
	int err;

	if (fd < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s%s", place->path, strerror(errno),
				errno == EACCES && place->is_drive
				    ? ": your user must be in the group that owns it (cdrom)"
				    : "");
	err = probe_run(fd, place->path, &wish, &probe, &why);
	if (err < 0)
		return info_failed(place, -err, &why, words);
	probe_to_json(place->path, &probe, &text);
	if (text.failed || json_open(&status, text.data, text.length) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: no memory for what was found", place->path);
	return info_print(&status, words);
}

int command_info(int argc, char **argv)
{
	struct info_words words = { 0 };
	const struct option_spec options[] = {
		{ "verbose", 'v', .flag = &words.verbose },
		{ "json", 0, .flag = &words.json },
		{ 0 },
	};
	struct place place = { 0 };
	struct target target;
	const char *path;
	struct stat st;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (code)
		return code;
	path = count ? argv[1] : ".";
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		code = target_find(path, &target);
		return code ? code : info_mount(&target, &words);
	}
	code = place_find("info", path, false, &place);
	if (code)
		return code;
	/* A drive that is in use isn't asked. */
	if (place.is_drive && place.discfs)
		return info_mount(&place.mount, &words);
	return place.is_drive && place.mounted ? info_unknown(place.path, &words)
					       : info_source(&place, &words);
}
