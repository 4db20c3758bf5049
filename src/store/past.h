/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of an older session: a database of its own with generation 0 only. It never changes once it's
 * filled, and is read with the functions of tree.h that only look. What its files hold is read through the
 * disc's own tree. */
#pragma once

#include "store/tree.h"

/* Opens or creates; limit: bytes of the disc that may be read. tree_has_base: filled. 0 or -errno with why.
 */
int past_open(struct tree *tree, const char *path, uint64_t limit, struct reason *why);
/* No inode may be in use. */
void past_close(struct tree *tree);
