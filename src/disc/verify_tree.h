/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session's descriptors and directories, as libisofs sees them and by the sums that it recorded. */
#pragma once

#include "disc/checking.h"

/* Loads the tree as far as it can be. 0 or -errno. */
int verify_tree_import(struct checking *checking);
/* Where the sums count from: the start of libisofs' part. */
uint64_t verify_tree_start(const struct checking *checking);
/* By libisofs' sums, or by what the directories themselves show. 0 or -errno. */
int verify_tree_check(struct checking *checking);
/* The descriptors that readers look for, before a bridge's own part: are they there? 0 or -errno. */
int verify_tree_front(struct checking *checking);
/* Sessions on overwriteable media form a chain from sector 32 on. 0 or -errno. */
int verify_tree_chain(struct checking *checking);
