/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SEEK_DATA and SEEK_HOLE on files that are being written.
 *
 * Linux hands them on without writing its cached pages back first (fuse_lseek), and what it has cached looks
 * like a hole to us: a program that copies only data would lose it. So the pages are called in before the
 * answer. That must not be done by one of the threads that the pages come to: others do it. More than one,
 * since a page that is being read can't be called in before it's there, and that may last as long as a drive
 * burns (parker.h). */
#pragma once

#include "mount/mount.h"

int seeker_start(struct mount *mount);
/* Answers what is still asked; whoever asks from then on is refused. While the session lives, since the
 * kernel's pages come by it. A second call does nothing. */
void seeker_stop(struct mount *mount);
/* Takes the request. The caller's handle keeps the inode. */
void seeker_ask(struct mount *mount, const struct seek *seek);
