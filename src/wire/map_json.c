/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/map_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int map_of_sessions(struct disc_map *map, const struct verb_session *sessions, size_t count,
		    struct map_facts *facts)
{
	struct map_session *places AUTO_FREE = calloc(count + 1, sizeof *places);
	int ret;

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		places[i] = (struct map_session){ sessions[i].start, sessions[i].sectors };
	facts->sessions = places;
	facts->count = count;
	ret = disc_map_make(map, facts);
	facts->sessions = NULL;
	return ret;
}

static void add_parts(const struct disc_map *map, const struct verb_session *sessions, struct text *text)
{
	text_add(text, "[");
	for (size_t i = 0; i < map->parts.count; i++) {
		const struct map_part *part = &map->parts.items[i];
		const struct verb_session *session = &sessions[part->session];

		text_add(text, "%s{\"kind\":\"%s\",\"start\":%" PRIu64 ",\"sectors\":%" PRIu64,
			 i ? ",\n" : "", map_kind_word(part->kind), part->start, part->sectors);
		if (part->kind == MAP_SESSION) {
			text_add(text,
				 ",\"number\":%" PRIu32 ",\"time\":%" PRId64 ",\"label\":", session->number,
				 session->time);
			text_add_json(text, session->label, strlen(session->label));
		}
		text_add(text, "}");
	}
	text_add(text, "]");
}

void map_document(const struct disc_map *map, const struct map_title *title,
		  const struct verb_session *sessions, struct text *text)
{
	text_add(text, "{\"source\":");
	text_add_json(text, title->source, strlen(title->source));
	text_add(text, ",\"label\":");
	text_add_json(text, title->label, strlen(title->label));
	text_add(text, ",\"profile\":");
	text_add_json(text, title->disc->profile, strlen(title->disc->profile));
	text_add(text, ",\"capacity_sectors\":%" PRIu64 ",\"sectors\":%" PRIu64 ",\n\"parts\":",
		 title->disc->capacity, map->sectors);
	add_parts(map, sessions, text);
	text_add(text, "}\n");
}
