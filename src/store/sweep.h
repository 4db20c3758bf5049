/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts database and spool in agreement: at start, and after a generation went away. */
#pragma once

#include "store/tree.h"

/* Drops orphans, tells the spool which ranges are in use, and computes what is staged. Nobody else at work.
 */
int sweep_at_start(struct tree *tree, struct reason *why);
/* The same for the spool only, while the mount lives. punch: as spool_adopt takes it. Needs freeze held
 * exclusively and everything flushed. */
int sweep_spool(struct tree *tree, bool punch);
