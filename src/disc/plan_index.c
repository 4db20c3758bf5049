/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/plan_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *left, const void *right, void *self)
{
	const struct plan_name *names = (const struct plan_name *)self;

	return strcmp(names[*(const uint32_t *)left].name, names[*(const uint32_t *)right].name);
}

int plan_index_make(struct plan_index *index, const struct plan *plan)
{
	uint32_t nodes = (uint32_t)plan->nodes.count, names = (uint32_t)plan->names.count;
	AUTO_FREE uint32_t *next = NULL;

	*index = (struct plan_index){ .plan = plan,
				      .order = calloc(names + 1, sizeof *index->order),
				      .first = calloc(nodes + 2, sizeof *index->first) };
	next = malloc((nodes + 2) * sizeof *next);
	if (!index->order || !index->first || !next)
		return -ENOMEM;
	for (uint32_t i = 0; i < names; i++)
		index->first[plan->names.items[i].parent + 1]++;
	for (uint32_t i = 0; i < nodes; i++)
		index->first[i + 1] += index->first[i];
	memcpy(next, index->first, (nodes + 1) * sizeof *next);
	for (uint32_t i = 0; i < names; i++)
		index->order[next[plan->names.items[i].parent]++] = i;
	for (uint32_t i = 0; i < nodes; i++)
		if (plan_index_count(index, i) > 1)
			qsort_r(index->order + index->first[i], plan_index_count(index, i),
				sizeof *index->order, compare_names, plan->names.items);
	return 0;
}

void plan_index_clear(struct plan_index *index)
{
	free(index->order);
	free(index->first);
	*index = (struct plan_index){ 0 };
}

uint32_t plan_index_find(const struct plan_index *index, uint32_t dir, const char *name)
{
	uint32_t low = index->first[dir], high = index->first[dir + 1];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(index->plan->names.items[index->order[middle]].name, name);

		if (order == 0)
			return index->order[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_NAME;
}
