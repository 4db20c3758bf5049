/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filling: what the next session must carry and still lies on the disc is copied into the spool.
 *
 * A drive can't read while it burns. A body that was changed in part, or that ISO 9660 can't reference where
 * it lies, is made of pieces of the disc: between freeze and plan they are read, in the order in which they
 * lie there, and the frozen rows then point at the spool. Bodies that were not changed since the freeze
 * follow, so the mount too needs the disc less. A thaw leaves them as they are: filled. */
#pragma once

#include "commit/disc.h"

struct fill_progress {
	/* Bytes copied, of all. Nonzero: somebody wants the commit to end. */
	int (*step)(void *self, uint64_t done, uint64_t total);
	void *self;
};

/* gen: the frozen generation. 0 when no body of it needs the disc any more. Otherwise its rows are right as
 * they are, in part filled, and a thaw must follow (which gives back what was copied in vain): -ENOSPC, -EIO
 * (the disc can't be read; why names the file), -ESTALE, -ENOMEDIUM, -ECANCELED, or -errno. */
int fill_generation(struct disc *disc, uint32_t gen, const struct fill_progress *progress,
		    struct reason *why);
/* How many bytes a fill would copy if the commit began now: at most; of the changed bodies only. Walks all
 * that is staged, so ask when something has changed (tree->stamp). 0 or -errno. */
int fill_needs(struct disc *disc, uint64_t *ret_bytes);
