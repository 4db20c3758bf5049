/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sums that libisofs records over a session's descriptors and directories, compared with what can be
 * read; see its doc/checksums.txt. What a sum tells lies in a tag, a line of text in a sector of its own. */
#pragma once

#include "disc/session_tags.h"
#include "disc/source.h"
#include "wire/verify_verbs.h"

struct verify_tags {
	const struct source *source;
	uint64_t start; /* of the session */
	bool expected;	/* there must be tags, since the session has sums of its files */
	bool brief;	/* no search for a tag behind the directories that nothing leads to */
	/* Gets what is damaged: session, path and path_length are for others to fill. 0 or -errno, which ends
	 * it.
	 */
	int (*damaged)(void *self, struct verb_damaged *damaged);
	void *self;
};

/* Compares the tags behind the descriptors and behind the directories. 1: there are such, good or bad; 0:
 * none; or -errno (-ENOMEDIUM, -ESTALE, or what damaged gave). */
int verify_tags_session(const struct verify_tags *tags, struct reason *why);
/* Where the session begins whose descriptors blocks 0..31 are a copy of, if a tag tells; else 0. */
uint64_t verify_tags_relocated(const struct source *source);
/* The same as the first for the copy of a session's descriptors in blocks 0..31. */
int verify_tags_head(const struct verify_tags *tags, struct reason *why);
/* Whether the tag behind the array of sums tells its own place and is whole; what it sums up isn't read. */
int verify_tags_end(const struct verify_tags *tags, const struct sums_place *place, struct reason *why);
