/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 of a session up to its first file, as it goes out, and compared with what is read back.
 *
 * libisofs' own sums cover descriptors and the tree of ISO 9660; the Joliet tree, which is what Windows
 * shows, lies behind them and is covered by the sum of the whole session only, files and all. */
#pragma once

#include "base/reason.h"
#include "disc/source.h"
#include "wire/verbs.h"

struct front_sum {
	void *hash;
	uint64_t left;	  /* bytes that are still to come */
	uint32_t sectors; /* of the front */
	bool failed;
};

/* Close it always. */
int front_sum_open(struct front_sum *sum, uint32_t sectors, struct reason *why);
/* What comes next in the session; what lies behind the front is passed over. */
void front_sum_add(struct front_sum *sum, const uint8_t *data, size_t length);
/* sectors is 0 when not all of it came. */
void front_sum_end(struct front_sum *sum, struct verb_front *ret);
void front_sum_close(struct front_sum *sum);
/* Reads the front of the session at start. 0; -EBADMSG: it isn't what went out; or -errno. */
int front_sum_check(const struct source *source, uint64_t start, const struct verb_front *front,
		    struct reason *why);
