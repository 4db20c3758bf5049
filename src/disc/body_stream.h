/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The content of one new body as libisofs wants it: pieces from the spool, from the medium, and zeroes.
 *
 * Two questions that libisofs answers by the id of a stream unless told otherwise are kept apart here. Which
 * names are hard links of one file: those whose nodes have the same serial number (RRIP 4.1.1), and the id of
 * a stream is its node's. Which of them are one body, and so recorded once: those whose maps say the same.
 * Reading is done in the library's writer thread, one stream at a time. A piece that can't be read whole is
 * an error: it is noted in the context, and the burn must not be called good (libisofs fills with zeroes
 * where it's allowed to). */
#pragma once

#include "disc/iso_lib.h"
#include "disc/plan.h"
#include "disc/source.h"

#include <pthread.h>

struct body_context {
	const struct plan *plan;
	int spool;		     /* borrowed; -1 where there's none */
	const struct source *source; /* of the medium; borrowed */
	uint64_t medium_limit;	     /* bytes of it that may be read: what lies before the new session */
	uint32_t serial_first;	     /* of node 0: see synth.h */
	pthread_mutex_t lock;	     /* of what follows: the reader of progress is another thread */
	uint32_t current;	     /* node that is being read; NO_NAME at other times */
	struct reason failed;
};

/* One reference for the caller, who hands it to libisofs. context outlives it. 0 or -ENOMEM. */
int body_stream_new(struct body_context *context, uint32_t node, IsoStream **ret);
/* Copies what went wrong, if anything did. */
bool body_context_failed(struct body_context *context, struct reason *why);
uint32_t body_context_current(struct body_context *context);
