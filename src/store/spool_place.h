/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a disc's spool lies: in its state directory, or in another one (-o spool=DIR), to which a symbolic
 * link in the state directory leads. So the next mount finds it without being told. */
#pragma once

#include "store/state.h"

/* Makes the spool lie in `dir` (absolute), named after the disc. NULL: it stays where it is. Only an empty
 * spool changes places: -EBUSY when one with staged content lies elsewhere. 0 or -errno. */
int spool_place(const struct state *state, const char *dir, struct reason *why);
