/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All sessions of a disc, numbered from 1, also those that the disc itself doesn't tell of any more.
 *
 * Where the first session began at sector 0 its descriptors are the head: the next session takes their place,
 * and a probe finds only the newest from then on (disc/sessions.h). The history knows where the others begin,
 * and has the first one's head. So numbers stay the same while a disc is mounted, and afterwards as long as
 * its state is there. The owner locks. */
#pragma once

#include "commit/disc.h"

struct session_list {
	VEC(struct verb_session)
	all;	       /* by number - 1; start 0: by the head, or by the one that the history keeps */
	size_t hidden; /* of them: the disc doesn't tell */
	bool loaded;
};

/* Brings it up to date with what the disc tells now. 0 or -errno. Takes disc->lock, and the tree's the first
 * time. */
int session_list_update(struct session_list *list, struct disc *disc);
void session_list_clear(struct session_list *list);
