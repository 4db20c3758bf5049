/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command log: a line a command, in the drive's file `log` while that exists.
 *
 *   SECONDS PID NAME CDB [lba=N] [blocks=N] in|out=BYTES ok | KEY/ASC/ASCQ [deferred] */
#pragma once

#include "mmc.h"

/* The sectors that a command names by its CDB: false if it names none. blocks may be 0. */
bool log_range(const struct command *command, int64_t *ret_lba, uint32_t *ret_blocks);
/* Needs the drive's lock; name NULL: unknown to the firmware. */
void log_command(struct drive *drive, const struct command *command, const char *name);
/* What happened besides: SECONDS PID -- TEXT. */
void log_note(struct drive *drive, const char *format, ...) __attribute__((format(printf, 2, 3)));
