/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a script and a person are told of a commit that failed: what happened, what is on the disc now, what
 * to do. */
#pragma once

#include "base/reason.h"
#include "model/phase.h"

#include <stdbool.h>

struct failure {
	const struct reason *why;
	enum phase phase;  /* how far the commit came */
	bool touched;	   /* the disc may have been changed */
	bool sequential;   /* what was begun takes room on it */
	bool had_sessions; /* before */
	bool unsettled;	   /* it isn't over: the next mount brings it to its end, and the reason says so */
	int now;	   /* 0, or ENOMEDIUM, ESTALE: what is in the drive now is no disc, another disc */
	bool closed;	   /* and now it takes no more */
	bool image;	   /* a file: no drive could do better */
};

/* Of exit_code.h. */
int failure_exit_code(const struct failure *failure);
/* Positive, for a caller of write() or setxattr(). */
int failure_errno(const struct failure *failure);
void failure_sentence(const struct failure *failure, char *ret, size_t room);
