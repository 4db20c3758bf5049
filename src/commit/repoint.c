/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/repoint.h"

#include "base/vec.h"
#include "store/rows.h"

#include <errno.h>

#define ROWS_AT_ONCE 200u /* that go into one transaction */

/* One body, with what it consisted of before and after. */
struct repointed {
	uint64_t ino;
	struct extent_map before, after;
	struct blob md5; /* after */
};

typedef VEC(struct repointed) repointed_list;

struct repoint {
	struct tree *tree;
	uint32_t gen;
	repoint_fn *change;
	void *self;
	repointed_list list;
};

static void list_clear(repointed_list *list)
{
	vec_each (list, at) {
		extent_map_clear(&at->before);
		extent_map_clear(&at->after);
		blob_clear(&at->md5);
	}
	vec_clear(list);
}

static void repoint_clear(struct repoint *repoint)
{
	list_clear(&repoint->list);
}

/* Needs tree->lock. A body of the base gets a row in the frozen generation. */
static int change_row(struct repoint *repoint, uint64_t ino)
{
	struct node node CLEANUP(node_clear) = { 0 };
	struct extent_map before CLEANUP(extent_map_clear) = { 0 };
	struct db *db = &repoint->tree->db;
	struct repointed *at;
	uint32_t gen;
	int ret = rows_node_get(db, ino, repoint->gen, &node, &gen);

	if (ret <= 0)
		return ret < 0 ? ret : -EUCLEAN;
	ret = extent_map_copy(&node.map, &before);
	if (ret == 0)
		ret = repoint->change(repoint->self, &node);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	at = vec_push(&repoint->list);
	if (!at)
		return -ENOMEM;
	*at = (struct repointed){ .ino = ino, .before = before };
	before = (struct extent_map){ 0 };
	ret = extent_map_copy(&node.map, &at->after);
	if (ret == 0)
		ret = blob_set(&at->md5, node.md5.data, node.md5.length);
	return ret < 0 ? ret : rows_node_put(db, &node, repoint->gen);
}

/* One transaction: should it fail, SQLite forgets these rows, and what they said before is true as well. */
static int change_rows(struct repoint *repoint, const uint64_t *inos, size_t count)
{
	struct tree *tree = repoint->tree;
	int ret;

	WITH_LOCK(&tree->lock);
	ret = tree_change_begin(tree);
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = change_row(repoint, inos[i]);
	if (ret < 0) {
		db_rollback(&tree->db);
		return ret;
	}
	return tree_flush_locked(tree);
}

/* A body in memory that was not changed since the freeze. */
static void change_inode(const struct repoint *repoint, struct repointed *at, struct inode *inode)
{
	bool newer = false;

	WITH_READ_LOCK(&repoint->tree->freeze);
	WITH_WRITE_LOCK(&inode->io);
	WITH_LOCK(&repoint->tree->lock);
	{
		WITH_LOCK(&inode->lock);
		if (extent_map_equal(&inode->node.map, &at->before)) {
			struct extent_map before = inode->node.map;
			struct blob md5 = inode->node.md5;

			inode->node.map = at->after;
			inode->node.md5 = at->md5;
			at->after = before;
			at->md5 = md5;
			newer = inode->gen > repoint->gen;
		}
	}
	if (newer)
		tree_mark_dirty(repoint->tree, inode);
}

static int change_inodes(struct repoint *repoint)
{
	vec_each (&repoint->list, at) {
		struct inode *inode;
		int ret = tree_get(repoint->tree, at->ino, &inode);

		if (ret < 0 && ret != -ENOENT) /* deleted since */
			return ret;
		if (ret < 0)
			continue;
		change_inode(repoint, at, inode);
		tree_put(repoint->tree, inode);
	}
	return 0;
}

int repoint_bodies(struct tree *tree, uint32_t gen, const uint64_t *inos, size_t count, repoint_fn *change,
		   void *self)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < count; i += ROWS_AT_ONCE) {
		struct repoint repoint CLEANUP(
		    repoint_clear) = { .tree = tree, .gen = gen, .change = change, .self = self };

		ret = change_rows(&repoint, inos + i, (size_t)min_u64(ROWS_AT_ONCE, count - i));
		if (ret == 0)
			ret = change_inodes(&repoint);
	}
	atomic_fetch_add(&tree->stamp, 1); /* what is told of the staged work is counted anew */
	return ret;
}
