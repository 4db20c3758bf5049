/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the session that a journal tells of on the disc, although nobody lived to say so? */
#pragma once

#include "commit/disc.h"
#include "store/journal.h"

/* On sequential media the probe has seen it closed. Elsewhere: its descriptor stands at its start, the medium
 * reaches to its end, and all that the disc records sums of (descriptors, directories, files) is what was
 * summed up. Reads the whole session then. */
bool landed_session_is_whole(struct disc *disc, const struct journal *journal);
/* The descriptor at the session's start is the one that the head will have. false also when it can't be
 * read. fd: the medium. */
bool landed_session_is_there(int fd, bool is_drive, const struct journal *journal);
