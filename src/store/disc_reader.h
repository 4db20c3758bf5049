/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads recorded bytes of the medium: a bounds-checked pread, nothing that interprets them. Thread-safe.
 *
 * Of a drive the kernel's block layer reads, and keeps what was read. What it doesn't know of, since it was
 * burned after the device was opened, the drive is asked for itself.
 *
 * Nobody locks the tray of a mounted disc. Before a read that comes after a pause, long enough for a hand to
 * change the disc, a block of the disc is compared with what it was: another disc's content never passes for
 * this one's.
 *
 * A drive can't read while it burns. So the commit holds the disc meanwhile: nobody waits here for an hour,
 * each read is refused at once, and who must have the bytes comes again after `released` was called. */
#pragma once

#include "base/bytes.h"
#include "base/reason.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct disc_reader {
	int fd;			/* borrowed */
	_Atomic uint64_t limit; /* bytes that the base session and all before it take up */
	bool is_drive;
	const char *missing; /* the disc isn't here, and this is how it's called; borrowed. NULL: it is */
	_Atomic bool direct; /* verification: what the medium holds, not what the kernel remembers */
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned reading;	      /* how many, by lock */
	bool held;		      /* by lock */
	void (*released)(void *self); /* may be NULL; set while nobody holds the disc */
	void *self;
	/* By lock; of a drive. */
	struct {
		bool known; /* a blank disc has nothing to be known by */
		uint64_t lba;
		uint8_t blocks[2 * SECTOR];
		int64_t seen_ms; /* monotonic: when it was surely there */
		bool gone;	 /* that was said */
	} identity;
	int64_t missed_ms;	  /* monotonic: when it was said last that it's missing; by lock */
	_Atomic uint64_t waiting; /* reads that wait for the release; kept by those who let them wait */
};

void disc_reader_init(struct disc_reader *disc);
void disc_reader_destroy(struct disc_reader *disc);

/* From now on the disc in the drive is the one that has this content in sectors lba and lba + 1. 0 or -errno:
 * it can't be read. */
int disc_reader_know(struct disc_reader *disc, uint64_t lba);
/* The drive's disc is blank, or another one is looked for. */
void disc_reader_forget(struct disc_reader *disc);
/* Reads exactly length bytes at origin (bytes). 0, or -EIO beyond the recorded part or when the medium can't
 * be read, -EAGAIN while somebody holds it or when it isn't here, -ENOMEDIUM, -ESTALE: another disc is in the
 * drive. */
int disc_read(struct disc_reader *disc, void *data, size_t length, uint64_t origin);
/* Somebody else, a worker, reads the disc from now on: until disc_reader_leave it isn't held. 0,
 * -EAGAIN, or -ENOMEDIUM: it isn't here. */
int disc_reader_enter(struct disc_reader *disc);
void disc_reader_leave(struct disc_reader *disc);
/* When it returns, nobody reads, and nobody will before the release. One holder at a time. */
void disc_reader_hold(struct disc_reader *disc);
/* Nothing to do when nobody holds it. */
void disc_reader_release(struct disc_reader *disc);
bool disc_reader_is_held(struct disc_reader *disc);
