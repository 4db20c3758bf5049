/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan of a session: the frozen tree, name by name, handed to a burn worker. */
#pragma once

#include "proc/burn.h"
#include "store/tree.h"

struct plan {
	uint32_t gen;	/* the tree as of this generation */
	uint64_t names; /* without the root */
	uint64_t nodes;
};

/* Walks the tree as seen up to plan->gen and sends it; fills the counts. The tree's lock is held only a
 * directory or a node at a time: rows of a frozen generation don't change. 0 or -errno with why. */
int plan_send(struct tree *tree, struct plan *plan, struct burn *burn, struct reason *why);
