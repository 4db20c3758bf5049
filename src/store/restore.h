/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stages what an older session has at and below a path, by reference: the staged nodes' maps point at the
 * bytes on the disc, so it costs directory records and no data.
 *
 * What is there now is replaced; what the session doesn't have goes. A file is the same when content, type,
 * mode, owner, attributes and time of change are: it stays as it is, and nothing is staged for it. One that
 * was deleted or changed since the last commit and is wanted as the base has it is the base's again. Hard
 * links are as in that session, as far as both names are restored or already are as they were. */
#pragma once

#include "store/discard.h"
#include "store/tree.h"

/* path: inside the mount, with or without a leading slash; empty: everything. Directories above it that are
 * gone are made as they were. All of it happens or nothing: one transaction. Not while a commit runs
 * (-EBUSY). -ENOENT: the session has nothing there; -ENOTDIR: something else is in the way above it; -ENOSPC:
 * no room for the directories. sink may be NULL. */
int restore_staged(struct tree *tree, struct tree *past, const char *path, const struct discard_sink *sink);
