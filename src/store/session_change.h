/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a session changed against the one before it, kept by its start sector. */
#pragma once

#include "store/tree.h"

struct session_change {
	struct changes_count paths;
	uint64_t bytes; /* of content that was recorded in it */
};

/* Of the generation that is about to be published as the session at these sectors. Takes the tree's lock. 0
 * or -errno. */
int session_change_frozen(struct tree *tree, uint32_t gen, uint64_t start, uint64_t sectors,
			  struct session_change *ret);
/* By the trees of both sessions (store/past.h), which takes longer and tells no renames. before: NULL for the
 * first session. */
int session_change_compare(struct tree *before, struct tree *after, uint64_t start, uint64_t sectors,
			   struct session_change *ret);

/* Within the open transaction. Needs the tree's lock, as the next. */
int session_change_put(struct db *db, uint64_t start, const struct session_change *change);
/* 1 = known, 0 = not, or -errno. */
int session_change_get(struct db *db, uint64_t start, struct session_change *ret);
