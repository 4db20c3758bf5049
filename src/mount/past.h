/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .discfs/sessions and what is in it: the trees of all sessions of the disc, to be read only.
 *
 * The sessions are listed; a node's number is made of the session's number and the one it has in its tree, so
 * that it's known again whatever was forgotten meanwhile. What these functions don't do is done by the
 * ordinary operations, through a view of the tree (mount.h): a file's inode is one like any other. */
#pragma once

#include "mount/mount.h"

/* Of a name in .discfs/sessions, or below one of them. */
void past_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void past_getattr(fuse_req_t req, fuse_ino_t ino);
void past_open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void past_release(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi);
/* Calls entry for each session: its number as a name, and for its inode number. */
int past_list(struct mount *mount, tree_entry_fn *entry, void *self);
/* The number that the kernel knows the root of a session's tree by. */
fuse_ino_t past_root(uint32_t number);
/* The root of a session's tree, as answer to a look-up or to getattr. */
void past_reply_root(fuse_req_t req, struct past *past, bool entry);
