/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree that the next session shall show, whole, as the daemon sent it.
 *
 * Node 0 is the root. A node with several names has one entry in nodes and several in names; names are in the
 * order in which they came, so a directory's own name comes before those of its children. */
#pragma once

#include "base/reason.h"
#include "base/vec.h"
#include "model/node.h"
#include "wire/verbs.h"

struct plan_node {
	struct node node;
	uint32_t first_name; /* index; the root: NO_NAME */
	uint32_t names;	     /* how many */
	uint32_t reference;  /* see synth.h: number of its first record in the synthesised image, 0 = none */
	bool kept;	     /* as the base has it */
	bool tabled; /* a boot image that gets a boot information table: it's recorded anew, and as nothing
			else is */
};

/* A boot image of the session. */
struct plan_boot {
	struct boot_entry entry;
	uint32_t node;	    /* NO_NAME: it has no file, and lies on the disc */
	uint32_t reference; /* then: its record in the synthesised image */
};

struct plan_name {
	uint32_t node;
	uint32_t parent;    /* node */
	uint32_t reference; /* number of its own record, 0 = none */
	char *name;	    /* owned */
	bool kept;	    /* the base has it in this directory */
	char *was;	    /* where the base has the node: see verb_node; NULL: nowhere; owned */
};

#define NO_NAME UINT32_MAX

struct plan {
	VEC(struct plan_node) nodes;
	VEC(struct plan_name) names;
	VEC(struct plan_boot) boots; /* with job.boot_anew: all that the session gets */
	struct {
		uint32_t *slots; /* index + 1 of a node by its ino, open addressing */
		size_t room;	 /* a power of two */
	} by_ino;
};

void plan_clear(struct plan *plan);
/* Adds what a NODE says. 0, -EINVAL (unknown parent, bad name, a second root, …), -ENOMEM. */
int plan_add_node(struct plan *plan, const struct verb_node *from, struct reason *why);
/* Of the newest node. */
int plan_add_xattr(struct plan *plan, const struct verb_xattr *from, struct reason *why);
int plan_add_extent(struct plan *plan, const struct extent *extent, struct reason *why);
/* When all nodes are there. */
int plan_add_boot(struct plan *plan, const struct verb_boot *from, struct reason *why);
/* Is there a tree at all, and can libisofs and Rock Ridge record all of it? Names the path that can't. */
int plan_check(const struct plan *plan, struct reason *why);
/* "dir/file", by the node's first name; cut off where it's longer than the buffer. Returns ret. */
const char *plan_path(const struct plan *plan, uint32_t node, char *ret, size_t room);
