/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end by a signal (SIGTERM, SIGINT, SIGHUP), in order: what programs wrote and the kernel still caches
 * comes in, and no seek is under way (seeker.h), before the session stops to answer. A thread of its own
 * waits for the signal: a handler could do nothing of this. */
#pragma once

#include "mount/mount.h"

/* Before any other thread is made: from here on the signals wait for stopper_start. */
void stopper_block(void);
/* From the thread that will be in session_loop. mountpoint: outlives it. */
int stopper_start(struct mount *mount, const char *mountpoint);
/* As if somebody had sent the signal. */
void stopper_poke(struct mount *mount);
/* When the session has ended. Returns the signal that ended it, or 0. */
int stopper_end(struct mount *mount);
