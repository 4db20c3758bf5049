/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/fresh_dirs.h"

#include "store/tree.h"

#include <errno.h>

#define DEPTH_MOST (1u << 20) /* only a damaged database has more */

typedef VEC(uint64_t) ino_list;

static void list_clear(ino_list *list)
{
	vec_clear(list);
}

typedef VEC(struct staged_node) node_list;

static void nodes_clear(node_list *list)
{
	vec_clear(list);
}

/* ---- these need account ---- */

void fresh_dirs_staged(struct fresh_dirs *fresh, uint64_t ino, bool is_dir)
{
	struct staged_node *at;

	if (!fresh->known || (ino >= fresh->first_new && !is_dir))
		return;
	at = vec_push(&fresh->staged);
	if (at)
		*at = (struct staged_node){ ino, is_dir };
	else
		fresh_dirs_forget(fresh);
}

void fresh_dirs_forget(struct fresh_dirs *fresh)
{
	fresh->known = false;
	vec_clear(&fresh->staged);
}

void fresh_dirs_count(struct fresh_dirs *fresh, const struct dir_cost *before, const struct dir_cost *now)
{
	fresh->udf += now->udf - before->udf;
	fresh->udf_linkless += now->udf_linkless - before->udf_linkless;
}

/* Sectors of directories of which it may turn out that they are inherited. */
static uint64_t inheritable(const struct tree *tree)
{
	const struct dir_costs *costs = &tree->costs;
	const struct fresh_dirs *fresh = &costs->fresh;
	const struct session_formats *formats = &costs->formats;
	bool links = fresh->base & UDF_BASE_LINKS;

	if (!formats->udf || !tree->inherits || !(fresh->base & UDF_BASE_KNOWN) ||
	    links != formats->udf_links || (fresh->base & UDF_BASE_LOST) || fresh->lost ||
	    costs->sum.udf_lost_dirs)
		return 0;
	if (!fresh->known)
		return links ? costs->sum.udf : costs->sum.udf_linkless;
	return links ? costs->sum.udf - fresh->udf : costs->sum.udf_linkless - fresh->udf_linkless;
}

uint64_t fresh_dirs_inherited(const struct tree *tree)
{
	const struct fresh_dirs *fresh = &tree->costs.fresh;

	return fresh->known && fresh->staged.count == 0 ? inheritable(tree) : 0;
}

uint64_t fresh_dirs_unknown(const struct tree *tree)
{
	return inheritable(tree) - fresh_dirs_inherited(tree);
}

unsigned fresh_dirs_base(const struct tree *tree)
{
	const struct dir_costs *costs = &tree->costs;

	if (!costs->formats.udf || costs->unsure)
		return 0;
	return UDF_BASE_KNOWN | (costs->formats.udf_links ? UDF_BASE_LINKS : 0u) |
	       (costs->fresh.lost || costs->sum.udf_lost_dirs ? UDF_BASE_LOST : 0u);
}

/* ---- finding them ---- */

void fresh_dirs_mark(struct tree *tree, struct dir_entry *entry)
{
	static const struct dir_cost none;

	WITH_LOCK(&tree->account);
	if (!tree->costs.fresh.known)
		return; /* it will be found */
	if (!entry->fresh)
		fresh_dirs_count(&tree->costs.fresh, &none, &entry->cost);
	entry->fresh = true;
}

static int take_parent(void *self, uint64_t parent, const char *name, size_t length)
{
	*(uint64_t *)self = parent;
	return 1;
}

/* A directory, and all above it. What has no entry takes nothing. */
static int mark_up(struct tree *tree, uint64_t ino)
{
	for (unsigned depth = 0; depth < DEPTH_MOST; depth++) {
		struct dir_entry *entry;
		int found = dir_costs_find(tree, ino, &entry);

		if (found < 0 || (found > 0 && entry->fresh))
			return found < 0 ? found : 0;
		if (found > 0)
			fresh_dirs_mark(tree, entry);
		if (ino == ROOT_INO)
			return 0;
		found = rows_names_of(&tree->db, ino, GEN_NEWEST, take_parent, &ino);
		if (found <= 0) /* it has no name any more */
			return found;
	}
	return -ELOOP;
}

