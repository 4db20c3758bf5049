/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be done to the disc in a drive outside of a commit: blanking, formatting, closing what a killed
 * burn left open, loading and ejecting.
 *
 *   medium               blank                   blank --full           format
 *   CD-RW                BLANK, minimal          BLANK, all             -
 *   DVD-RW, sequential   format, overwriteable   BLANK, all             format, overwriteable
 *   DVD-RW, overwrite    zeroes over the head    BLANK, all: is         format anew
 *                                                sequential then
 *   DVD+RW, DVD-RAM,     zeroes over the head    zeroes everywhere      format, then zeroes over the head
 *   BD-RE
 *   BD-R, never written  -                       -                      format: a spare area
 * Blanked minimally, a DVD-RW would take one closed session only (MMC-5 4.3.6.2.2): it's never done. "The
 * head" stands for all by which a program finds what was recorded: blocks 0..31 and the anchors of UDF. */
#pragma once

#include "disc/drive.h"

/* Called about five times a second while something lasts; what it returns doesn't matter: what was begun on a
 * disc is brought to its end. done and total in any unit. total 0: unknown. */
typedef int drive_progress_fn(void *self, uint64_t done, uint64_t total);

/* Does task->op on a drive that is held, and holds it afterwards (ejected too: then it's empty). 0, or
 * -errno: -EMEDIUMTYPE where the medium can't be treated so, -ENOMEDIUM, -EIO. */
int drive_do(struct drive *drive, const struct verb_task *task, drive_progress_fn *progress, void *self,
	     struct reason *why);
