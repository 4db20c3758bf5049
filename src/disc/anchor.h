/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where readers look for UDF on a medium that can be overwritten (UDF 1.02 2.2.3): in sector 256 first, then
 * in the last one. May a session of ours be found from there?
 *
 * On media that take sessions one behind the other each session has its own, 256 behind its start. */
#pragma once

#include "base/reason.h"
#include "disc/source.h"
#include "wire/verbs.h"

enum anchor_place {
	ANCHOR_NOWHERE, /* it would lead to another volume for ever, or to none: the session gets no UDF */
	ANCHOR_OWN,	/* those in the session itself do: on sequential media, and at the end of an image */
	ANCHOR_FRONT,	/* 256 lies in this session's front, and is written with the head, too */
	ANCHOR_LATE	/* another sector of the medium, which is written with the head */
};

/* ret_late: what is written with the head: 256, or the last one of a disc whose 256 belongs to others; 0:
 * none. why_not: filled for ANCHOR_NOWHERE. 0 or -EIO. */
int anchor_place(const struct source *source, const struct verb_job *job, enum anchor_place *ret,
		 uint32_t *ret_late, struct reason *why_not, struct reason *why);
/* The head says what stands in such a sector, but that couldn't be written there: who looks for UDF sees the
 * session before. */
bool anchor_is_stale(const struct source *source);
