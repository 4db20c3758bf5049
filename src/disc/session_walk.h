/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the sessions of an image file or of a medium that can be overwritten: sessions.h says by what.
 *
 * Each is found by its own descriptor, or by what others say of it (lineage.h): what is damaged in one
 * doesn't hide another. Only which one is in force, the head alone says. */
#pragma once

#include "disc/sessions.h"

#define HEAD_BLOCK    16u /* of the head's descriptor */
#define SESSION_ALIGN 32u /* libisofs, xorriso and growisofs start sessions at multiples of 32 or 16 */
#define FIRST_CHAINED 32u /* start of the first session where the head was kept free */

struct session_walk {
	const struct source *source;
	struct volume head; /* the descriptor at 16 */
	struct disc_report *report;
	struct reason *why;
	bool damaged; /* what can't be read doesn't count */
};

/* With a head: lists all up to the session in force, and those of other writers behind it. Fills recorded and
 * base. 0 or -errno. */
int session_walk_list(const struct session_walk *walk);
/* Without one: lists all that are found. 0 or -errno. */
int session_walk_headless(const struct session_walk *walk);
