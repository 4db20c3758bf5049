/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person is told, and may still do, when the files that hold staged work are damaged or gone. */
#pragma once

#include "commit/disc.h"

/* Opening the disc failed with err (-errno): where its database is why, the reason becomes a sentence that
 * says what is lost and how to go on. Returns the -errno that counts. */
int lost_state_explain(const struct disc *disc, int err, struct reason *why);
/* Were the files removed under the mount? Their content is there until it ends, but nothing that is written
 * to them is found again: from now on the tree takes no change. 0, or -EIO with why. Logged once. */
int lost_state_check(struct disc *disc, struct reason *why);
