/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that the kernel caches of files that are being written: makes it hand them over.
 *
 * syncfs(2) begins to write them, but doesn't wait for a FUSE file system to take them (wait_sb_inodes skips
 * such mappings). To invalidate a file's pages writes back the dirty ones first and waits for it. Files that
 * nobody has open for writing have none: close() and munmap() wait. Not from a thread that serves the mount.
 */
#pragma once

#include "mount/mount.h"

void pages_call_in(struct mount *mount, uint64_t ino);
/* Has anybody a file open for writing? */
bool pages_are_written(struct mount *mount);
/* Of all files that are open for writing. */
void pages_call_in_all(struct mount *mount);
