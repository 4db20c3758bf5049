/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which directories the next session records anew in UDF: those below which something changed. All others are
 * inherited from the base, with what they take.
 *
 * A directory is fresh when it is staged itself (a name in it that came or went does that), when it names a
 * node that is staged, when UDF changes a name in it, and when a directory in it is fresh. Nobody asks at
 * each change: what is staged is noted, and looked up when somebody wants to know how much the next session
 * takes. Until then all directories count. A fresh one stays so until the base changes or something is taken
 * back.
 *
 * Needs the tree's lock, unless said otherwise. */
#pragma once

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct tree;
struct dir_cost;
struct dir_costs;
struct dir_entry;

/* What is known of the base's UDF, in meta as "udf_base". */
enum {
	UDF_BASE_KNOWN = 1, /* recorded by this daemon or one before it */
	UDF_BASE_LINKS = 2, /* with symlinks and devices */
	UDF_BASE_LOST = 4   /* directories have other names there than here: nothing below them is found */
};

struct staged_node {
	uint64_t ino;
	bool is_dir;
};

/* By account. */
struct fresh_dirs {
	unsigned base; /* UDF_BASE_… */
	bool lost;     /* a directory's name was seen that UDF changes */
	bool known;    /* but for what is in staged; if not, that is empty */
	VEC(struct staged_node) staged;
	uint64_t first_new;	    /* nodes from here on are new: that their directories changed is known */
	uint64_t udf, udf_linkless; /* sectors of those that are fresh */
};

/* These need account: a node became staged; which are fresh must be found out anew; a fresh one costs
 * something else now. */
void fresh_dirs_staged(struct fresh_dirs *fresh, uint64_t ino, bool is_dir);
void fresh_dirs_forget(struct fresh_dirs *fresh);
void fresh_dirs_count(struct fresh_dirs *fresh, const struct dir_cost *before, const struct dir_cost *now);
/* Sectors of directories that needn't be recorded, 0 as long as that isn't known; and what may be gained by
 * finding it out. */
uint64_t fresh_dirs_inherited(const struct tree *tree);
uint64_t fresh_dirs_unknown(const struct tree *tree);

void fresh_dirs_mark(struct tree *tree, struct dir_entry *entry);
/* Looks up what was staged since. 0 or -errno: then all go on counting. */
int fresh_dirs_find(struct tree *tree);
/* What a session is as a base, by what is known now. Needs account. */
unsigned fresh_dirs_base(const struct tree *tree);
