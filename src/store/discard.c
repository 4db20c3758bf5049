/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/discard.h"

#include "store/boot.h"
#include "store/generation.h"
#include "store/links.h"
#include "store/rows.h"
#include "store/selection.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* What happens to one inode; several for the same one are added up. */
struct effect {
	uint64_t ino;
	uint64_t parent; /* of a name that came back; 0 = none */
	int names;	 /* more or fewer */
	int subdirs;
	bool reverted; /* mode, times, content and all */
};

struct discard {
	struct tree *tree;
	struct selection selection;
	VEC(struct effect) effects; /* sorted, once each */
	struct node_counts counts;  /* change of the tree's */
};

static void discard_clear(struct discard *discard)
{
	selection_clear(&discard->selection);
	vec_clear(&discard->effects);
}

static int add_effect(struct discard *discard, struct effect effect)
{
	struct effect *kept = vec_push(&discard->effects);

	if (!kept)
		return -ENOMEM;
	*kept = effect;
	return 0;
}

/* The name shows again what the base has there. */
static int add_name(struct discard *discard, const struct staged_name *name)
{
	int subdirs = (name->base && name->base_type == DT_DIR) - (name->now && name->now_type == DT_DIR);
	int ret = add_effect(discard, (struct effect){ .ino = name->parent, .subdirs = subdirs });

	if (name->base == name->now)
		return ret;
	if (ret == 0 && name->base)
		ret = add_effect(discard,
				 (struct effect){ .ino = name->base, .names = 1, .parent = name->parent });
	if (ret == 0 && name->now)
		ret = add_effect(discard, (struct effect){ .ino = name->now, .names = -1 });
	return ret;
}

static int add_node(void *self, struct node *node, uint32_t gen)
{
	struct discard *discard = self;
	int ret = selection_has_node(&discard->selection, &node->attr);

	return ret > 0 ? add_effect(discard, (struct effect){ .ino = node->attr.ino, .reverted = true })
		       : ret;
}

static int by_ino(const void *a, const void *b)
{
	const struct effect *left = a, *right = b;

	return (left->ino > right->ino) - (left->ino < right->ino);
}

static void merge_effects(struct discard *discard)
{
	struct effect *to = discard->effects.items;

	if (discard->effects.count == 0)
		return;
	qsort(to, discard->effects.count, sizeof *to, by_ino);
	for (size_t i = 1; i < discard->effects.count; i++) {
		const struct effect *from = &discard->effects.items[i];

		if (from->ino != to->ino) {
			*++to = *from;
			continue;
		}
		to->names += from->names;
		to->subdirs += from->subdirs;
		to->reverted |= from->reverted;
		to->parent = from->parent ? from->parent : to->parent;
	}
	discard->effects.count = (size_t)(to - discard->effects.items) + 1;
}

static int collect_effects(struct discard *discard)
{
	int ret = 0;

	vec_each (&discard->selection.names.list, name)
		if (ret == 0 && name->selected)
			ret = add_name(discard, name);
	if (ret == 0)
		ret = rows_node_staged(&discard->tree->db, add_node, discard);
	merge_effects(discard);
	return ret;
}

static uint32_t links_after(const struct node *now, const struct effect *effect)
{
	uint32_t links = now->attr.nlink;

	if (!S_ISDIR(now->attr.mode))
		return links + (uint32_t)effect->names;
	if ((links > 0) + effect->names <= 0)
		return 0;
	return (links ? links : 2) + (uint32_t)effect->subdirs;
}

/* Nothing is left of the change but what follows from names: times of directories, ctime. */
static bool is_noise(const struct discard *discard, const struct node *base, const struct node *now)
{
	if (staged_is_modified(base, now))
		return false;
	return !S_ISDIR(now->attr.mode) || !selection_keeps_below(&discard->selection, now->attr.ino);
}

/* Writes the node's row of the staged generation as it is to be, or takes it away where the base says the
 * same. */
static int put_base_node(struct discard *discard, const struct effect *effect, struct node *base,
			 struct node *now)
{
	bool whole = effect->reverted || now->attr.nlink == 0 || is_noise(discard, base, now);
	uint32_t links = links_after(now, effect);
	struct node *after = whole ? base : now;
	uint64_t parent = effect->parent ? effect->parent : now->parent;
	uint64_t ino = now->attr.ino;
	struct db *db = &discard->tree->db;

	if (links == 0)
		return 0; /* it stays deleted */
	if (now->attr.nlink)
		node_count(&discard->counts, now, -1);
	node_count(&discard->counts, after, 1);
	if (whole && links == base->attr.nlink && (parent == base->parent || !S_ISDIR(base->attr.mode)))
		return rows_node_delete(db, ino, discard->tree->gen);
	after->attr.nlink = links;
	after->parent = parent;
	return rows_node_put(db, after, discard->tree->gen);
}

/* Without a name a new node's row goes; while it's open it gets one as an orphan. */
static int put_new_node(struct discard *discard, const struct effect *effect, struct node *now)
{
	uint32_t links = links_after(now, effect);
	struct db *db = &discard->tree->db;

	if (now->attr.nlink == 0 || links == now->attr.nlink)
		return 0;
	if (links == 0) {
		node_count(&discard->counts, now, -1);
		return rows_node_delete(db, now->attr.ino, discard->tree->gen);
	}
	now->attr.nlink = links;
	return rows_node_put(db, now, discard->tree->gen);
}

