/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the next session's UDF can inherit from the base session's. */
#pragma once

#include "disc/bridge.h"

/* Does the session that begins there carry a bridge of ours? */
bool bridge_is_at(const struct source *source, uint64_t start);
/* The same for a base that is read by the descriptors behind its front (volume_inner): where it begins, if
 * it's a bridge; else session. */
uint64_t bridge_start_of(const struct source *source, uint64_t session);
/* The first HEAD_SECTORS of the session at start as they were recorded, on sequential media, where they can't
 * be read, by what it has behind its front. 0 or -EIO. */
int bridge_read_start(const struct source *source, uint64_t start, uint8_t ret[HEAD_BYTES],
		      struct reason *why);
/* Sets fate and icb of what is inherited, for a session that begins at base. What can't be read isn't
 * inherited. 0 or -ENOMEM. */
int bridge_inherit(struct bridge *bridge, const struct source *source, uint64_t base, struct reason *why);
