/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unmounting a disc that is committed then may be answered before that commit has begun. The promise stands
 * in the database, beside the journal, until the commit has ended one way or the other: a daemon that died
 * between is found out at the next mount. Nothing is burned there: everything is still staged. */
#pragma once

#include "commit/disc.h"

/* Promised / kept or withdrawn. On the disk when it returns. 0 or -errno. */
int handover_set(struct disc *disc, bool on);
/* At a mount: says in the log, and in the list of failed commits, that a promise wasn't kept, and clears it.
 */
int handover_look(struct disc *disc, struct reason *why);
