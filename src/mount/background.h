/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Going to the background before anything is opened (locks and SQLite don't survive a fork), while the caller
 * still sees whether the mount worked: the parent waits for the child's word. */
#pragma once

/* In the parent: doesn't return, exits with what the child says or with 2 when it dies. In the child: returns
 * a descriptor for background_ready, or -errno when it couldn't fork. */
int background_start(void);
/* The child lets go of the terminal and tells the parent to exit with 0. fd: from background_start; -1:
 * nothing to do. -ECANCELED: the parent was ended meanwhile, so whoever called takes it for failed. */
int background_ready(int fd);
