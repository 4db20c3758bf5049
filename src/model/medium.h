/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media that an image file can stand in for: their names and capacities. */
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
