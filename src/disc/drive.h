/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A drive, or an image file that libburn takes for one: held between drive_grab and drive_release, and only
 * then.
 *
 * libburn keeps globals: one drive in a process. On real drives grabbing opens the device exclusively and
 * locks the tray. */
#pragma once

#include "base/reason.h"
#include "base/vec.h"
#include "wire/drive_verbs.h"

struct burn_drive;
struct burn_drive_info;

struct drive {
	struct burn_drive_info *infos;
	struct burn_drive *drive; /* NULL: not held */
	char path[PATH_LIMIT];
};

/* What is in the drive. */
struct drive_report {
	struct verb_drive drive;
	VEC(struct verb_track) tracks; /* of complete sessions, in ascending order */
	VEC(struct verb_speed) speeds;
};

/* path: a block device. Waits for a drive that is getting ready. -EBUSY (somebody else writes or has it open
 * exclusively), -ENXIO (no optical drive), -EACCES, -EAGAIN (still not ready). */
int drive_grab(struct drive *drive, const char *path, struct reason *why);
/* The same for an image file. */
int drive_grab_image(struct drive *drive, const char *path, struct reason *why);
void drive_release(struct drive *drive);
/* After something was written: asks anew. 0 or -EIO. */
int drive_reassess(struct drive *drive, struct reason *why);

/* Sectors of an overwriteable medium; 0: it doesn't say. */
uint64_t drive_capacity(const struct drive *drive);
/* Everything that libburn can tell. An empty drive is no error. Clear it always. */
int drive_describe(struct drive *drive, struct drive_report *ret, struct reason *why);
void drive_report_clear(struct drive_report *report);

/* What libburn has said since it was asked last: sets why to err and what, with the first error behind it. */
int drive_failed(int err, const char *what, struct reason *why);
/* Forgets what it has said. */
void drive_forget_messages(void);

/* Reads through the held drive. 0 or -EIO. data: count * SECTOR bytes. */
int drive_read(struct drive *drive, uint64_t lba, uint32_t count, void *data, struct reason *why);
