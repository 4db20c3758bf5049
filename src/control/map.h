/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disc as a picture: rings for its sessions, for what is staged and for what is free, in their true
 * proportion; a legend beside it. Draws numbers into text, and knows nothing of mounts. */
#pragma once

#include "base/text.h"
#include "model/disc_map.h"
#include "wire/verbs.h"

struct map_picture {
	struct disc_map *map;
	const struct verb_session *sessions;
	bool appendable;
	const char *title;    /* the disc's label, or where it is */
	const char *subtitle; /* what it is */
};

/* Adds a whole SVG document. */
void map_draw(const struct map_picture *picture, struct text *text);
