/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sector 256 of a medium that can be overwritten, where readers look for UDF first (UDF 1.02 2.2.3): may a
 * session of ours be found from there?
 *
 * On media that take sessions one behind the other each session has its own, 256 behind its start. */
#pragma once

#include "base/reason.h"
#include "disc/source.h"
#include "wire/verbs.h"

#define ANCHOR_WINDOW 32u /* sectors from 256 on that are written at once to a disc: BD-RE's cluster */

enum anchor_place {
	ANCHOR_NOWHERE, /* it would lead to another volume for ever, or to none: the session gets no UDF */
	ANCHOR_OWN,	/* behind the session's start, on sequential media */
	ANCHOR_LAST,	/* 256 belongs to others: at the end of the image file alone */
	ANCHOR_FRONT,	/* 256 lies in this session's front, and is written with the head, too */
	ANCHOR_HEAD	/* 256 is written with the head */
};

/* why_not: filled for ANCHOR_NOWHERE. 0 or -EIO. */
int anchor_place(const struct source *source, const struct verb_job *job, enum anchor_place *ret,
		 struct reason *why_not, struct reason *why);
/* The head says what stands in sector 256, but that couldn't be written there: who looks for UDF sees the
 * session before. */
bool anchor_is_stale(const struct source *source);
