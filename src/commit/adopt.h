/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills an empty tree with the base session of a disc: what an import worker finds becomes generation 0. */
#pragma once

#include "commit/disc.h"

/* One transaction: an import that fails leaves the tree empty. A blank disc gets a root of its own. */
int adopt_disc(struct disc *disc, struct reason *why);
/* An empty tree, whatever the disc holds. */
int adopt_nothing(struct disc *disc, struct reason *why);
/* Which of a session's trees is shown: enum tree_format. */
uint32_t adopt_format(const struct disc *disc, const struct verb_session *session);
/* The same with an older session into a tree of its own (store/past.h). The disc must not be held meanwhile.
 */
int adopt_session(struct disc *disc, const struct verb_session *session, struct tree *tree,
		  struct reason *why);
