/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine around the mount hears of it: the service manager how far it is, logind that a disc is
 * being written, the desktop how a commit ended. */
#pragma once

#include "mount/mount.h"

/* For the conductor (commit_mount); self: the mount. */
void teller_writing(void *self, bool on);
void teller_ended(void *self, const struct commit_result *result);
/* For one thread, now and then. */
void teller_tick(struct mount *mount);
