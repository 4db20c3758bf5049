/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second half of a commit, from WRITTEN on: verify, switch the head, publish, sweep. The same after a
 * crash. */
#pragma once

#include "commit/check.h"
#include "store/journal.h"

/* journal->phase: WRITTEN or CHECKED. On failure the old head stands and the frozen generation waits to be
 * spoilt; except with tree.broken set: the new head stands or may stand, and the tree takes no more changes:
 * the next mount brings the commit to its end. */
int finish_session(struct disc *disc, struct journal *journal, const struct check_progress *progress,
		   struct reason *why);
/* The medium shows the journalled session already. */
bool finish_head_is_there(const struct disc *disc, const struct journal *journal);
/* What follows on a failure: behind BURNING the session is spoilt, and in any case all is staged again. */
void finish_badly(struct disc *disc, struct journal *journal, const struct reason *cause);
