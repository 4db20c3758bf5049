/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A quick look at what is recorded: the one block that tells whether there is a volume, and its name. Through
 * the drive, since the kernel may still know the disc as it was before something was done to it. */
#pragma once

#include "disc/drive.h"

/* report: by drive_describe. Fills its head, label and volume_sectors. */
void drive_look(struct drive *drive, struct drive_report *report);
