/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Throws staged work away: all of it, or what is staged at and below one path. */
#pragma once

#include "store/tree.h"

/* Is told of every name and every inode whose looks may have changed, so that the kernel's caches can be
 * asked to forget them. Called without any lock held. */
struct discard_sink {
	void (*name)(void *self, uint64_t parent, const char *name, size_t length);
	void (*inode)(void *self, uint64_t ino);
	void *self;
};

/* path: inside the mount, with or without a leading slash, as it is now or as the base has it; empty:
 * everything. Not while a commit runs (-EBUSY). What goes with it and what comes back with it:
 * store/selection.h. sink may be NULL. 0 or -errno (-ENOENT: nothing is or was there). */
int discard_staged(struct tree *tree, const char *path, const struct discard_sink *sink);
