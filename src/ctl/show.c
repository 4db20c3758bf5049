/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/show.h"
#include "ctl/colour.h"
#include "ctl/format.h"
#include "model/medium.h"
#include "model/tree_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *show_medium_title(const char *profile)
{
	const struct medium_profile *known = profile ? medium_find(profile) : NULL;
	const struct medium_kind *kind = profile ? medium_kind_find(profile) : NULL;

	if (known || kind)
		return known ? known->title : kind->title;
	return profile && strcmp(profile, "custom") == 0 ? "a disc of no usual size" : "an image file";
}

void show_medium(const struct json *status)
{
	AUTO_FREE char *profile = json_string(status, "$.medium.profile");
	AUTO_FREE char *state = json_string(status, "$.medium.state");
	uint64_t capacity = (uint64_t)json_int(status, "$.medium.capacity_sectors");
	char used[FORMAT_ROOM], total[FORMAT_ROOM];

	printf("%s, ", show_medium_title(profile));
	if (json_bool(status, "$.base.asked"))
		printf("session %" PRId64 " of %" PRId64, json_int(status, "$.base.session"),
		       json_count(status, "$.sessions"));
	else
		fputs(state ? state : "unknown", stdout);
	printf(", %s", format_sectors(used, (uint64_t)json_int(status, "$.medium.used_sectors")));
	if (capacity)
		printf(" of %s", format_sectors(total, capacity));
	puts(" used");
}

static const char *format_title(const char *format)
{
	uint32_t known;

	return format && tree_format_find(format, &known) ? tree_format_title(known) : NULL;
}

void show_sessions_line(const struct json *status)
{
	AUTO_FREE char *label = json_string(status, "$.label");
	AUTO_FREE char *format = json_string(status, "$.base.format");
	AUTO_TEXT struct text line = { 0 };
	uint64_t sessions = (uint64_t)json_count(status, "$.sessions");

	if (!sessions) {
		puts("No session on it yet.");
		return;
	}
	fputs("Label ", stdout);
	format_print_name(label && label[0] ? label : "(none)");
	text_add(&line, ", ");
	format_plural(&line, sessions, "session");
	if (json_has(status, "$.base.files")) {
		text_add(&line, ", ");
		format_plural(&line, (uint64_t)json_int(status, "$.base.files"), "file");
		text_add(&line, ", ");
		format_plural(&line, (uint64_t)json_int(status, "$.base.folders"), "folder");
	}
	if (format_title(format))
		text_add(&line, " (%s)", format_title(format));
	puts(line.failed ? "" : line.data);
}

static void show_formats(const struct json *status, int session)
{
	AUTO_TEXT struct text line = { 0 };
	int64_t count = json_count(status, "$.sessions[%d].formats", session);

	for (int i = 0; i < (int)count; i++) {
		AUTO_FREE char *format = json_string(status, "$.sessions[%d].formats[%d]", session, i);

		text_add(&line, "%s%s", i ? ", " : "", format_title(format) ? format_title(format) : "?");
	}
	if (json_bool(status, "$.sessions[%d].damaged", session))
		text_add(&line, "%sdamaged", count ? ", " : "");
	printf("%-28s  ", line.data && !line.failed ? line.data : "-");
}

void show_sessions(const struct json *status)
{
	int64_t count = json_count(status, "$.sessions");

	if (!count) {
		puts("No session on it yet.");
		return;
	}
	printf("%7s  %-16s  %12s  %8s  %-28s  %s\n", "Session", "Date", "Start", "Size", "File systems",
	       "Label");
	for (int i = (int)count - 1; i >= 0; i--) {
		AUTO_FREE char *label = json_string(status, "$.sessions[%d].label", i);
		char date[FORMAT_ROOM], start[FORMAT_ROOM], size[FORMAT_ROOM];

		printf("%7" PRId64 "  %-16s  %12s  %8s  ", json_int(status, "$.sessions[%d].number", i),
		       format_time(date, json_int(status, "$.sessions[%d].time", i)),
		       format_count(start, (uint64_t)json_int(status, "$.sessions[%d].start", i)),
		       format_sectors(size, (uint64_t)json_int(status, "$.sessions[%d].sectors", i)));
		show_formats(status, i);
		format_print_name(label);
		putchar('\n');
	}
}

void show_work(const struct json *status)
{
	AUTO_FREE char *op = json_string(status, "$.work.op");
	AUTO_FREE char *phase = json_string(status, "$.work.phase");
	char done[FORMAT_ROOM], total[FORMAT_ROOM];

	if (!op)
		return;
	printf("Under way: %s, %s, %s of %s sectors (discfsctl wait shows the progress)\n", op,
	       phase ? phase : "", format_count(done, (uint64_t)json_int(status, "$.work.done_sectors")),
	       format_count(total, (uint64_t)json_int(status, "$.work.total_sectors")));
}

void show_damage(const struct json *status)
{
	int64_t lost = json_int(status, "$.damage.lost"), named = json_count(status, "$.damage.names");

	if (lost > 0)
		printf("Damaged:  %" PRId64 " of its directories and files couldn't be read:\n", lost);
	else if (named > 0)
		puts("Damaged:  the tree isn't as it was recorded:");
	for (int64_t i = 0; i < named; i++) {
		AUTO_FREE char *name = json_string(status, "$.damage.names[%d]", (int)i);

		printf("          %s\n", name ? name : "");
	}
}

void show_warnings(const struct json *status)
{
	int64_t count = json_count(status, "$.warnings");

	show_damage(status);
	for (int i = 0; i < (int)count; i++) {
		AUTO_FREE char *warning = json_string(status, "$.warnings[%d]", i);

		fputs(i ? "" : "\n", stdout);
		colour_begin(COLOUR_YELLOW);
		fputs("Warning: ", stdout);
		format_print_name(warning);
		colour_end(COLOUR_YELLOW);
		putchar('\n');
	}
}
