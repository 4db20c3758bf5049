/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media: those that an image file can stand in for, and the real ones. */
#pragma once

#include "base/bytes.h"

struct medium_profile {
	const char *name;  /* as --media takes it */
	uint64_t sectors;  /* capacity of a blank one */
	const char *title; /* for people */
};

/* The table, ended by a NULL name. */
extern const struct medium_profile medium_profiles[];
/* NULL if there's none of that name. */
const struct medium_profile *medium_find(const char *name);

/* What a drive can hold, by the profile that it reports (MMC-5 table 94). */
struct medium_kind {
	uint32_t number;
	const char *name;  /* for scripts */
	const char *title; /* for people */
	/* Sectors between the end of a session and the begin of the next one, where there are such: lead-out,
	 * lead-in and what belongs to them. */
	uint32_t first_gap, next_gap;
};

/* Never NULL: an unknown profile is "unknown". */
const struct medium_kind *medium_kind_of(uint32_t number);
/* The same by name; NULL where there's none. */
const struct medium_kind *medium_kind_find(const char *name);
/* Sectors that closing the next session takes from the room of those after it. sessions: that are recorded.
 */
uint64_t medium_closing_cost(const struct medium_kind *kind, uint32_t sessions);

/* The mark of a created image: text in block 15, the last of the system area (ECMA-119 6.2.1 leaves its
 *content open), so that it travels with the file and survives sessions of any program that keeps the system
 *area: discfs medium 1\nprofile bd\ncapacity 12219392\nid 6f1c…\n
 */
#define MEDIUM_MARK_BLOCK 15u

struct medium_mark {
	char profile[16];  /* a name of the table, or "custom" */
	uint64_t capacity; /* sectors */
	char id[40];	   /* makes two blank images different media */
};

/* block: SECTOR bytes, zero-padded. */
void medium_mark_write(const struct medium_mark *mark, uint8_t *block);
/* False when the block holds no well-formed mark. */
bool medium_mark_read(const uint8_t *block, struct medium_mark *ret);
