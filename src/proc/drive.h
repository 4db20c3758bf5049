/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks a drive worker what a drive is and holds, after it did something to the disc. */
#pragma once

#include "base/vec.h"
#include "wire/drive_verbs.h"

struct drive_facts {
	struct verb_drive drive;
	VEC(struct verb_track) tracks; /* of complete sessions, in ascending order of their starts */
	VEC(struct verb_speed) speeds;
};

typedef void drive_step_fn(void *self, uint64_t done, uint64_t total);

/* path: absolute, of a block device. step may be NULL. All numbers are checked: tracks ascend and don't
 * overlap, and lie within 32 bits. 0 or -errno with why: -EBUSY, -EACCES, -ENXIO (no optical drive), what the
 * task says. An empty drive is no error. */
int drive_run(const char *path, const struct verb_task *task, drive_step_fn *step, void *self,
	      struct drive_facts *ret, struct reason *why);
/* DRIVE_INQUIRE. */
int drive_inquire(const char *path, struct drive_facts *ret, struct reason *why);
void drive_facts_clear(struct drive_facts *facts);
