/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of which the kernel knows more than there is: it caches writes, and some of them failed later.
 *
 * With a writeback cache the kernel trusts its own idea of a file's size and content as long as it knows the
 * file. So its names are invalidated, again and again until the kernel has forgotten it: then it asks anew.
 * And its attributes are, so that the kernel asks before it caches more of what can't be stored.
 * Thread-safe. */
#pragma once

#include "mount/mount.h"

/* A write to this file failed. */
void stale_add(struct mount *mount, uint64_t ino);
/* The kernel forgot the file. */
void stale_forget(struct mount *mount, uint64_t ino);
/* Tries again. Not from a thread that serves a request. */
void stale_retry(struct mount *mount);
