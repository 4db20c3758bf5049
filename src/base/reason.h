/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why something failed: an errno and one sentence for a person, set where the fault is detected. */
#pragma once

#include "base/cleanup.h"

struct reason {
	int err;	/* positive errno, 0 = nothing went wrong */
	char text[480]; /* what, where, what to do; no newline at the end */
};

/* Fills why (may be NULL) and returns -err. The first reason wins: one that is set already is kept. */
int reason_set(struct reason *why, int err, const char *fmt, ...) PRINTF(3, 4);
