/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/tree.h"

#include "model/cost.h"
#include "store/rows.h"

#include <errno.h>

uint64_t tree_predicted_sectors(struct tree *tree)
{
	WITH_LOCK(&tree->account);
	return cost_session(tree->metadata > 0 ? (uint64_t)tree->metadata : 0, tree->body_sectors);
}

/* Sectors that the medium (or the file system under an image file) holds beyond what is recorded. */
static uint64_t medium_room(struct tree *tree)
{
	uint64_t capacity = atomic_load(&tree->room.capacity);
	uint64_t start = atomic_load(&tree->room.next_start);
	uint64_t room = capacity ? capacity - min_u64(capacity, start) : UINT64_MAX;

	room -= min_u64(room, atomic_load(&tree->room.closing));
	return min_u64(room, atomic_load(&tree->room.host_free));
}

/* Needs tree->account. */
static uint64_t free_sectors(struct tree *tree, uint64_t room)
{
	uint64_t needed = cost_session(tree->metadata > 0 ? (uint64_t)tree->metadata : 0, tree->body_sectors);

	if (atomic_load(&tree->room.keep_tree))
		needed += cost_further(tree->metadata > 0 ? (uint64_t)tree->metadata : 0);
	needed += tree->frozen_sectors;
	return room - min_u64(room, needed);
}

uint64_t tree_free_sectors(struct tree *tree)
{
	uint64_t room = medium_room(tree);

	WITH_LOCK(&tree->account);
	return free_sectors(tree, room);
}

int tree_charge(struct tree *tree, struct inode *inode, uint64_t sectors)
{
	uint64_t room = medium_room(tree);

	WITH_LOCK(&inode->lock);
	WITH_LOCK(&tree->account);
	if (inode->node.attr.nlink == 0)
		sectors = 0; /* an orphan goes nowhere */
	if (sectors > inode->charged && sectors - inode->charged > free_sectors(tree, room))
		return -ENOSPC;
	tree->body_sectors += sectors - inode->charged;
	inode->charged = sectors;
	return 0;
}

static int add_staged(void *self, struct node *node, uint32_t gen)
{
	struct tree *tree = self;

	if (gen == tree->gen && node->attr.nlink)
		tree->body_sectors += cost_body(node);
	return 0;
}

static void recharge_cached(struct tree *tree)
{
	for (size_t i = 0; i < INODE_BUCKETS; i++)
		for (struct inode *inode = tree->cache.buckets[i]; inode; inode = inode->hash_next)
			inode->charged =
			    inode->gen == tree->gen && inode->node.attr.nlink ? cost_body(&inode->node) : 0;
}

int tree_recount(struct tree *tree)
{
	WITH_LOCK(&tree->lock);
	WITH_LOCK(&tree->account);
	tree->body_sectors = 0;
	recharge_cached(tree);
	return rows_node_staged(&tree->db, add_staged, tree);
}
