/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generations come and go: freeze before a commit, publish after a good one, thaw after a bad one. */
#pragma once

#include "commit/disc.h"
#include "store/journal.h"

/* What is staged becomes frozen generation *ret_gen; changes go to the next one from here on. */
int freeze_generation(struct tree *tree, uint32_t *ret_gen);
/* The frozen generation becomes the base, in one transaction with the journal's end and the history; open
 * inodes point at the disc from then on; spool space is given back. */
int publish_generation(struct disc *disc, const struct journal *journal, const struct history *entry);
/* The frozen generation joins the next one; journal and history likewise. */
int thaw_generation(struct tree *tree, uint32_t gen, const struct history *entry);
