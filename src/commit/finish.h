/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second half of a commit, from WRITTEN on: verify, switch the head, publish. The same after a crash. */
#pragma once

#include "commit/check.h"
#include "store/journal.h"

/* Stores a phase in the journal, synced, with the fault points phase-NAME-before and phase-NAME-after around
 * it. */
int finish_set_phase(struct tree *tree, struct journal *journal, enum phase phase, struct reason *why);
/* journal->phase: WRITTEN or CHECKED. On failure the old head stands and the frozen generation waits for a
 * thaw; except with journal->phase == PHASE_PUBLISHED: the new head stands or may stand, and the tree takes
 * no more changes: the next mount brings the commit to its end. */
int finish_session(struct disc *disc, struct journal *journal, const struct check_progress *progress,
		   struct reason *why);
/* The medium shows the journalled session already. */
bool finish_head_is_there(const struct disc *disc, const struct journal *journal);
/* One sentence on a good session; session: its number, from 1. */
void finish_sentence(size_t session, const struct journal *journal, char *ret, size_t room);
/* What a person should know of a failed commit, added to the reason. */
void finish_spoilt(struct disc *disc, struct journal *journal, const struct reason *why);
