/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verification: reads a burned session back from the medium and compares it with the frozen tree, name by
 * name, attribute by attribute and, for every body that isn't where it was before, byte by byte. */
#pragma once

#include "commit/disc.h"

/* How each reason begins that isn't about a cancel. */
#define VERIFICATION_FAILED "verification failed: "

struct check_progress {
	/* Nonzero: somebody wants it to end; -ECANCELED follows. */
	int (*step)(void *self, uint64_t done_bytes, const char *name, size_t length);
	void (*writing)(void *self, bool on); /* the head is written from now on / no more; may be NULL */
	void *self;
	bool names_only; /* what new files hold isn't compared: the tree alone, by which it's published */
};

/* start: the session's first sector; limit: sectors recorded with it. gen: the frozen generation. front: as
 * it went out, or NULL. Fills the table `landed` with what the disc says of each staged node (not committed
 * to the journal yet). 0, or -EBADMSG with the first difference in why (the session must not be used), or
 * -errno. */
int check_session(struct disc *disc, uint32_t gen, uint64_t start, uint64_t limit,
		  const struct verb_front *front, const struct check_progress *progress, struct reason *why);
