/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/generation.h"

#include "base/vec.h"
#include "store/rows.h"
#include "store/sweep.h"

#include <errno.h>

#define SETTLE_TRIES 3

typedef VEC(struct inode *) inode_list;

static int hold_all(struct tree *tree, inode_list *ret)
{
	WITH_LOCK(&tree->lock);
	for (size_t i = 0; i < INODE_BUCKETS; i++)
		for (struct inode *inode = tree->cache.buckets[i]; inode; inode = inode->hash_next) {
			struct inode **held = vec_push(ret);

			if (!held)
				return -ENOMEM;
			*held = inode_cache_get(&tree->cache, inode->node.attr.ino);
		}
	return 0;
}

/* No row tells of it any more. While it's open it needs one, so that the spool keeps its bytes; an orphan
 * that nobody opened goes with the next flush, unless it was one before: the kernel then still knows it. */
static void make_orphan(struct tree *tree, struct inode *inode)
{
	bool was_alive = inode->node.attr.nlink > 0;

	{
		WITH_LOCK(&inode->lock);
		inode->node.attr.nlink = 0;
	}
	inode->forgotten |= was_alive && inode->refs == 1; /* ours */
	tree_mark_dirty(tree, inode);
}

/* Readers hold io, and nobody changes anything: freeze is held. */
static int reload(struct tree *tree, struct inode *inode)
{
	struct node fresh CLEANUP(node_clear) = { 0 };
	uint32_t gen = 0;
	int found;

	WITH_WRITE_LOCK(&inode->io);
	WITH_LOCK(&tree->lock);
	found = rows_node_get(&tree->db, inode->node.attr.ino, GEN_NEWEST, &fresh, &gen);
	if (found == 0)
		make_orphan(tree, inode);
	if (found <= 0)
		return found;
	WITH_LOCK(&inode->lock);
	struct node old = inode->node;

	inode->node = fresh;
	inode->gen = gen;
	inode->run.left = 0;
	fresh = old;
	return 0;
}

static int reload_all(struct tree *tree)
{
	inode_list held = { 0 };
	int ret = hold_all(tree, &held);

	for (size_t i = 0; ret == 0 && i < held.count; i++)
		ret = reload(tree, held.items[i]);
	WITH_LOCK(&tree->lock);
	for (size_t i = 0; i < held.count; i++)
		inode_cache_put(&tree->cache, held.items[i]);
	vec_clear(&held);
	return ret < 0 ? ret : tree_flush_locked(tree);
}

static int settle(struct tree *tree, bool lasting)
{
	int ret = reload_all(tree);

	atomic_fetch_add(&tree->stamp, 1);
	{
		WITH_LOCK(&tree->account);
		tree->frozen = false;
		tree->frozen_sectors = 0;
	}
	spool_thaw(&tree->spool);
	if (ret == 0)
		ret = sweep_spool(tree, lasting);
	return ret < 0 ? ret : tree_recount(tree);
}

int generation_settle(struct tree *tree)
{
	/* Where it can't be synced, a power cut may bring the old rows back: their bytes must stay. */
	bool lasting = tree_sync_rows(tree) == 0 || tree_sync_rows(tree) == 0;
	int ret = settle(tree, lasting);

	for (int tries = 0; ret < 0 && tries < SETTLE_TRIES; tries++)
		ret = settle(tree, lasting); /* the rows are changed: memory must follow */
	return ret;
}
