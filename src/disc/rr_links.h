/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads Rock Ridge link counts from directory records: libisofs doesn't hand them out. */
#pragma once

#include "base/vec.h"
#include "disc/source.h"

struct lba_set {
	uint32_t *items; /* sorted, no duplicates */
	size_t count;
	size_t room;
};

/* Fills ret with the first sectors of all files that a PX entry without a serial number gives more than one
 * link. Damaged records end the look at that directory, not more: this is evidence, not the tree. 0, -ENOMEM
 * or -EIO. */
int rr_links_scan(const struct source *source, uint64_t volume, struct lba_set *ret, struct reason *why);
bool lba_set_has(const struct lba_set *set, uint32_t lba);
void lba_set_clear(struct lba_set *set);
