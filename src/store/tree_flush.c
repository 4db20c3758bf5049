/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/tree.h"

#include "base/log.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void tree_mark_dirty(struct tree *tree, struct inode *inode)
{
	atomic_fetch_add_explicit(&tree->stamp, 1, memory_order_relaxed);
	WITH_LOCK(&tree->account);
	tree_count_staged(tree, inode);
	if (inode->dirty)
		return;
	inode->dirty = true;
	inode->dirty_next = tree->dirty;
	tree->dirty = inode;
}

/* An orphan that is written: only a tombstone is needed, and only where a lower generation has the node. */
static int flush_orphan(struct tree *tree, struct inode *inode)
{
	int below = rows_node_below(&tree->db, inode->node.attr.ino, tree->gen);

	if (below < 0)
		return below;
	if (below == 0 && inode->forgotten)
		return rows_node_delete(&tree->db, inode->node.attr.ino, tree->gen);
	return rows_node_put(&tree->db, &inode->node, tree->gen);
}

static int flush_inode(struct tree *tree, struct inode *inode)
{
	int ret;

	WITH_LOCK(&inode->lock);
	ret = inode->node.attr.nlink ? rows_node_put(&tree->db, &inode->node, tree->gen)
				     : flush_orphan(tree, inode);
	if (ret == 0)
		inode->gen = tree->gen;
	return ret;
}

/* What a flush is about to make last: known to have lasted only when the COMMIT succeeded. */
struct flush {
	struct inode *inodes; /* by flush_next */
	uint64_t next_ino;
	struct node_counts counts;
};

/* Whoever changes one of them from here on puts it on the list anew. */
static void take_dirty(struct tree *tree, struct flush *flush)
{
	WITH_LOCK(&tree->account);
	flush->inodes = tree->dirty;
	tree->dirty = NULL;
	for (struct inode *inode = flush->inodes; inode; inode = inode->flush_next) {
		inode->flush_next = inode->dirty_next;
		inode->dirty_next = NULL;
		inode->dirty = false;
	}
}

static int flush_nodes(struct tree *tree, struct flush *flush)
{
	int ret = flush->inodes ? db_begin(&tree->db) : 0;

	for (struct inode *inode = flush->inodes; ret == 0 && inode; inode = inode->flush_next)
		ret = flush_inode(tree, inode);
	return ret;
}

static int flush_counters(struct tree *tree, struct flush *flush)
{
	int ret = 0;

	flush->next_ino = tree->next_ino;
	{
		WITH_LOCK(&tree->account);
		flush->counts = tree->counts;
	}
	if (flush->next_ino != tree->stored_next_ino)
		ret = db_meta_put_int(&tree->db, "next_ino", (int64_t)flush->next_ino);
	if (ret == 0 && flush->counts.files != tree->stored_counts.files)
		ret = db_meta_put_int(&tree->db, "files", flush->counts.files);
	if (ret == 0 && flush->counts.entries != tree->stored_counts.entries)
		ret = db_meta_put_int(&tree->db, "entries", flush->counts.entries);
	if (ret == 0 && flush->counts.links != tree->stored_counts.links)
		ret = db_meta_put_int(&tree->db, "links", flush->counts.links);
	return ret < 0 ? ret : dir_costs_store(tree);
}

/* It lasts: what nobody can reach any more may go. */
static void flush_succeeded(struct tree *tree, struct flush *flush)
{
	struct inode *next;

	redo_clear(&tree->redo);
	tree->stored_next_ino = flush->next_ino;
	tree->stored_counts = flush->counts;
	for (struct inode *inode = flush->inodes; inode; inode = next) {
		bool dirty;

		next = inode->flush_next;
		{
			WITH_LOCK(&tree->account);
			dirty = inode->dirty;
		}
		if (inode->forgotten && inode->refs == 0 && !dirty)
			inode_cache_drop(&tree->cache, inode);
	}
}

/* SQLite rolled back, or will do so now: all of it is still to be written. */
static void flush_failed(struct tree *tree, struct flush *flush)
{
	for (struct inode *inode = flush->inodes; inode; inode = inode->flush_next)
		tree_mark_dirty(tree, inode);
	redo_replay(&tree->redo, &tree->db);
}

int tree_repair(struct tree *tree)
{
	return redo_stands(&tree->redo, &tree->db) ? 0 : redo_replay(&tree->redo, &tree->db);
}

int tree_flush_locked(struct tree *tree)
{
	struct flush flush = { .next_ino = tree->stored_next_ino, .counts = tree->stored_counts };
	int ret = tree->broken ? tree->broken : tree_repair(tree);
	bool counted;

	if (ret == 0) {
		take_dirty(tree, &flush);
		ret = flush_nodes(tree, &flush);
	}
	counted = ret == 0 && db_is_writing(&tree->db);
	if (counted)
		ret = flush_counters(tree, &flush);
	if (ret == 0)
		ret = db_commit(&tree->db);
	if (ret == 0 && counted)
		dir_costs_stored(tree);
	if (ret == 0)
		flush_succeeded(tree, &flush);
	else
		flush_failed(tree, &flush);
	atomic_store(&tree->failing, ret);
	return ret;
}

int tree_flush(struct tree *tree)
{
	WITH_LOCK(&tree->lock);
	return tree_flush_locked(tree);
}

/* After a sync that failed the kernel takes what it couldn't write for written, and a second try would
 * succeed without having done anything. So the bytes are written once more. */
static int sync_spool(struct tree *tree)
{
	int ret = spool_sync(&tree->spool);

	if (ret != -EAGAIN)
		return ret;
	WITH_WRITE_LOCK(&tree->freeze);
	return spool_sync_again(&tree->spool);
}

int tree_sync_rows(struct tree *tree)
{
	int ret = db_sync(&tree->db);

	if (ret != -EAGAIN)
		return ret;
	WITH_LOCK(&tree->lock);
	ret = tree_flush_locked(tree);
	return ret < 0 ? ret : db_sync_again(&tree->db);
}

/* The rows go to the log first and the bytes that they point at to the disk before the log does: so what is
 * synced covers every row. Freed space is given back only when no power cut can bring its old rows to life
 * again. */
static int sync_now(struct tree *tree)
{
	uint64_t mark = spool_mark(&tree->spool);
	int ret = tree_flush(tree);

	if (ret == 0)
		ret = sync_spool(tree);
	if (ret == 0)
		ret = tree_sync_rows(tree);
	if (ret == 0)
		spool_settle(&tree->spool, mark);
	return ret;
}

/* Many ask at once: what one does for all who asked before it began needn't be done for each of them. */
int tree_sync(struct tree *tree)
{
	uint64_t asked = atomic_fetch_add(&tree->sync.asked, 1) + 1, covers;
	int ret;

	WITH_LOCK(&tree->sync.lock);
	if (tree->sync.done >= asked)
		return 0;
	covers = atomic_load(&tree->sync.asked);
	ret = sync_now(tree);
	if (ret == 0)
		tree->sync.done = covers;
	return ret;
}
