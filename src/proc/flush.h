/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the kernel hand over what programs wrote into a mount and it still caches (the mount has a writeback
 * cache). */
#pragma once

#include "base/reason.h"

/* Waits until it's done, at most timeout_ms (-1: for ever). 0 or -errno with why. Not from a thread that
 * serves the mount. */
int flush_mount(const char *mountpoint, int timeout_ms, struct reason *why);
