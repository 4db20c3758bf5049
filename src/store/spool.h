/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The spool: one sparse file per disc that holds the file bodies not yet burned.
 *
 * Space is handed out by a pointer that only rises, in runs that start at a multiple of SPOOL_ALIGN; freed
 * ranges are punched out, but only once the rows that pointed at them are gone from the database
 * (spool_settle), so that a crash never leaves a row that points at absent bytes. Copies of files share
 * ranges: such a range isn't overwritten, nor is it where one of them gave it up until the rows know
 * (spool_settle); it is freed with the last extent that points there. Ranges below the freeze mark belong to
 * the frozen generation: they are neither overwritten nor punched until spool_thaw. Empty, it starts again at
 * 0. Thread-safe. All numbers are bytes. */
#pragma once

#include "base/reason.h"
#include "base/vec.h"
#include "model/extent_map.h"

#include <stdatomic.h>

#define SPOOL_ALIGN 4096u

struct spool {
	int fd;
	pthread_mutex_t lock;
	uint64_t next;	  /* first address never handed out */
	uint64_t frozen;  /* below: belongs to the frozen generation; 0 = nothing frozen */
	uint64_t used;	  /* bytes that extents point at, each counted once */
	uint64_t limit;	  /* of used; 0 = none */
	uint64_t checked; /* bytes that may be handed out before the host's free space is asked for again */
	bool can_punch;
	struct extent_map shared; /* by address: where more than one extent points; kind: how many more */
	struct extent_map
	    parted; /* given up by one of those who shared it; kind: how often since spool_settle */
	VEC(struct extent) freed; /* waiting for spool_settle; kind: 0, or it is in parted only */
	uint64_t settled;	  /* how many left that list since the start */
	struct {
		uint64_t low, high; /* written since the last sync that succeeded began lies in there */
	} unsynced;
	_Atomic bool sync_failed; /* only spool_sync_again can tell what is on the disk */
};

/* Room that a growing file has reserved behind its last run, so that appending stays one extent. */
struct spool_run {
	uint64_t origin; /* of the next byte */
	uint64_t left;	 /* 0 = no reservation */
	uint64_t grow;	 /* size of the next reservation */
};

/* dir_fd: the state directory, borrowed. limit: bytes, 0 = as much as the host has. */
int spool_open(struct spool *spool, int dir_fd, uint64_t limit, struct reason *why);
void spool_close(struct spool *spool);

/* Finds room for length bytes that continue a file's content where run ends (may be NULL: no continuation).
 * At most length, at least 1 byte: *ret_length tells. 0, or -ENOSPC when the limit is reached or the host's
 * disk nearly full. */
int spool_allocate(struct spool *spool, struct spool_run *run, uint64_t length, uint64_t *ret_origin,
		   uint64_t *ret_length);
/* Bytes that may still be staged: what the limit and the host's file system leave. */
uint64_t spool_room(struct spool *spool);
/* There's no room for length bytes, but what was freed comes back with the next spool_settle. */
bool spool_waits_for_room(struct spool *spool, uint64_t length);
/* Finds the first part of a range that the spool doesn't hold: it was never written, or a power cut came
 * before it reached the disk. False: it holds all. */
bool spool_find_gap(const struct spool *spool, uint64_t origin, uint64_t length, uint64_t *ret_at,
		    uint64_t *ret_length);
/* Writes into what spool_allocate gave, or over it. 0 or -errno. */
int spool_fill(struct spool *spool, const void *data, size_t length, uint64_t origin);
/* All that was written is on the disk. 0 or -errno; -EAGAIN: a sync failed before. One caller at a time. */
int spool_sync(struct spool *spool);
/* Writes everything again that was written since the last good sync, and syncs. Nobody may write meanwhile.
 */
int spool_sync_again(struct spool *spool);
/* The host's file system is so full that what is left is for the database alone: names that are there may
 * change and go, new ones must wait. */
bool spool_host_is_low(const struct spool *spool);
/* One more extent points at this range. 0, or -ENOMEM (nothing changed). */
int spool_share(struct spool *spool, uint64_t origin, uint64_t length);
/* One extent less points at this range. */
void spool_free(struct spool *spool, uint64_t origin, uint64_t length);
/* How many bytes from origin on, of length, may be overwritten where they are: nothing else points there, in
 * the rows as in memory. */
uint64_t spool_writable(struct spool *spool, uint64_t origin, uint64_t length);
/* The database no longer points at what was freed before spool_mark returned mark: give it back to the host.
 */
uint64_t spool_mark(struct spool *spool);
void spool_settle(struct spool *spool, uint64_t mark);

/* From now on nothing that was handed out is overwritten or punched. */
void spool_freeze(struct spool *spool);
void spool_thaw(struct spool *spool);
/* Sets what is in use from a list of extents (EXTENT_SPOOL, any order; it is sorted). punch: gives all else
 * back to the host; if not, the next call does it. 0 or -ENOMEM: then nothing may be freed any more. */
int spool_adopt(struct spool *spool, struct extent *used, size_t count, bool punch);
