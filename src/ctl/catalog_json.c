/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/catalog_json.h"
#include "wire/session_json.h"

#include <inttypes.h>
#include <string.h>

static void add_string(struct text *text, const char *key, const char *value)
{
	text_add(text, "\"%s\":", key);
	if (value)
		text_add_json(text, value, strlen(value));
	else
		text_add(text, "null");
	text_add(text, ",");
}

static void add_shelf(const struct shelf *shelf, struct text *text)
{
	static const char *const states[] = { "unknown", "blank", "appendable", "closed" };
	const struct verb_disc *disc = &shelf->disc;

	add_string(text, "source", shelf->path);
	text_add(text, "\"drive\":%s,\"seen\":%" PRId64 ",", shelf->is_drive ? "true" : "false", shelf->seen);
	text_add(text, "\"medium\":{");
	add_string(text, "profile", disc->profile);
	add_string(text, "state", states[disc->state < 4 ? disc->state : 0]);
	text_add(text, "\"capacity_sectors\":%" PRIu64 ",\"used_sectors\":%" PRIu64 "},", disc->capacity,
		 disc->recorded);
	text_add(text,
		 "\"base\":{\"nodes\":%" PRIu64 ",\"files\":%" PRIu64 ",\"folders\":%" PRIu64
		 ",\"bytes\":%" PRIu64 "},",
		 shelf->nodes, shelf->files, shelf->folders, shelf->bytes);
	text_add(text, "\"sessions\":");
	sessions_to_json(shelf->sessions.items, shelf->sessions.count, text);
	text_add(text, ",");
	add_string(text, "superseded", shelf->superseded[0] ? shelf->superseded : NULL);
}

void catalog_disc_to_json(const struct catalog *catalog, const struct catalog_disc *disc, struct text *text)
{
	const struct changes_count *staged = &disc->staged;

	text_add(text, "{");
	add_string(text, "id", disc->id);
	add_string(text, "brief", disc->brief);
	add_string(text, "label", disc->shelf.label);
	if (disc->known)
		add_shelf(&disc->shelf, text);
	text_add(text,
		 "\"staged\":{\"added\":%" PRIu64 ",\"modified\":%" PRIu64 ",\"deleted\":%" PRIu64
		 ",\"renamed\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"cut_off\":%s},",
		 staged->added, staged->modified, staged->deleted, staged->renamed, disc->staged_bytes,
		 disc->cut_off ? "true" : "false");
	add_string(text, "error", disc->unreadable.err ? disc->unreadable.text : NULL);
	text_add(text, "\"mounted\":%s,\"state_directory\":", disc->mounted ? "true" : "false");
	{
		struct text path AUTO_TEXT = { 0 };

		text_add(&path, "%s/%s", catalog->root, disc->id);
		text_add_json(text, path.data ? path.data : "", path.length);
	}
	text_add(text, "}");
}
