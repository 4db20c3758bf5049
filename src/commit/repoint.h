/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives frozen bodies other places to take the same bytes from.
 *
 * The rows of the frozen generation are changed, and what the mount has of these bodies in memory follows
 * where it wasn't changed since the freeze; with the next flush so do the next generation's rows, since
 * publication takes rows with equal maps for the same content. Whatever is cut off: what the rows said before
 * is true as well. Spool space that nothing points at any more comes back when the commit ends. */
#pragma once

#include "commit/disc.h"

/* Changes map and md5 of a node as it is frozen. 0, 1 = it stays as it is, or -errno. Called with the tree
 * locked. */
typedef int repoint_fn(void *self, struct node *node);

/* 0 or -errno. Only some of the bodies may be changed then. */
int repoint_bodies(struct tree *tree, uint32_t gen, const uint64_t *inos, size_t count, repoint_fn *change,
		   void *self);
