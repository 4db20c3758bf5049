/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks whole sessions: their tree, and the content of every file, against the MD5 sums that are recorded.
 *
 * Files are read in ascending order of their place, and each body once, however many names and sessions have
 * it. What has no sum is read all the same, to see that it can be. Nothing that is damaged ends the check. */
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
};

/* Once in a process: iso_read_start(). */
int verify_open(struct verify *verify, const struct source *source, const struct verify_sink *sink,
		void *self, struct reason *why);
void verify_close(struct verify *verify);
/* head: blocks 0..31 are a copy of this session's descriptors. 0, or -errno: -ENOMEDIUM, -ESTALE (another
 * disc), -ENOMEM, what the sink gave. */
int verify_session(struct verify *verify, const struct verb_session *session, bool head, struct reason *why);
