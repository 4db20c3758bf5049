/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host program may be killed at any time. A real drive doesn't notice, but here the drive's firmware runs
 * in that program. So a command that changes something keeps what was before it, and whoever takes the lock
 * of one that was killed in the middle puts it back: the drive hasn't seen that command. Sectors that went to
 * the medium stay there, and go there again from the cache, with the same content. */
#pragma once

#include "drive.h"

struct drive_undo {
	uint32_t valid, generation; /* of the medium */
	uint32_t tracks;	    /* how many of the medium's are kept */
	struct drive_state state;
	struct medium_state medium;
};

int undo_open(struct drive *drive, int fd);
void undo_close(struct drive *drive);
/* Before a command, under the lock; it must be ended before the lock is given back, and before a rule kills.
 */
void undo_begin(struct drive *drive);
void undo_end(struct drive *drive);
/* The last owner of the lock has died. */
void undo_state(struct drive *drive);
/* The same for its medium, which has been opened after that. */
void undo_medium(struct drive *drive);