static int mark_all(struct tree *tree, const ino_list *dirs)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < dirs->count; i++)
		if (i == 0 || dirs->items[i] != dirs->items[i - 1])
			ret = mark_up(tree, dirs->items[i]);
	return ret;
}

/* The directories that a query lists. */
static int list_rows(struct tree *tree, enum query query, uint64_t ino, ino_list *ret)
{
	sqlite3_stmt *stmt = db_query(&tree->db, query);
	int step = stmt ? 0 : -EIO;

	if (stmt && ino)
		sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	while (step >= 0 && (step = db_step(&tree->db, stmt)) > 0) {
		uint64_t *at = vec_push(ret);

		if (!at)
			step = -ENOMEM;
		else
			*at = (uint64_t)sqlite3_column_int64(stmt, 0);
	}
	if (stmt)
		sqlite3_reset(stmt);
	return step;
}

/* The names that came or went since are known by their directories, which are staged, too. */
static int mark_staged(struct tree *tree, const struct staged_node *node)
{
	ino_list dirs CLEANUP(list_clear) = { 0 };
	int ret = node->is_dir ? mark_up(tree, node->ino) : 0;

	if (ret == 0)
		ret = list_rows(tree, QUERY_DIRS_OF, node->ino, &dirs);
	return ret < 0 ? ret : mark_all(tree, &dirs);
}

/* What isn't in the rows yet. */
static int list_memory(struct tree *tree, node_list *ret)
{
	for (size_t i = 0; i < INODE_BUCKETS; i++)
		for (struct inode *inode = tree->cache.buckets[i]; inode; inode = inode->hash_next) {
			struct staged_node *at;

			if (inode->entry != ENTRY_COUNTED || (inode->gen > 0 && !inode->dirty))
				continue;
			at = vec_push(ret);
			if (!at)
				return -ENOMEM;
			*at = (struct staged_node){ inode->node.attr.ino, S_ISDIR(inode->type) };
		}
	return 0;
}

/* Forgets what was marked, and lists the directories in which UDF changes a name, whether that's stored or
 * not.
 */
static int list_lost(struct dir_costs *costs, ino_list *ret)
{
	for (size_t i = 0; costs->buckets && i < DIR_BUCKETS; i++)
		for (struct dir_entry *entry = costs->buckets[i]; entry; entry = entry->next) {
			uint64_t *at;

			entry->fresh = false;
			if (entry->cost.udf_lost == 0)
				continue;
			at = vec_push(ret);
			if (!at)
				return -ENOMEM;
			*at = entry->ino;
		}
	return 0;
}

/* By all that is staged, from nothing. */
static int find_all(struct tree *tree, node_list *ret_staged)
{
	ino_list dirs CLEANUP(list_clear) = { 0 };
	int ret;

	{
		WITH_LOCK(&tree->account);
		tree->costs.fresh.udf = tree->costs.fresh.udf_linkless = 0;
		ret = list_memory(tree, ret_staged);
	}
	if (ret == 0)
		ret = list_lost(&tree->costs, &dirs);
	if (ret == 0)
		ret = list_rows(tree, QUERY_DIRS_CHANGED, 0, &dirs);
	return ret < 0 ? ret : mark_all(tree, &dirs);
}

int fresh_dirs_find(struct tree *tree)
{
	struct fresh_dirs *fresh = &tree->costs.fresh;
	node_list staged CLEANUP(nodes_clear) = { 0 };
	bool known;
	int ret;

	{
		WITH_LOCK(&tree->account);
		known = fresh->known;
		if (tree->costs.unsure || fresh_dirs_unknown(tree) == 0)
			return 0;
		/* What is staged from here on is noted for the next time. */
		staged = (node_list){ fresh->staged.items, fresh->staged.count, fresh->staged.room };
		fresh->staged.items = NULL;
		vec_clear(&fresh->staged);
		fresh->known = true;
	}
	ret = tree_repair(tree);
	if (ret == 0 && !known)
		ret = find_all(tree, &staged);
	for (size_t i = 0; ret == 0 && i < staged.count; i++)
		ret = mark_staged(tree, &staged.items[i]);
	if (ret < 0) {
		WITH_LOCK(&tree->account);
		fresh_dirs_forget(fresh);
	}
	return ret;
}
