/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps litter (store/held.h) out of a generation that is about to be frozen: its rows go over to the next
 * one, as if it had been staged a moment later. Whatever then becomes of the frozen generation, litter stays
 * staged. What was moved from the base into litter is deleted in the frozen generation. */
#pragma once

#include "store/tree.h"

#include "base/vec.h"

struct hold {
	VEC(uint64_t) inos; /* that have a row in the next generation now */
	uint64_t names;	    /* that are held back */
};

void hold_clear(struct hold *hold);
/* In the open transaction: rows of the tree's generation become rows of the next one. Needs freeze held
 * exclusively, lock, and everything flushed. 0 or -errno. */
int hold_rows(struct tree *tree, struct hold *ret);
/* The same for the inodes in memory, once the rows are committed and the next generation takes changes. */
void hold_inodes(struct tree *tree, const struct hold *hold);
