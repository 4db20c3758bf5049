/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The phases of a commit, as the journal holds them, and which may follow which (the whole picture:
 * commit/phases.h). */
#pragma once

#include <stdbool.h>

/* Stored: never renumber. */
enum phase {
	PHASE_IDLE = 0,
	PHASE_FROZEN,  /* generation N takes no more writes, N+1 does */
	PHASE_FILLED,  /* every body of N that isn't wholly on the disc can be read while the drive writes */
	PHASE_PLANNED, /* the session's size, place and head are known and stored; it fits */
	PHASE_BURNING, /* the medium may have been touched */
	PHASE_WRITTEN, /* the worker said that the session is there */
	PHASE_CHECKED, /* what was read back equals the plan; only the head is missing */
	PHASE_PUBLISHED, /* N is the base; sweeping is left */
	PHASE_SPOILT	 /* no good session came of it; N joins N+1 */
};

/* For people, while it is under way. */
const char *phase_name(enum phase phase);
bool phase_may_follow(enum phase from, enum phase to);
