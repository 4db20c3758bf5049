/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/hold.h"

#include "model/litter.h"
#include "store/held.h"
#include "store/rows.h"
#include "store/staged.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

/* What an inode loses in the frozen generation. */
struct effect {
	uint64_t ino;
	uint32_t names, subdirs;
};

struct child {
	uint64_t ino;
	uint32_t type;
	size_t at, length;
};

struct holding {
	struct tree *tree;
	struct held held;
	struct staged_names names;
	VEC(struct effect) effects;
	VEC(uint64_t) dirs; /* held back: what the base has in them goes with them */
	VEC(struct child) children;
	struct text bytes; /* the children's names */
};

static void holding_clear(struct holding *holding)
{
	held_clear(&holding->held);
	staged_names_clear(&holding->names);
	vec_clear(&holding->effects);
	vec_clear(&holding->dirs);
	vec_clear(&holding->children);
	text_clear(&holding->bytes);
}

void hold_clear(struct hold *hold)
{
	vec_clear(&hold->inos);
}

static int add_effect(struct holding *holding, struct effect effect)
{
	struct effect *kept = vec_push(&holding->effects);

	if (!kept)
		return -ENOMEM;
	*kept = effect;
	return 0;
}

/* base: the base has the name, so that it takes a whiteout. */
static int hold_name(struct holding *holding, uint64_t parent, const char *name, size_t length, bool base,
		     uint64_t ino, uint32_t type)
{
	struct db *db = &holding->tree->db;
	uint32_t gen = holding->tree->gen;
	uint64_t *dir;
	int ret = base ? rows_name_put(db, parent, name, length, gen, 0, 0)
		       : rows_name_delete(db, parent, name, length, gen);

	if (ret == 0)
		ret = rows_name_put(db, parent, name, length, gen + 1, ino, type);
	if (ret == 0)
		ret = add_effect(holding, (struct effect){ .ino = ino, .names = 1 });
	if (ret < 0 || type != DT_DIR)
		return ret;
	dir = vec_push(&holding->dirs);
	if (!dir)
		return -ENOMEM;
	*dir = ino;
	return add_effect(holding, (struct effect){ .ino = parent, .subdirs = 1 });
}

static int hold_staged(struct holding *holding)
{
	vec_each (&holding->names.list, name) {
		const char *bytes = staged_name_bytes(&holding->names, name);
		int ret =
		    name->now ? held_name(&holding->held, name->parent, bytes, name->length, name->base) : 0;

		if (ret > 0)
			ret = hold_name(holding, name->parent, bytes, name->length, name->base != 0,
					name->now, name->now_type);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int keep_child(void *self, const char *name, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	struct holding *holding = self;
	struct child *child;

	if (gen > 0)
		return 0; /* among the staged names */
	child = vec_push(&holding->children);
	if (!child)
		return -ENOMEM;
	*child = (struct child){ ino, type, holding->bytes.length, length };
	text_add_bytes(&holding->bytes, name, length);
	return holding->bytes.failed ? -ENOMEM : 0;
}

/* What the base has in directories that were moved. */
static int hold_moved(struct holding *holding)
{
	int ret = 0;

	while (ret == 0 && holding->dirs.count) {
		uint64_t dir = holding->dirs.items[--holding->dirs.count];

		holding->children.count = holding->bytes.length = 0;
		ret = rows_name_list(&holding->tree->db, dir, holding->tree->gen, keep_child, holding);
		for (size_t i = 0; ret == 0 && i < holding->children.count; i++) {
			const struct child *child = &holding->children.items[i];

			ret = hold_name(holding, dir, holding->bytes.data + child->at, child->length, true,
					child->ino, child->type);
		}
	}
	return ret;
}

static int by_ino(const void *a, const void *b)
{
	const struct effect *left = a, *right = b;

	return (left->ino > right->ino) - (left->ino < right->ino);
}

static void merge_effects(struct holding *holding)
{
	struct effect *to = holding->effects.items;

	if (holding->effects.count == 0)
		return;
	qsort(to, holding->effects.count, sizeof *to, by_ino);
	for (size_t i = 1; i < holding->effects.count; i++) {
		const struct effect *from = &holding->effects.items[i];

		if (from->ino != to->ino) {
			*++to = *from;
			continue;
		}
		to->names += from->names;
		to->subdirs += from->subdirs;
	}
	holding->effects.count = (size_t)(to - holding->effects.items) + 1;
}

/* The node as it is in the frozen generation: gone, or with fewer links. */
static int put_rest(struct holding *holding, const struct effect *effect, struct node *node)
{
	struct db *db = &holding->tree->db;
	uint32_t gen = holding->tree->gen;
	bool is_dir = S_ISDIR(node->attr.mode);
	int below;

	if (is_dir ? effect->names == 0 : effect->names < node->attr.nlink) {
		node->attr.nlink -= is_dir ? effect->subdirs : effect->names;
		return rows_node_put(db, node, gen);
	}
	below = rows_node_below(db, effect->ino, gen);
	if (below <= 0)
		return below < 0 ? below : rows_node_delete(db, effect->ino, gen);
	node->attr.nlink = 0;
	node->attr.size = 0;
	extent_map_clear(&node->map);
	extent_map_clear(&node->lost);
	return rows_node_put(db, node, gen);
}

static int put_effect(struct holding *holding, const struct effect *effect, struct hold *ret)
{
	struct node node CLEANUP(node_clear) = { 0 };
	struct db *db = &holding->tree->db;
	uint64_t *ino = vec_push(&ret->inos);
	uint32_t gen;
	int found = ino ? rows_node_get(db, effect->ino, holding->tree->gen, &node, &gen) : -ENOMEM;

	if (found <= 0)
		return found < 0 ? found : -EUCLEAN;
	*ino = effect->ino;
	ret->names += effect->names;
	found = rows_node_put(db, &node, holding->tree->gen + 1);
	return found < 0 ? found : put_rest(holding, effect, &node);
}

int hold_rows(struct tree *tree, struct hold *ret)
{
	struct holding holding CLEANUP(holding_clear) = { .tree = tree, .held = { .tree = tree } };
	int err;

	if (!tree->litter || tree->litter->patterns.count == 0)
		return 0;
	err = staged_names_collect(tree, GEN_NEWEST, &holding.names);
	if (err == 0)
		err = hold_staged(&holding);
	if (err == 0)
		err = hold_moved(&holding);
	merge_effects(&holding);
	for (size_t i = 0; err == 0 && i < holding.effects.count; i++)
		err = put_effect(&holding, &holding.effects.items[i], ret);
	return err;
}

void hold_inodes(struct tree *tree, const struct hold *hold)
{
	for (size_t i = 0; i < hold->inos.count; i++) {
		struct inode *inode = inode_cache_peek(&tree->cache, hold->inos.items[i]);

		if (inode)
			inode->gen = tree->gen;
	}
}
