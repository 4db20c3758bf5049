/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands between the session's stream and libburn: counts, pads, and never lets an early end pass for a good
 * one.
 */
#pragma once

#include "base/bytes.h"

#include <libburn/libburn.h>
#include <stdatomic.h>

struct burn_feed {
	int (*read)(void *from, uint8_t *buffer, int size); /* all of them, or less where it broke off */
	void *from;
	uint64_t inner_size; /* bytes that it must deliver */
	uint64_t size;	     /* bytes that go out: zeroes follow */
	_Atomic uint64_t sent;
	_Atomic bool failed;
	_Atomic bool stop; /* set by the other thread: deliver no more */
};

/* Returns a source with one reference, or NULL. feed outlives it. */
struct burn_source *burn_feed_source(struct burn_feed *feed);
