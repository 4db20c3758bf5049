/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disc that could be read in part only, and is mounted all the same (-o damaged); or one of which all seems
 * to be there, but the sums over its directories don't agree.
 *
 * What is missing of its tree, or in doubt, is counted and named in the log, and in the state, as long as
 * that tree is the base. It would be so in the next session too: so a commit is refused unless it's forced. A
 * session that was forced is whole in itself, and ends all that. */
#pragma once

#include "base/text.h"
#include "commit/disc.h"

struct damage {
	uint64_t count;	   /* directories and files, or parts of them, that are missing */
	uint64_t doubts;   /* reasons why what is there may be wrong */
	struct text names; /* a line each, of the first ones */
};

/* Takes one. 0 or -ENOMEM. */
int damage_add(struct damage *damage, const char *text);
int damage_add_doubt(struct damage *damage, const char *text);
void damage_clear(struct damage *damage);
/* Stores it with the base that is being imported, in the same transaction. 0 or -errno. */
int damage_store(struct db *db, const struct damage *damage);
/* A base that was read in part: without work staged over it, it's dropped, so that the disc is read again;
 * else the option is needed. Before the import. 0 or -errno with why. */
int damage_look_again(struct disc *disc, bool wanted, struct reason *why);
/* What is known of the base. Needs the tree's lock. 0 or -errno. */
int damage_load(struct db *db, struct damage *ret);
/* The session that is published now has all that its tree has. In its transaction. 0 or -errno. */
int damage_end(struct db *db);
/* May the next session be burned? 0 or -EUCLEAN with why. */
int damage_allows(struct disc *disc, bool forced, struct reason *why);
