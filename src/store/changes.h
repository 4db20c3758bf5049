/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is staged, told as changes to paths: added, modified, deleted, renamed. */
#pragma once

#include "store/tree.h"

struct change {
	/* 'A', 'M', 'D', 'R'; 'B': it's a boot image of the next session (store/boot.h), with an empty path:
	 * one or all of those that the disc has aren't kept; 'X': it's there, and is litter (store/held.h) */
	char kind;
	const char *path; /* without a leading slash; raw bytes, NUL-terminated */
	const char *old;  /* 'R': where it was; else NULL */
};

/* Changes that a commit burns. */
static inline uint64_t changes_any(const struct changes_count *count)
{
	return count->added + count->modified + count->deleted + count->renamed + count->boot;
}

/* Calls entry for every change, sorted by path, without a lock held. Its nonzero return ends it and is
 * returned. */
typedef int changes_fn(void *self, const struct change *change);
int changes_list(struct tree *tree, changes_fn *entry, void *self);
/* How many there are. Counted again only when something changed since the last time. */
int changes_count(struct tree *tree, struct changes_count *ret);
/* Those of generations up to gen: of the frozen one, say. */
int changes_count_upto(struct tree *tree, uint32_t gen, struct changes_count *ret);
