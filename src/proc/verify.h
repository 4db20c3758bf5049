/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has a worker check sessions of a disc against the sums recorded on it. */
#pragma once

#include "wire/verify_verbs.h"

struct verify_request {
	int fd; /* the medium, borrowed; of a drive, only this is used: the drive is read, nothing else */
	const char *path; /* absolute */
	bool is_drive;
	uint64_t sectors;		     /* that can be read; 0: the image file tells */
	const struct verb_session *sessions; /* in the order in which they are to be checked */
	size_t count;			     /* at least 1 */
	/* as in verb_verify: */
	bool head, chain, learn;
	const struct verb_sum *sums; /* of bodies that the disc has none of */
	size_t sum_count;
};

/* What is told; all of it is checked by then: sessions are those that were asked for, in that order, and what
 * a session's CHECKED says agrees with the damages before it. Strings end with the call. */
struct verify_watch {
	void (*progress)(void *self, const struct verb_session *session,
			 const struct verb_progress *progress);
	void (*damaged)(void *self, const struct verb_damaged *damaged);
	void (*checked)(void *self, const struct verb_checked *checked);
	void (*sum)(void *self, const struct verb_sum *sum); /* may be NULL unless learn */
};

/* 0 however much is damaged, or -errno with why: -ENOMEDIUM, -ESTALE (another disc), -EINTR (verify_stop). */
int verify_run(const struct verify_request *request, const struct verify_watch *watch, void *self,
	       struct reason *why);
/* Ends what runs, from a signal handler. */
void verify_stop(void);
