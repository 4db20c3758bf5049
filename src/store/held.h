/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the staged names are litter (model/litter.h), so that they aren't burned: those that the base
 * doesn't have, and all that was moved into one. What the disc has already under such a name is like any
 * other file. Needs the tree's lock. */
#pragma once

#include "store/ino_map.h"
#include "store/tree.h"

struct held {
	struct tree *tree;
	struct ino_map dirs; /* what is known of directories */
};

void held_clear(struct held *held);
/* For a name that is there now and has a staged row; base: what the base has there, 0: nothing.
 * 1, 0 or -errno. */
int held_name(struct held *held, uint64_t parent, const char *name, size_t length, uint64_t base);
