/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disc as a row of parts, from its first sector to its last: what pictures of it are drawn from.
 *
 * The parts follow each other without a gap, and their sectors add up to the disc's capacity. */
#pragma once

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum map_kind {
	MAP_SESSION,
	MAP_BETWEEN, /* lead-in and lead-out, what belongs to no session, broken burns */
	MAP_STAGED,  /* the next session, about */
	MAP_KEPT,    /* no session can have it: closing the next one takes it, or the disc is closed */
	MAP_FREE,
};
#define MAP_KINDS 5

struct map_part {
	enum map_kind kind;
	uint64_t start, sectors;
	size_t session; /* MAP_SESSION: index in the facts */
};

struct map_session {
	uint64_t start, sectors;
};

struct map_facts {
	const struct map_session *sessions; /* oldest first */
	size_t count;
	uint64_t capacity; /* sectors; 0: as much as comes */
	uint64_t recorded; /* up to there */
	uint64_t next;	   /* where a session would begin */
	uint64_t staged;   /* sectors that it would have; 0: nothing is staged */
	uint64_t free;	   /* sectors behind that which may be used */
	bool appendable;
};

struct disc_map {
	VEC(struct map_part) parts;
	uint64_t sectors; /* of all parts */
};

/* How large it's to be drawn: nothing of what lies between parts, or at a disc's end, only since a session
 * begins and ends at multiples of 32 sectors. */
uint64_t map_shown_sectors(const struct map_part *part);
/* Into an empty map. 0 or -ENOMEM. */
int disc_map_make(struct disc_map *map, const struct map_facts *facts);
void disc_map_clear(struct disc_map *map);
const char *map_kind_word(enum map_kind kind);

/* Shares out so many cells in proportion to sizes, which may be 0: whoever has any gets at least one, where
 * there are enough cells. ret: count numbers. */
void map_share_cells(const uint64_t *sizes, size_t count, unsigned cells, unsigned *ret);
/* The outer radii of rings whose areas are in proportion to sizes, from inner to outer; a ring that would be
 * thinner than least is made that thick, at the cost of those that are thicker. ret: count numbers. */
void map_share_rings(const uint64_t *sizes, size_t count, double inner, double outer, double least,
		     double *ret);
