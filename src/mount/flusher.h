/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The write-behind: every half second what changed goes into the database (that survives the death of the
 * process), every few seconds to the disk (that survives a power cut). */
#pragma once

#include "mount/mount.h"

int flusher_start(struct mount *mount);
void flusher_stop(struct mount *mount);
