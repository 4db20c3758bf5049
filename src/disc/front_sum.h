/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 of a session up to its first file, and of UDF's tree at its end, as they go out, and compared with
 * what is read back.
 *
 * libisofs' own sums cover descriptors and the tree of ISO 9660; the Joliet tree, which is what Windows
 * shows, lies behind them and is covered by the sum of the whole session only, files and all. */
#pragma once

#include "base/reason.h"
#include "disc/source.h"
#include "wire/verbs.h"

struct front_sum {
	void *hash;
	uint64_t at; /* bytes that have passed */
	struct verb_front part;
	bool failed;
};

/* part: which sectors. Close it always. */
int front_sum_open(struct front_sum *sum, const struct verb_front *part, struct reason *why);
/* What comes next in the session; what isn't of these parts is passed over. */
void front_sum_add(struct front_sum *sum, const uint8_t *data, size_t length);
/* sectors is 0 when not all of it came. */
void front_sum_end(struct front_sum *sum, struct verb_front *ret);
void front_sum_close(struct front_sum *sum);
/* Reads the front of the session at start. 0; -EBADMSG: it isn't what went out; or -errno. */
int front_sum_check(const struct source *source, uint64_t start, const struct verb_front *front,
		    struct reason *why);
