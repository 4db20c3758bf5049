/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the catalogue tells of a disc, kept while it's mounted: see store/shelf.h. */
#pragma once

#include "commit/disc.h"

/* Takes format and size of the base from the database, and keeps there what is known of the disc now. At the
 * end of opening it, and when a session was published. 0 or -errno with why: the database can't be read. */
int shelve_disc(struct disc *disc, struct reason *why);
/* The disc that was opened is new to us: it may be a later state of one that isn't. */
/* Where the work was staged that the mount begins with: a copy of an image counts as the same disc, and shows
 * what was staged on the original. Says so, and keeps it for the status. Before anything is staged. */
void shelve_origin(struct disc *disc);
/* What was staged elsewhere is on this disc now. */
void shelve_origin_here(struct disc *disc);
void shelve_supersede(struct disc *disc);
/* It's unmounted. */
void shelve_seen(struct disc *disc);
