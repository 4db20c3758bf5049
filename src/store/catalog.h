/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue: every disc that has a state directory, mounted or on the shelf.
 *
 * The states are it; nothing is kept twice. Databases are read beside whatever daemon writes them, and never
 * locked. Whether a disc is mounted is asked of its lock, with the root's lock held: a daemon that begins at
 * that moment waits, instead of taking us for another one. */
#pragma once

#include "store/changes.h"
#include "store/shelf.h"
#include "store/state.h"

struct catalog_disc {
	char id[48];
	char brief[48]; /* the shortest beginning of the id that no other disc has, from 8 characters on */
	bool mounted;
	struct reason unreadable; /* err 0: readable */
	bool known;		  /* shelf is filled; false: an older discfs made it */
	struct shelf shelf;
	/* catalog_look_staged */
	struct changes_count staged;
	uint64_t staged_bytes; /* in the spool */
	bool cut_off;	       /* a commit was, and isn't settled yet */
};

struct catalog {
	char root[PATH_LIMIT];
	VEC(struct catalog_disc) discs; /* last seen first */
	int brief_width;		/* of the longest */
};

/* No root is an empty catalogue. 0 or -errno with why. */
int catalog_open(struct catalog *catalog, const char *root, struct reason *why);
void catalog_clear(struct catalog *catalog);
/* word: the beginning of one id, or the label of one disc. -ENOENT, -ENOTUNIQ, with why. */
int catalog_find(struct catalog *catalog, const char *word, struct catalog_disc **ret, struct reason *why);
/* How it's called: its label, or its id when it has none. */
const char *catalog_name(const struct catalog_disc *disc);
/* A connection that only reads. Close it with db_close, also after an error. */
int catalog_open_db(const struct catalog *catalog, const struct catalog_disc *disc, struct db *ret,
		    struct reason *why);
/* Fills in what is staged. */
int catalog_look_staged(const struct catalog *catalog, struct catalog_disc *disc, struct reason *why);
bool catalog_is_staged(const struct catalog_disc *disc);
/* Removes a state with everything in it, whatever is staged. -EBUSY: it's mounted. */
int catalog_forget(const struct catalog *catalog, const struct catalog_disc *disc, struct reason *why);
/* A disc was met in a new state: what is known of it as it was before is forgotten, or, with work staged for
 * it, marked. mine: the new state. */
void catalog_supersede(const struct state *mine, const struct shelf *now);
