/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks whole sessions: their tree, and the content of every file, against the MD5 sums that are recorded.
 *
 * What the disc has no sum of is compared with what was computed of it when it was read before, where
 * somebody kept that. Files are read in ascending order of their place, and each body once, however many
 * names and sessions have it. What has none at all is read all the same, to see that it can be. Nothing that
 * is damaged ends the check. */
#pragma once

#include "base/vec.h"
#include "disc/source.h"
#include "disc/verify_body.h"
#include "wire/verify_verbs.h"

/* What is told; each returns 0 or -errno, which ends the check. */
struct verify_sink {
	int (*progress)(void *self, const struct verb_progress *progress); /* often */
	int (*damaged)(void *self, const struct verb_damaged *damaged);
	int (*checked)(void *self, const struct verb_checked *checked);
	int (*sum)(void *self, const struct verb_sum *sum); /* see verb_verify: learn */
};

struct verify {
	const struct source *source;
	const struct verify_sink *sink;
	void *self;
	uint64_t told;	 /* damages */
	bool chain;	 /* the session that comes next is the oldest: nothing may lie before it */
	uint8_t *buffer; /* BODY_BUFFER sectors */
	/* bodies that were read, sorted by place and size */
	VEC(struct body_found) known;
	const struct verb_sum *sums; /* borrowed; sorted by verify_sort_sums */
	size_t sum_count;
	bool learn; /* tell what has no sum at all */
};

/* Sums are looked up by their place. */
void verify_sort_sums(struct verb_sum *sums, size_t count);
/* Once in a process: iso_read_start(). */
int verify_open(struct verify *verify, const struct source *source, const struct verify_sink *sink,
		void *self, struct reason *why);
void verify_close(struct verify *verify);
/* head: blocks 0..31 are a copy of this session's descriptors. 0, or -errno: -ENOMEDIUM, -ESTALE (another
 * disc), -ENOMEM, what the sink gave. */
int verify_session(struct verify *verify, const struct verb_session *session, bool head, struct reason *why);
