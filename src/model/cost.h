/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the next session takes, besides its directories (model/layout). */
#pragma once

#include "model/node.h"

/* Sectors of body that the next session must carry for a regular file: none when it lies on the disc already.
 */
uint64_t cost_body(const struct node *node);
/* Entries in the session's array of MD5s: one for each file but those that lie on the disc without one. All
 * that are empty share one, which isn't counted. */
bool cost_sum(const struct node *node);

/* How a kind of medium takes a session. */
struct cost_medium {
	bool sequential;
	uint64_t start; /* sector */
	uint64_t front; /* sectors of the session before libisofs' own */
};

#define SESSION_ALIGN 32u /* sessions begin and end at multiples: drives write in such chunks */

/* Sectors that a session of so many takes on the medium, with all padding. */
uint64_t cost_session(const struct cost_medium *medium, uint64_t sectors);
/* To be kept for a session behind that one. */
uint64_t cost_further(const struct cost_medium *medium, uint64_t sectors);
/* The other way round: how many sectors of a session go into so much room. */
uint64_t cost_content(const struct cost_medium *medium, uint64_t room);
