/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows how far some work is: a bar that is redrawn on a terminal; elsewhere a line after ten seconds, and
 * one a minute from then on, so that what is short says nothing but its result; or one each
 * DISCFSCTL_PROGRESS seconds. */
#pragma once

#include "ctl/json.h"

/* One look at the work. */
struct progress_look {
	const char *phase;    /* NULL: none is under way */
	const char *file;     /* NULL: none */
	uint64_t done, total; /* total 0: unknown */
	bool sectors;	      /* they are sectors, and are told; else only their ratio means something */
	int64_t rate, eta;    /* bytes a second, 0 unknown; seconds, -1 unknown */
};

struct progress {
	bool quiet;
	bool terminal;
	bool drawn;	/* a bar stands on the terminal's line */
	int64_t next_s; /* elsewhere: when the next line is due */
	int64_t every_s;
};

void progress_start(struct progress *progress, bool quiet);
void progress_show(struct progress *progress, const struct progress_look *look);
/* The daemon's work. status: one with "work". */
void progress_show_status(struct progress *progress, const struct json *status);
/* Clears the bar away. */
void progress_end(struct progress *progress);
