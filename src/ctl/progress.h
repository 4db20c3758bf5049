/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows how far the daemon's work is: a bar that is redrawn on a terminal, elsewhere a line now and then. */
#pragma once

#include "ctl/json.h"

struct progress {
	bool quiet;
	bool terminal;
	bool drawn;	/* a bar stands on the terminal's line */
	char phase[32]; /* the newest one shown */
	int tenths;	/* the newest tenth shown of it */
};

void progress_start(struct progress *progress, bool quiet);
/* status: one with "work". */
void progress_show(struct progress *progress, const struct json *status);
/* Clears the bar away. */
void progress_end(struct progress *progress);
