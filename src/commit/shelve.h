/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the catalogue tells of a disc, kept while it's mounted: see store/shelf.h. */
#pragma once

#include "commit/disc.h"

/* Takes format and size of the base from the database, and keeps there what is known of the disc now. At the
 * end of opening it, and when a session was published. 0 or -errno with why: the database can't be read. */
int shelve_disc(struct disc *disc, struct reason *why);
/* The disc that was opened is new to us: it may be a later state of one that isn't. */
void shelve_supersede(struct disc *disc);
/* It's unmounted. */
void shelve_seen(struct disc *disc);
