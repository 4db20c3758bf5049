/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generations come and go: freeze before a commit, publish after a good one, thaw after a bad one. Only the
 * journal's transitions (phases.h) call these: each is one transaction with the journal's row. */
#pragma once

#include "commit/disc.h"
#include "store/journal.h"

/* What is staged becomes frozen generation journal->gen, which is set; changes go to the next one from here
 * on. Not synced. */
int freeze_generation(struct tree *tree, struct journal *journal);
/* The frozen generation becomes the base, and the history gets its row; open inodes point at the disc from
 * then on; spool space is given back. */
int publish_generation(struct disc *disc, const struct journal *journal, const struct history *entry);
/* The frozen generation will never be the base; it stays frozen. */
int spoil_generation(struct tree *tree, const struct history *entry);
/* The frozen generation joins the next one, and the journal ends. entry may be NULL. */
int thaw_generation(struct tree *tree, uint32_t gen, const struct history *entry);
