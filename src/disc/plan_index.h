/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of a plan by directory, in byte order: a plan has them in the order in which they came. */
#pragma once

#include "disc/plan.h"

struct plan_index {
	const struct plan *plan;
	uint32_t *order; /* names, those of a directory one behind the other */
	uint32_t *first; /* by node: its first one in order; one entry more than there are nodes */
};

/* plan must outlive it, and not grow. 0 or -ENOMEM. */
int plan_index_make(struct plan_index *index, const struct plan *plan);
void plan_index_clear(struct plan_index *index);
/* The name in a directory, or NO_NAME. */
uint32_t plan_index_find(const struct plan_index *index, uint32_t dir, const char *name);
/* How many names a node has below it; 0 for what isn't a directory. */
static inline uint32_t plan_index_count(const struct plan_index *index, uint32_t dir)
{
	return index->first[dir + 1] - index->first[dir];
}
/* The i-th of them. */
static inline uint32_t plan_index_at(const struct plan_index *index, uint32_t dir, uint32_t i)
{
	return index->order[index->first[dir] + i];
}
