/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cost.h"

/* Behind a session on sequential media: drives and kernels read ahead, and a CD track ends in two unreadable
 * sectors. */
#define PADDING	     150u
#define TRACK_LEAST  320u /* sectors: 4 s, the least on CD (MMC-5 4.2.3.6), in whole chunks */
#define FIRST_SECTOR 32u  /* libisofs begins bodies there, however few directories there are before them */

uint64_t cost_body(const struct node *node)
{
	if (!S_ISREG(node->attr.mode) || extent_map_is_on_disc(&node->map, node->attr.size))
		return 0;
	return sectors_of(node->attr.size);
}

bool cost_sum(const struct node *node)
{
	return S_ISREG(node->attr.mode) && node->attr.size &&
	       (node->md5.length || !extent_map_is_on_disc(&node->map, node->attr.size));
}

static uint64_t padding(const struct cost_medium *medium)
{
	return (medium->sequential ? PADDING : 0) +
	       (medium->start + medium->front < FIRST_SECTOR ? FIRST_SECTOR : 0);
}

uint64_t cost_session(const struct cost_medium *medium, uint64_t sectors)
{
	uint64_t whole = round_up(sectors + padding(medium), SESSION_ALIGN);

	return medium->sequential ? max_u64(whole, TRACK_LEAST) : whole;
}

uint64_t cost_content(const struct cost_medium *medium, uint64_t room)
{
	uint64_t whole = room - room % SESSION_ALIGN;

	if (medium->sequential && whole < TRACK_LEAST)
		return 0;
	return whole - min_u64(whole, padding(medium));
}

uint64_t cost_further(const struct cost_medium *medium, uint64_t sectors)
{
	/* Of a CD's track the last two sectors can't be read, and the next session begins at a multiple. */
	return cost_session(medium, sectors) + (medium->sequential ? SESSION_ALIGN : 0);
}
