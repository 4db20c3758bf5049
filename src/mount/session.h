/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FUSE session: mount, serve, unmount. */
#pragma once

#include "mount/mount.h"
#include "mount/options.h"

/* Mounts; from here on the kernel queues requests. 0 or -errno with why. */
int session_mount(struct mount *mount, const struct options *options, struct reason *why);
/* Once, when somebody answers, or whoever waits for the mount to be ready knows that it is. Best effort. */
void session_raise_read_ahead(const char *mountpoint);
/* Serves until the mount goes away or stopper.h ends it. 0 or -errno. */
int session_loop(struct mount *mount);
/* Safe when it was never mounted. */
/* Takes it out of the tree of directories: nobody serves it any more, and whoever came there would wait. */
void session_detach(struct mount *mount);
void session_unmount(struct mount *mount);
