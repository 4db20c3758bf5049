/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who drops setuid, setgid and file capabilities when a file is changed: we do, as HANDLE_KILLPRIV_V2 says.
 *
 * Otherwise Linux asks for security.capability before each write(), a round trip for every 4 KiB that a
 * program writes. libfuse 3.14 doesn't know that flag: it is put into the reply to INIT on its way out. The
 * kernel drops what it can see when it writes back from its cache; what is left to us is what reaches us
 * directly, and chown. */
#pragma once

#include "mount/mount.h"

#include <sys/uio.h>

/* Puts the promise into the reply to INIT. */
void killpriv_promise(const struct iovec *iov, int count);
/* The caller changes the content of a file by other ways than the kernel's cache. CAP_FSETID is taken to be
 * root's: 0 or -errno. */
int killpriv_by_change(fuse_req_t req, struct inode *inode);
/* Is the file setgid to a group that the caller doesn't belong to? */
bool killpriv_stranger(fuse_req_t req, const struct node_attr *attr);
