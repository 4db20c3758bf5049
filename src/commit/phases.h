/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commit journal as a state machine: one function a transition, and nobody else writes the journal.
 *
 *	IDLE --1-> FROZEN --2-> FILLED --3-> PLANNED --4-> BURNING --5-> WRITTEN --6-> CHECKED --7-> PUBLISHED
 *	  ^           |           |             |             |             |             |              |
 *	  |           +-----------+------9------+             +-------------+------8------+              |
 *	  |                       |                                         v                            |
 *	  +-----------------------+-------------------------9------------ SPOILT                         |
 *	  +------------------------------------------------10--------------------------------------------+
 *
 *	 1 phase_to_frozen     generation N takes no more changes, N+1 does
 *	 2 phase_to_filled     every body of N can be had while a drive burns
 *	 3 phase_to_planned    start, size, new head, old head and coming fingerprint are stored
 *	 4 phase_to_burning    the state is found by the coming fingerprint, too; then the medium may be
 *touched 5 phase_to_written    the worker said that the session is whole 6 phase_to_checked    what was read
 *back is what was frozen; the head may be written from here on 7 phase_to_published  the medium shows the
 *session: N becomes the base, in the same transaction 8 phase_to_spoilt     no good session came of it: its
 *start is noted as bad where that counts 9 phase_undo          N joins N+1: all is staged again 10
 *phase_sweep         what leads to the old state goes
 *
 * What is stored is synced before the next step begins, so after a crash or a power cut the journal is never
 * behind what was done to the medium. Each has the fault points phase-NAME-before and phase-NAME-after, NAME
 * being the phase that it leads to (9 and 10: idle). recover.c says what follows after a crash in each phase.
 *
 * All return 0 or -errno with why; journal->phase is what the journal says then. */
#pragma once

#include "commit/disc.h"
#include "store/journal.h"

int phase_to_frozen(struct disc *disc, struct journal *journal, struct reason *why);
int phase_to_filled(struct disc *disc, struct journal *journal, struct reason *why);
int phase_to_planned(struct disc *disc, struct journal *journal, struct reason *why);
int phase_to_burning(struct disc *disc, struct journal *journal, struct reason *why);
int phase_to_written(struct disc *disc, struct journal *journal, struct reason *why);
int phase_to_checked(struct disc *disc, struct journal *journal, struct reason *why);
/* When it can't be stored, tree.broken is set: nothing more can be staged, and the next mount does it. */
int phase_to_published(struct disc *disc, struct journal *journal, struct reason *why);
/* cause: for the history. tree.broken as above. */
int phase_to_spoilt(struct disc *disc, struct journal *journal, const struct reason *cause,
		    struct reason *why);
/* cause: for the history, where it doesn't stand there yet; NULL: nothing was tried. tree.broken as above. */
int phase_undo(struct disc *disc, struct journal *journal, const struct reason *cause, struct reason *why);
/* The session is good whatever comes of this. */
int phase_sweep(struct disc *disc, struct journal *journal, struct reason *why);
/* One sentence on a good session; session: its number, from 1. */
#define NOT_VERIFIED "not verified"
void phase_sentence(size_t session, const struct journal *journal, char *ret, size_t room);
