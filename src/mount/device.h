/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How requests come from /dev/fuse and replies go to it, where libfuse's own way isn't the best.
 *
 * When all threads wait in read(), each request wakes the one that has slept longest, while the one that has
 * just replied goes to sleep: a program that does one thing after the other pays for two changes of thread
 * each time. So one thread reads, does what is short by itself, and mostly finds the next request when it's
 * back: names change in two thirds of the time. What may take long it does after it has left the reading to
 * another. Should it take longer than expected with something short, because it waits for a lock, another
 * takes the reading over.
 *
 * The reply to INIT makes a promise that libfuse 3.14 doesn't know: see killpriv.h. */
#pragma once

#include "mount/mount.h"

/* Between mounting and the loop. 0 or -errno. */
int device_open(struct mount *mount);
