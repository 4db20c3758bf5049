/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a check of a disc finds, told while it goes on, and as JSON at its end. */
#pragma once

#include "base/text.h"
#include "ctl/progress.h"
#include "proc/verify.h"

struct verify_show {
	bool json;
	bool all; /* several sessions */
	struct progress progress;
	uint32_t session;	       /* the newest that progress was told of */
	int64_t start_s;	       /* since when */
	struct text sessions, damages; /* JSON: elements of the arrays */
	struct text *learned;	       /* lines for .discfs/sums; NULL: nobody keeps them */
	/* Over all sessions; its session is how many, and damaged files that several have count once. */
	struct verb_checked sum;
	uint32_t damaged_sessions;     /* that have damaged files */
	uint32_t unreached, lost_from; /* sessions of which nothing can be reached: how many, the newest */
};

extern const struct verify_watch verify_show_watch; /* self is a verify_show */

void verify_show_start(struct verify_show *show, bool json, bool all);
/* Of the disc as a whole, before any session: it can't even be told what is on it. */
void verify_show_disc(struct verify_show *show, const char *text);
/* The last words; mountpoint may be NULL. An exit code. */
int verify_show_end(struct verify_show *show, const char *source, const char *mountpoint);
void verify_show_clear(struct verify_show *show);
