/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which staged names go when what is staged at and below a path is thrown away.
 *
 * A name lies at or below the path by where it is now or by where the base has it. Three things follow from a
 * name that goes: a base inode that was moved loses its new names and gets its old ones back; what is staged
 * in a new directory goes with it; and a directory that something comes back to must be reachable: if it was
 * deleted, or was moved below itself, it comes back as well. Needs the tree's lock, and one staged generation
 * only. */
#pragma once

#include "store/staged.h"

struct ino_name {
	uint64_t ino;
	size_t name; /* index in names.list */
};

typedef VEC(struct ino_name) ino_names;

struct selection {
	struct tree *tree;
	struct staged_names names; /* selected: goes */
	ino_names lost, gained,
	    children; /* sorted: base inodes that lost a name, inodes that got one, parents */
	VEC(size_t) work;
	bool all;
	/* The path: its directory now and in the base, its last component, and the nodes there. 0 = none. */
	uint64_t dirs[2];
	const char *last;
	size_t last_length;
	uint64_t now_root, base_roots[2];
	/* The directory that was asked for last. */
	uint64_t asked;
	bool answer;
};

/* path: as discard_staged takes it; borrowed. -ENOENT: nothing was or is there. */
int selection_make(struct selection *selection, struct tree *tree, const char *path);
void selection_clear(struct selection *selection);
/* Does the node lie at or below the path? 1, 0 or -errno. */
int selection_has_node(struct selection *selection, const struct node_attr *attr);
/* True when a change to a name in this directory stays. */
bool selection_keeps_below(const struct selection *selection, uint64_t dir);
