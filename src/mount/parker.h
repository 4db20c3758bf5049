/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads of a disc that can't be read now, because its drive burns: they wait here, for an hour if need be,
 * and not in the threads that serve the mount. Everything else goes on meanwhile.
 *
 * A signal to the program that reads ends the wait at once (EINTR); so does the end of the mount (ENOTCONN),
 * and a change after which the disc isn't needed. Only reads ever need the disc: whoever writes a part of a
 * page makes the kernel read the rest of it first. */
#pragma once

#include "mount/mount.h"

int parker_start(struct mount *mount);
/* Answers all that wait; what would have to wait from then on is refused. A second call does nothing. */
void parker_stop(struct mount *mount);
/* Takes the request and answers it, now or later. The caller's handle keeps the inode. */
void parker_read(struct mount *mount, fuse_req_t req, struct inode *inode, size_t size, uint64_t offset);
/* Content of this body went away or was replaced: perhaps a read needn't wait any more. The kernel may wait
 * for that read before it goes on with the change. */
void parker_changed(struct mount *mount, const struct inode *inode);
