/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must follow when rows of a generation went away or became the base. */
#pragma once

#include "store/tree.h"

/* Brings in line with the database, once the rows are committed: the inodes in memory, the spool, what is
 * staged. A node whose last row went lives on as an orphan while it is open. Afterwards no generation is
 * frozen. Needs freeze held exclusively (nothing else), and everything flushed before the rows were changed.
 * 0 or -errno: then nothing may be changed any more. */
int generation_settle(struct tree *tree);
