/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The content of one new body as libisofs wants it: pieces from the spool, from the medium, and zeroes.
 *
 * Streams of the same inode have the same id, so that several names become one extent and a hard link.
 * Reading is done in the library's writer thread, one stream at a time. A piece that can't be read whole is
 * an error: it is noted in the context, and the burn must not be called good (libisofs fills with zeroes
 * where it's allowed to). */
#pragma once

#include "disc/iso_lib.h"
#include "disc/plan.h"

#include <pthread.h>

struct body_context {
	const struct plan *plan;
	int spool;	       /* borrowed; -1 where there's none */
	int medium;	       /* borrowed */
	uint64_t medium_limit; /* bytes of it that may be read: what lies before the new session */
	pthread_mutex_t lock;  /* of what follows: the reader of progress is another thread */
	uint32_t current;      /* node that is being read; NO_NAME at other times */
	struct reason failed;
};

/* One reference for the caller, who hands it to libisofs. context outlives it. 0 or -ENOMEM. */
int body_stream_new(struct body_context *context, uint32_t node, IsoStream **ret);
/* Copies what went wrong, if anything did. */
bool body_context_failed(struct body_context *context, struct reason *why);
uint32_t body_context_current(struct body_context *context);
