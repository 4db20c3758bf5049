/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the overlay says against the base: the names that it adds, replaces or takes away, and whether a node
 * was modified. Needs the tree's lock. */
#pragma once

#include "store/tree.h"

#include "base/text.h"
#include "base/vec.h"

/* What the base has under a name, and what the mount shows there. 0 = nothing. */
struct staged_name {
	uint64_t parent, base, now;
	uint32_t base_type, now_type; /* st_mode >> 12 */
	size_t at, length;	      /* its bytes in staged_names.bytes */
	bool selected;		      /* for whoever works on the list */
};

struct staged_names {
	VEC(struct staged_name) list; /* sorted by parent and name */
	struct text bytes;
};

/* Fills an empty list with every name that has a staged row, once each, as it is in generations up to upto
 * (GEN_NEWEST: as the mount shows it). 0 or -errno. */
int staged_names_collect(struct tree *tree, uint32_t upto, struct staged_names *ret);
void staged_names_clear(struct staged_names *names);
/* Not NUL-terminated. */
const char *staged_name_bytes(const struct staged_names *names, const struct staged_name *name);

/* Does the node differ from the base's in what a person changed? Not by names and what follows from them. */
bool staged_is_modified(const struct node *base, const struct node *now);
