/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tree's session, reckoned from its names and nodes alone (model/layout). */
#pragma once

#include "drive.h"
#include "unit.h"

#include "model/cost.h"
#include "model/layout.h"
#include "model/udf_ident.h"

struct reckon_child {
	const char *name;
	uint64_t ino;
	uint64_t parent;
};

static inline int reckon_by_place(const void *left, const void *right)
{
	const struct reckon_child *a = left, *b = right;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Does UDF have an entry of it? Links whose target has no room there are left out. */
static inline bool reckon_entry(const struct node *node, const struct session_formats *formats)
{
	bool fits = !S_ISLNK(node->attr.mode) ||
		    udf_target_fits((const char *)node->target.data, node->target.length);

	return formats->udf && (formats->udf_links ? fits : mode_is_plain(node->attr.mode));
}

/* Sectors of a session with that tree, before any padding. */
static inline uint64_t reckon(struct drive_tree *tree, const struct session_formats *formats)
{
	struct reckon_child *children = calloc(tree->names.count, sizeof *children);
	struct layout layout = { .entries = { 0 } };
	struct dir_cost sum = { 0 };
	uint64_t sectors = 0, sums = 0;
	size_t count = 0, at = 0;
	bool empty = false;

	vec_each (&tree->names, name)
		if (name->parent)
			children[count++] = (struct reckon_child){ name->name, name->ino, name->parent };
	qsort(children, count, sizeof *children, reckon_by_place);
	vec_each (&tree->nodes, node) {
		struct record_facts self;
		struct dir_cost cost;

		sums += cost_sum(node);
		empty |= S_ISREG(node->attr.mode) && node->attr.size == 0;
		if (S_ISREG(node->attr.mode) && !extent_map_is_on_disc(&node->map, node->attr.size))
			sectors += sectors_of(node->attr.size);
		if (!S_ISDIR(node->attr.mode)) {
			sectors += reckon_entry(node, formats);
			continue;
		}
		record_facts_of(node, &self);
		layout_clear(&layout);
		for (at = 0; at < count && children[at].parent < node->attr.ino; at++)
			;
		for (; at < count && children[at].parent == node->attr.ino; at++) {
			struct record_facts facts;

			record_facts_of(&tree->nodes.items[children[at].ino - 1], &facts);
			assert_int_equal(
			    layout_add(&layout, children[at].name, strlen(children[at].name), &facts), 0);
		}
		assert_int_equal(layout_cost(&layout, &self, node->attr.ino == ROOT_INO, &cost), 0);
		sum.iso += cost.iso + cost.continued;
		sum.joliet += cost.joliet;
		sum.iso_tables += cost.iso_tables;
		sum.joliet_tables += cost.joliet_tables;
		sum.udf += cost.udf;
		sum.udf_linkless += cost.udf_linkless;
	}
	layout_free(&layout);
	free(children);
	return sectors + layout_sectors(&sum, formats) + layout_fixed(formats, sums + empty);
}
