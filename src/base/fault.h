/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named fault points: tests make the program fail or die exactly there.
 *
 * DISCFS_FAULT="name:action[,name:action…]" in the environment, with action one of "kill" (SIGKILL to this
 * process), "stop" (wait for ever), "await=PATH" (wait until there is a file of that name) or an errno by
 * number. DISCFS_FAULT_SEEN=FILE: the name of each point that acts is appended to that file first. Costs one
 * pointer test where the variables aren't set.
 *
 * The table is all there are: tests/fault/points prints it, and the tests of commits walk through it, so that
 * a new point can't be forgotten. */
#pragma once

enum fault_in { FAULT_IN_DAEMON, FAULT_IN_WORKER };

/* When a commit that isn't asked for anything else comes by. */
enum fault_when {
	FAULT_ALWAYS,
	FAULT_WITH_HEAD, /* on media that can be overwritten */
	FAULT_SPOILT,	 /* only when it fails behind BURNING */
	FAULT_AT_ENDS,	 /* of a good one, and of a bad one */
	FAULT_NEVER	 /* a switch for tests */
};

/* What follows when it returns an error. */
enum fault_ends {
	FAULT_ENDS_BADLY, /* the commit fails */
	FAULT_ENDS_ANYHOW /* the session is in force by then, or has failed already */
};

/* Each transition of the journal (commit/phases.h) has a point before it is stored and one behind. */
#define FAULT_PHASE(X, NAME, name, when, ends)                                                               \
	X(FAULT_##NAME##_BEFORE, "phase-" name "-before", FAULT_IN_DAEMON, when, ends)                       \
	X(FAULT_##NAME##_AFTER, "phase-" name "-after", FAULT_IN_DAEMON, when, ends)

#define FAULT_POINTS(X)                                                                                      \
	FAULT_PHASE(X, FROZEN, "frozen", FAULT_ALWAYS, FAULT_ENDS_BADLY)                                     \
	FAULT_PHASE(X, FILLED, "filled", FAULT_ALWAYS, FAULT_ENDS_BADLY)                                     \
	X(FAULT_BURN_PLANNED, "burn-planned", FAULT_IN_WORKER, FAULT_ALWAYS, FAULT_ENDS_BADLY)               \
	FAULT_PHASE(X, PLANNED, "planned", FAULT_ALWAYS, FAULT_ENDS_BADLY)                                   \
	FAULT_PHASE(X, BURNING, "burning", FAULT_ALWAYS, FAULT_ENDS_BADLY)                                   \
	X(FAULT_BURN_START, "burn-start", FAULT_IN_WORKER, FAULT_ALWAYS, FAULT_ENDS_BADLY)                   \
	X(FAULT_BURN_MIDDLE, "burn-middle", FAULT_IN_WORKER, FAULT_ALWAYS, FAULT_ENDS_BADLY)                 \
	X(FAULT_BURN_WRITTEN, "burn-written", FAULT_IN_WORKER, FAULT_ALWAYS, FAULT_ENDS_BADLY)               \
	FAULT_PHASE(X, WRITTEN, "written", FAULT_ALWAYS, FAULT_ENDS_BADLY)                                   \
	X(FAULT_CHECK_START, "check-start", FAULT_IN_DAEMON, FAULT_ALWAYS, FAULT_ENDS_BADLY)                 \
	X(FAULT_IMPORT_END, "import-end", FAULT_IN_WORKER, FAULT_ALWAYS, FAULT_ENDS_BADLY)                   \
	FAULT_PHASE(X, CHECKED, "checked", FAULT_ALWAYS, FAULT_ENDS_BADLY)                                   \
	X(FAULT_HEAD_BEFORE, "head-before", FAULT_IN_WORKER, FAULT_WITH_HEAD, FAULT_ENDS_BADLY)              \
	X(FAULT_HEAD_AFTER, "head-after", FAULT_IN_WORKER, FAULT_WITH_HEAD, FAULT_ENDS_BADLY)                \
	X(FAULT_HEAD_ANCHOR, "head-anchor", FAULT_IN_WORKER, FAULT_WITH_HEAD, FAULT_ENDS_ANYHOW)             \
	FAULT_PHASE(X, PUBLISHED, "published", FAULT_ALWAYS, FAULT_ENDS_ANYHOW)                              \
	FAULT_PHASE(X, SPOILT, "spoilt", FAULT_SPOILT, FAULT_ENDS_ANYHOW)                                    \
	FAULT_PHASE(X, IDLE, "idle", FAULT_AT_ENDS, FAULT_ENDS_ANYHOW)                                       \
	X(FAULT_BURN_BLIND, "burn-blind", FAULT_IN_DAEMON, FAULT_NEVER, FAULT_ENDS_ANYHOW)

#define FAULT_ENUM(id, name, in, when, ends) id,
enum fault { FAULT_POINTS(FAULT_ENUM) FAULT_COUNT };
#undef FAULT_ENUM

const char *fault_name(enum fault fault);
/* Returns 0, or -errno where the environment asks for it. */
int fault_point(enum fault fault);
