/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/drive_show.h"

#include "ctl/format.h"
#include "model/medium.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_string(struct text *text, const char *key, const char *value)
{
	text_add(text, "\"%s\":", key);
	text_add_json(text, value, strlen(value));
	text_add(text, ",");
}

static void add_flag(struct text *text, const char *key, bool value)
{
	text_add(text, "\"%s\":%s,", key, value ? "true" : "false");
}

/* Drives tell of a speed by several pages. */
static bool is_new(const struct drive_facts *facts, size_t at)
{
	const struct verb_speed *speeds = facts->speeds.items;

	for (size_t i = 0; i < at; i++)
		if (speeds[i].write == speeds[at].write && speeds[i].kbps == speeds[at].kbps)
			return false;
	return true;
}

static void add_speeds(struct text *text, const char *key, const struct drive_facts *facts, bool write)
{
	bool first = true;

	text_add(text, "\"%s\":[", key);
	for (size_t i = 0; i < facts->speeds.count; i++) {
		if (facts->speeds.items[i].write != write || !is_new(facts, i))
			continue;
		text_add(text, "%s%" PRIu32, first ? "" : ",", facts->speeds.items[i].kbps);
		first = false;
	}
	text_add(text, "]");
}

static uint32_t sessions_of(const struct drive_facts *facts)
{
	return facts->tracks.count ? facts->tracks.items[facts->tracks.count - 1].session : 0;
}

static void add_tracks(struct text *text, const struct drive_facts *facts)
{
	text_add(text, ",\"tracks\":[");
	for (size_t i = 0; i < facts->tracks.count; i++) {
		const struct verb_track *track = &facts->tracks.items[i];

		text_add(text,
			 "%s{\"number\":%" PRIu32 ",\"session\":%" PRIu32 ",\"start\":%" PRIu64
			 ",\"sectors\":%" PRIu64 ",\"data\":%s}",
			 i ? "," : "", track->number, track->session, track->start, track->sectors,
			 track->data ? "true" : "false");
	}
	text_add(text, "]");
}

void drive_to_json(const struct drive_facts *facts, struct text *text)
{
	const struct verb_drive *drive = &facts->drive;
	bool writable = drive->status == DRIVE_BLANK || drive->status == DRIVE_APPENDABLE;

	text_add(text, ",\"drive\":{");
	add_string(text, "vendor", drive->vendor);
	add_string(text, "product", drive->product);
	add_string(text, "revision", drive->revision);
	add_string(text, "serial", drive->serial);
	add_string(text, "medium", medium_kind_of(drive->profile)->title);
	add_flag(text, "overwriteable", drive->overwriteable);
	add_flag(text, "formatted", drive->formatted);
	add_flag(text, "damaged", drive->damaged);
	add_flag(text, "appends", writable && (drive->overwriteable || !drive->single));
	add_flag(text, "simulates", drive->simulates);
	text_add(text,
		 "\"profile\":%" PRIu32 ",\"damaged_start\":%" PRIu64 ",\"closing_sectors\":%" PRIu64 ",",
		 drive->profile, drive->damaged_start,
		 writable && !drive->overwriteable
		     ? medium_closing_cost(medium_kind_of(drive->profile), sessions_of(facts))
		     : 0);
	add_speeds(text, "write_kbps", facts, true);
	text_add(text, ",");
	add_speeds(text, "read_kbps", facts, false);
	text_add(text, "}");
	add_tracks(text, facts);
}

static void print_speeds(const struct json *info, const char *key, const char *does)
{
	int64_t count = json_count(info, "$.drive.%s", key);

	for (int i = 0; i < (int)count; i++)
		printf("%s%" PRId64, i ? ", " : does, json_int(info, "$.drive.%s[%d]", key, i));
	if (count)
		puts(" kB/s");
}

static void print_next(const struct json *info)
{
	char number[FORMAT_ROOM], size[FORMAT_ROOM];
	uint64_t cost = (uint64_t)json_int(info, "$.drive.closing_sectors");

	printf("The next session begins at sector %s, %s are free",
	       format_count(number, (uint64_t)json_int(info, "$.room.next_start")),
	       format_sectors(size, (uint64_t)json_int(info, "$.room.free_sectors")));
	if (cost)
		printf("; closing it takes %s", format_sectors(size, cost));
	putchar('\n');
	if (!json_bool(info, "$.drive.appends"))
		puts("Another one can't follow it: this medium, as it is, takes a single session.");
	if (!json_bool(info, "$.drive.overwriteable"))
		puts(json_bool(info, "$.drive.simulates") ? "The drive can simulate a burn on it."
							  : "The drive can't simulate a burn on it.");
}

void drive_print(const struct json *info)
{
	AUTO_FREE char *vendor = json_string(info, "$.drive.vendor");
	AUTO_FREE char *product = json_string(info, "$.drive.product");
	AUTO_FREE char *revision = json_string(info, "$.drive.revision");
	AUTO_FREE char *state = json_string(info, "$.medium.state");
	char number[FORMAT_ROOM];

	if (!json_has(info, "$.drive"))
		return;
	fputs("Drive: ", stdout);
	format_print_name(vendor);
	putchar(' ');
	format_print_name(product);
	putchar(' ');
	format_print_name(revision);
	putchar('\n');
	if (json_bool(info, "$.drive.damaged"))
		printf("A burn was cut off: the track that it began at sector %s is closed by the next "
		       "commit.\n",
		       format_count(number, (uint64_t)json_int(info, "$.drive.damaged_start")));
	if (json_bool(info, "$.drive.overwriteable") && !json_bool(info, "$.drive.formatted"))
		puts("It isn't formatted yet (discfsctl format); the first commit does it.");
	else if (state && strcmp(state, "closed") != 0)
		print_next(info);
}

void drive_print_tracks(const struct json *info)
{
	int64_t count = json_count(info, "$.tracks");

	print_speeds(info, "write_kbps", "Writes at ");
	print_speeds(info, "read_kbps", "Reads at ");
	if (count)
		printf("%7s  %7s  %12s  %8s  %s\n", "Track", "Session", "Start", "Size", "Kind");
	for (int i = 0; i < (int)count; i++) {
		char start[FORMAT_ROOM], size[FORMAT_ROOM];

		printf("%7" PRId64 "  %7" PRId64 "  %12s  %8s  %s\n",
		       json_int(info, "$.tracks[%d].number", i), json_int(info, "$.tracks[%d].session", i),
		       format_count(start, (uint64_t)json_int(info, "$.tracks[%d].start", i)),
		       format_sectors(size, (uint64_t)json_int(info, "$.tracks[%d].sectors", i)),
		       json_bool(info, "$.tracks[%d].data", i) ? "data" : "audio");
	}
}