static int put_effect(struct discard *discard, const struct effect *effect)
{
	struct node base CLEANUP(node_clear) = { 0 }, now CLEANUP(node_clear) = { 0 };
	struct db *db = &discard->tree->db;
	uint32_t gen;
	int found = rows_node_get(db, effect->ino, GEN_NEWEST, &now, &gen);

	if (found > 0)
		found = rows_node_get(db, effect->ino, 0, &base, &gen);
	else if (found == 0)
		found = -EUCLEAN;
	if (found < 0)
		return found;
	return found ? put_base_node(discard, effect, &base, &now) : put_new_node(discard, effect, &now);
}

static int delete_names(struct discard *discard)
{
	struct staged_names *names = &discard->selection.names;
	int ret = 0;

	vec_each (&names->list, name)
		if (ret == 0 && name->selected)
			ret =
			    rows_name_delete(&discard->tree->db, name->parent, staged_name_bytes(names, name),
					     name->length, discard->tree->gen);
	return ret;
}

/* With a file goes what makes it a boot image. */
static int discard_boot(struct discard *discard)
{
	struct boot_wishes wishes CLEANUP(boot_wishes_clear) = { 0 };
	struct tree *tree = discard->tree;
	int ret = discard->selection.all ? boot_discard(tree) : 0;

	if (ret == 0 && !discard->selection.all)
		ret = boot_wishes_load(&tree->db, GEN_NEWEST, &wishes);
	for (size_t slot = 0; ret >= 0 && slot < BOOT_SLOTS; slot++) {
		struct node_attr attr;

		if (!wishes.slots[slot].ino)
			continue;
		ret = rows_node_attr(&tree->db, wishes.slots[slot].ino, &attr);
		if (ret > 0)
			ret = selection_has_node(&discard->selection, &attr);
		if (ret > 0)
			ret = boot_discard_slot(tree, (enum boot_slot)slot);
	}
	return ret < 0 ? ret : 0;
}

static int change_rows(struct discard *discard)
{
	int ret = collect_effects(discard);

	if (ret == 0)
		ret = discard_boot(discard);
	if (ret == 0)
		ret = delete_names(discard);
	for (size_t i = 0; ret == 0 && i < discard->effects.count; i++)
		ret = put_effect(discard, &discard->effects.items[i]);
	return ret;
}

static void set_counts(struct tree *tree, const struct node_counts *counts)
{
	WITH_LOCK(&tree->account);
	tree->counts = *counts;
}

/* Needs tree->lock. All in one transaction. */
static int revert_rows(struct discard *discard, const char *path)
{
	struct tree *tree = discard->tree;
	struct node_counts before = tree->counts, after = before;
	int ret = tree_flush_locked(tree);

	if (ret == 0)
		ret = selection_make(&discard->selection, tree, path);
	if (ret == 0)
		ret = tree_change_begin(tree);
	if (ret < 0)
		return ret;
	ret = change_rows(discard);
	if (ret == 0) {
		node_counts_add(&after, &discard->counts);
		set_counts(tree, &after);
		ret = tree_flush_locked(tree);
	}
	if (ret < 0) {
		db_rollback(&tree->db);
		set_counts(tree, &before);
		tree->stored_counts = before;
	}
	return ret;
}

/* What the directories cost as they are now. It's done whatever comes of that. */
static void reckon_effects(struct discard *discard)
{
	struct tree *tree = discard->tree;

	WITH_LOCK(&tree->lock);
	vec_each (&discard->effects, effect)
		dir_costs_suspect_any(tree, effect->ino);
	if (dir_costs_reckon(tree) < 0)
		dir_costs_distrust(tree);
}

static int revert(struct discard *discard, const char *path)
{
	struct tree *tree = discard->tree;
	int ret;

	WITH_WRITE_LOCK(&tree->freeze);
	if (tree->frozen)
		return -EBUSY;
	{
		WITH_LOCK(&tree->lock);
		ret = revert_rows(discard, path);
	}
	if (ret < 0)
		return ret;
	ret = generation_settle(tree);
	reckon_effects(discard);
	if (ret < 0) /* memory doesn't know what the rows say now */
		tree->broken = ret;
	return ret;
}

/* The kernel keeps its own idea of a known file's size (writeback cache): it has to forget each name of a
 * file that was reverted, and so the file. */
static void tell(struct discard *discard, const struct discard_sink *sink)
{
	struct staged_names *names = &discard->selection.names;
	struct links reverted = { 0 };

	vec_each (&discard->effects, effect)
		if (effect->reverted)
			links_add(&reverted, discard->tree, effect->ino);
	vec_each (&names->list, name)
		if (name->selected)
			sink->name(sink->self, name->parent, staged_name_bytes(names, name), name->length);
	vec_each (&reverted.list, name)
		sink->name(sink->self, name->parent, link_name_bytes(&reverted, name), name->length);
	vec_each (&discard->effects, effect)
		sink->inode(sink->self, effect->ino);
	links_clear(&reverted);
}

int discard_staged(struct tree *tree, const char *path, const struct discard_sink *sink)
{
	struct discard discard CLEANUP(discard_clear) = { .tree = tree };
	int ret = revert(&discard, path);

	/* Even after a failure: to forget too much does no harm. */
	if (sink)
		tell(&discard, sink);
	return ret;
}
