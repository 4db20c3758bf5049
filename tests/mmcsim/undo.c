/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "undo.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

/* The mutex stands before all that is kept; what the kernel knows, and changes without the lock, behind it.
 */
#define KEPT_FROM   offsetof(struct drive_state, vendor)
#define KEPT_LENGTH (offsetof(struct drive_state, kernel_used) - KEPT_FROM)
_Static_assert(offsetof(struct drive_state, lock) < KEPT_FROM, "the lock must not be put back");

int undo_open(struct drive *drive, int fd)
{
	void *map = mmap(NULL, sizeof(*drive->undo), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	drive->undo = map;
	return 0;
}

void undo_close(struct drive *drive)
{
	if (drive->undo)
		munmap(drive->undo, sizeof(*drive->undo));
	drive->undo = NULL;
}

static size_t medium_length(uint32_t tracks)
{
	return offsetof(struct medium_state, track) + tracks * sizeof(struct track);
}

void undo_begin(struct drive *drive)
{
	struct drive_undo *undo = drive->undo;
	const struct medium_state *medium = drive->medium.state;

	memcpy((char *)&undo->state + KEPT_FROM, (const char *)drive->state + KEPT_FROM, KEPT_LENGTH);
	undo->generation = drive->state->generation;
	undo->tracks = medium && medium->tracks <= TRACKS_LIMIT ? medium->tracks : 0;
	if (medium)
		memcpy(&undo->medium, medium, medium_length(undo->tracks));
	/* A process that is killed has done what stands before, and nothing of what stands behind. */
	atomic_signal_fence(memory_order_seq_cst);
	undo->valid = medium ? 2 : 1;
	atomic_signal_fence(memory_order_seq_cst);
}

void undo_end(struct drive *drive)
{
	atomic_signal_fence(memory_order_seq_cst);
	drive->undo->valid = 0;
	atomic_signal_fence(memory_order_seq_cst);
}

void undo_state(struct drive *drive)
{
	const struct drive_undo *undo = drive->undo;

	/* After a change of media there is no way back. */
	if (!undo->valid || undo->generation != drive->state->generation)
		return;
	memcpy((char *)drive->state + KEPT_FROM, (const char *)&undo->state + KEPT_FROM, KEPT_LENGTH);
	drive->state->recovered = 1;
}

void undo_medium(struct drive *drive)
{
	const struct drive_undo *undo = drive->undo;

	if (undo->valid == 2 && drive->medium.state && undo->generation == drive->state->generation) {
		memcpy(drive->medium.state, &undo->medium, medium_length(undo->tracks));
		medium_refresh(&drive->medium);
	}
	undo_end(drive);
}
