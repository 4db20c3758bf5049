/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads recorded bytes of the medium: a bounds-checked pread, nothing that interprets them. Thread-safe.
 *
 * Of a drive the kernel's block layer reads, and keeps what was read. What it doesn't know of, since it was
 * burned after the device was opened, the drive is asked for itself.
 *
 * A drive can't read while it burns. So the commit holds the disc meanwhile: nobody waits here for an hour,
 * each read is refused at once, and who must have the bytes comes again after `released` was called. */
#pragma once

#include "base/reason.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct disc_reader {
	int fd;			/* borrowed */
	_Atomic uint64_t limit; /* bytes that the base session and all before it take up */
	bool is_drive;
	_Atomic bool direct; /* verification: what the medium holds, not what the kernel remembers */
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned reading;	      /* how many, by lock */
	bool held;		      /* by lock */
	void (*released)(void *self); /* may be NULL; set while nobody holds the disc */
	void *self;
	_Atomic uint64_t waiting; /* reads that wait for the release; kept by those who let them wait */
};

void disc_reader_init(struct disc_reader *disc);
void disc_reader_destroy(struct disc_reader *disc);

/* Reads exactly length bytes at origin (bytes). 0, or -EIO beyond the recorded part or when the medium can't
 * be read, or -EAGAIN while somebody holds it. */
int disc_read(struct disc_reader *disc, void *data, size_t length, uint64_t origin);
/* When it returns, nobody reads, and nobody will before the release. One holder at a time. */
void disc_reader_hold(struct disc_reader *disc);
/* Nothing to do when nobody holds it. */
void disc_reader_release(struct disc_reader *disc);
bool disc_reader_is_held(struct disc_reader *disc);
