/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/format.h"
#include "ctl/look.h"

#include <inttypes.h>
#include <string.h>

static void add_escaped(struct text *text, const char *word)
{
	text_add_escaped(text, word, strlen(word));
}

static void add_medium(const struct look *look, struct text *text)
{
	char size[FORMAT_ROOM], total[FORMAT_ROOM];

	if (look->state == LOOK_EMPTY) {
		text_add(text, "no disc");
		return;
	}
	text_add(text, "%s, %s", look->title ? look->title : "a disc",
		 look->facts.drive.damaged ? "damaged by a burn that was cut off"
					   : look_state_name(look->state));
	if (look->label[0]) {
		text_add(text, ", ");
		add_escaped(text, look->label);
	}
	if (look->capacity && (look->state == LOOK_CLOSED || look->state == LOOK_UNFORMATTED))
		text_add(text, ", %s", format_sectors(total, look->capacity));
	else if (look->capacity)
		text_add(text, ", %s of %s free", format_sectors(size, look->free),
			 format_sectors(total, look->capacity));
}

static void add_failure(const struct look *look, struct text *text)
{
	const char *why = look->why.text[0] ? look->why.text : strerror(look->why.err);
	size_t name = strlen(look->path);

	/* The line begins with its name already. */
	add_escaped(text, strncmp(why, look->path, name) == 0 && why[name] == ' ' ? why + name + 1 : why);
}

static void add_access(const struct look *look, struct text *text)
{
	switch (look->access) {
	case LOOK_ASKED:
		add_medium(look, text);
		break;
	case LOOK_MOUNTED:
		if (look->medium)
			add_medium(look, text);
		else
			text_add(text, "in use");
		break;
	case LOOK_BURNING:
		text_add(text, "busy (burning)");
		break;
	case LOOK_BUSY:
		text_add(text, "busy (another program has it for itself)");
		break;
	case LOOK_FAILED:
		add_failure(look, text);
		break;
	}
}

void look_to_line(const struct look *look, struct text *text)
{
	text_add(text, "%s: ", look->path);
	if (look->vendor[0] || look->product[0]) {
		add_escaped(text, look->vendor);
		text_add(text, " ");
		add_escaped(text, look->product);
		text_add(text, "%s", look->revision[0] ? " " : "");
		add_escaped(text, look->revision);
		text_add(text, ": ");
	}
	add_access(look, text);
	if (look->mountpoint[0]) {
		text_add(text, ", mounted on ");
		add_escaped(text, look->mountpoint);
	}
}

/* Drives tell of a speed by several pages. */
static bool is_new_speed(const struct look *look, size_t at, bool write)
{
	const struct verb_speed *speeds = look->facts.speeds.items;

	if (speeds[at].write != write)
		return false;
	for (size_t i = 0; i < at; i++)
		if (speeds[i].write == write && speeds[i].kbps == speeds[at].kbps)
			return false;
	return true;
}

static void speeds_line(const struct look *look, bool write, struct text *text)
{
	bool first = true;

	for (size_t i = 0; i < look->facts.speeds.count; i++) {
		if (!is_new_speed(look, i, write))
			continue;
		text_add(text, "%s%" PRIu32, first ? (write ? "    writes at " : "    reads at ") : ", ",
			 look->facts.speeds.items[i].kbps);
		first = false;
	}
	if (!first)
		text_add(text, " kB/s\n");
}

void look_speeds(const struct look *look, struct text *text)
{
	speeds_line(look, true, text);
	speeds_line(look, false, text);
}

static void json_text(struct text *text, const char *key, const char *value)
{
	text_add(text, ",\"%s\":", key);
	if (value && value[0])
		text_add_json(text, value, strlen(value));
	else
		text_add(text, "null");
}

static void json_speeds(const struct look *look, bool write, struct text *text)
{
	bool first = true;

	text_add(text, ",\"%s\":[", write ? "write_kbps" : "read_kbps");
	for (size_t i = 0; i < look->facts.speeds.count; i++) {
		if (!is_new_speed(look, i, write))
			continue;
		text_add(text, "%s%" PRIu32, first ? "" : ",", look->facts.speeds.items[i].kbps);
		first = false;
	}
	text_add(text, "]");
}

static void json_medium(const struct look *look, struct text *text)
{
	const struct verb_drive *drive = &look->facts.drive;

	text_add(text, ",\"medium\":{\"state\":\"%s\"", look_state_name(look->state));
	json_text(text, "profile", look->medium);
	json_text(text, "label", look->label);
	text_add(text, ",\"capacity_sectors\":%" PRIu64 ",\"free_sectors\":%" PRIu64, look->capacity,
		 look->free);
	if (drive->profile)
		text_add(text, ",\"overwriteable\":%s,\"damaged\":%s,\"simulates\":%s",
			 drive->overwriteable ? "true" : "false", drive->damaged ? "true" : "false",
			 drive->simulates ? "true" : "false");
	text_add(text, "}");
}

void look_to_json(const struct look *look, struct text *text)
{
	static const char *const access_names[] = {
		[LOOK_ASKED] = "free", [LOOK_MOUNTED] = "mounted", [LOOK_BURNING] = "burning",
		[LOOK_BUSY] = "busy",  [LOOK_FAILED] = "failed",
	};

	text_add(text, "{\"drive\":");
	text_add_json(text, look->path, strlen(look->path));
	json_text(text, "vendor", look->vendor);
	json_text(text, "product", look->product);
	json_text(text, "revision", look->revision);
	text_add(text, ",\"access\":\"%s\"", access_names[look->access]);
	json_text(text, "mountpoint", look->mountpoint);
	json_text(text, "filesystem", look->filesystem);
	json_text(text, "error", look->access == LOOK_FAILED ? look->why.text : NULL);
	json_medium(look, text);
	json_speeds(look, true, text);
	json_speeds(look, false, text);
	text_add(text, "}");
}
