/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be done to the disc in a drive outside of a commit: blanking, formatting, closing what a killed
 * burn left open, loading and ejecting. */
#pragma once

#include "disc/drive.h"

/* Called about five times a second while something lasts; what it returns doesn't matter: what was begun on a
 * disc is brought to its end. total 0: unknown. */
typedef int drive_progress_fn(void *self, uint64_t done, uint64_t total);

/* Does task->op on a drive that is held, and holds it afterwards (ejected too: then it's empty). 0, or
 * -errno: -EMEDIUMTYPE where the medium can't be treated so, -ENOMEDIUM, -EIO. */
int drive_do(struct drive *drive, const struct verb_task *task, drive_progress_fn *progress, void *self,
	     struct reason *why);
