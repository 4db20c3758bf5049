/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/drive_json.h"

#include "model/medium.h"

#include <inttypes.h>
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
