/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disc's map from what probes and mounts know, and as programs read it. */
#pragma once

#include "base/text.h"
#include "model/disc_map.h"
#include "wire/verbs.h"

/* facts: sessions and count are filled in here. 0 or -ENOMEM. */
int map_of_sessions(struct disc_map *map, const struct verb_session *sessions, size_t count,
		    struct map_facts *facts);
struct map_title {
	const char *source, *label;
	const struct verb_disc *disc;
};

/* A whole document: source, label, profile, capacity_sectors, sectors, and parts, an array of objects: kind,
 * start, sectors; of sessions number, label and time, too. */
void map_document(const struct disc_map *map, const struct map_title *title,
		  const struct verb_session *sessions, struct text *text);
