/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the next session's UDF can inherit from the base session's. */
#pragma once

#include "disc/bridge.h"

/* Does the session that begins there carry a bridge of ours? */
bool bridge_is_at(const struct source *source, uint64_t start);
/* Sets fate and icb of what is inherited, for a session that begins at base. What can't be read isn't
 * inherited. 0 or -ENOMEM. */
int bridge_inherit(struct bridge *bridge, const struct source *source, uint64_t base, struct reason *why);
