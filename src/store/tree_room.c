/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/tree.h"

#include "model/cost.h"
#include "store/rows.h"

#include <errno.h>

/* How far the prediction may be above the truth: the directories that changed are laid out anew when the
 * bounds of their changes come to more than a hundred-and-twentieth of the session and 256 KiB. */
#define LOOSE_BYTES 0x40000u
#define LOOSE_PART  120u
#define BIG_SECTORS 0x200000u /* 4 GiB: a body has one more record with each */

static struct cost_medium medium_of(struct tree *tree)
{
	return (struct cost_medium){ .sequential = atomic_load(&tree->room.sequential),
				     .start = atomic_load(&tree->room.next_start) };
}

/* Sectors of a session without staged bodies. Needs tree->account, as all up to fits(). */
static uint64_t metadata_sectors(struct tree *tree)
{
	uint64_t files = tree->files > 0 ? (uint64_t)tree->files : 0;

	/* All that are empty share one MD5. */
	return layout_fixed(min_u64(files, dir_costs_sums(&tree->costs)) + 1) +
	       dir_costs_sectors(&tree->costs) + tree->carried_sectors;
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

/* Sectors that may still be staged. */
static uint64_t free_sectors(struct tree *tree)
{
	struct cost_medium medium = medium_of(tree);
	uint64_t metadata = metadata_sectors(tree), room = medium_room(tree);
	uint64_t needed = tree->frozen_sectors;

	if (atomic_load(&tree->room.keep_tree))
		needed += cost_further(&medium, metadata);
	room = cost_content(&medium, room - min_u64(room, needed));
	return room - min_u64(room, metadata + tree->body_sectors);
}

static bool is_loose(struct tree *tree)
{
	uint64_t session;

	WITH_LOCK(&tree->account);
	session = metadata_sectors(tree) + tree->body_sectors;
	return tree->costs.unsure ||
	       dir_costs_loose(&tree->costs) > LOOSE_BYTES + session * SECTOR / LOOSE_PART;
}

/* Anything to gain by laying out what changed? */
static bool is_bound(struct tree *tree)
{
	WITH_LOCK(&tree->account);
	return tree->costs.unsure || dir_costs_loose(&tree->costs) > 0;
}

static bool fits(struct tree *tree, uint64_t sectors)
{
	WITH_LOCK(&tree->account);
	return !tree->costs.unsure && free_sectors(tree) >= sectors;
}

bool tree_fits(struct tree *tree, uint64_t bytes)
{
	uint64_t sectors = sectors_of(bytes);

	if (fits(tree, sectors))
		return true;
	if (is_bound(tree))
		dir_costs_reckon(tree);
	return fits(tree, sectors);
}

/* What can't be laid out keeps its bounds. */
static void tighten(struct tree *tree)
{
	if (!is_loose(tree))
		return;
	WITH_LOCK(&tree->lock);
	dir_costs_reckon(tree);
}

uint64_t tree_predicted_locked(struct tree *tree)
{
	struct cost_medium medium = medium_of(tree);

	WITH_LOCK(&tree->account);
	return cost_session(&medium, metadata_sectors(tree) + tree->body_sectors);
}

uint64_t tree_predicted_sectors(struct tree *tree)
{
	tighten(tree);
	return tree_predicted_locked(tree);
}

uint64_t tree_free_sectors(struct tree *tree)
{
	tighten(tree);
	WITH_LOCK(&tree->account);
	return tree->costs.unsure ? 0 : free_sectors(tree);
}

/* A body with another number of records, or that now gets an MD5: in each directory that names it. */
static int charge_records(struct tree *tree, struct inode *inode, uint64_t sectors)
{
	struct record_facts facts;
	uint32_t records = (uint32_t)(sectors / BIG_SECTORS + 2);

	WITH_LOCK(&tree->lock);
	{
		WITH_LOCK(&inode->lock);
		record_facts_of(&inode->node, &facts);
	}
	facts.sections = facts.sections > records ? facts.sections : records;
	facts.attributes += 16; /* the MD5's index */
	dir_costs_node(tree, inode->node.attr.ino, &facts);
	return 0;
}

static bool try_charge(struct tree *tree, struct inode *inode, uint64_t sectors, bool *ret_records)
{
	WITH_LOCK(&inode->lock);
	WITH_LOCK(&tree->account);
	if (inode->node.attr.nlink == 0)
		sectors = 0; /* an orphan goes nowhere */
	if (sectors > inode->charged && (tree->costs.unsure || sectors - inode->charged > free_sectors(tree)))
		return false;
	*ret_records = sectors && ((inode->node.attr.size && !cost_sum(&inode->node)) ||
				   sectors / BIG_SECTORS > inode->charged / BIG_SECTORS);
	if (sectors && inode->node.attr.size == 0 && !inode->fresh)
		tree->costs.written++;
	tree->body_sectors += sectors - inode->charged;
	inode->charged = sectors;
	return true;
}

int tree_charge(struct tree *tree, struct inode *inode, uint64_t sectors)
{
	bool records = false;
	bool done = try_charge(tree, inode, sectors, &records);

	if (!done && is_bound(tree)) {
		WITH_LOCK(&tree->lock);
		dir_costs_reckon(tree);
	}
	if (!done && !try_charge(tree, inode, sectors, &records))
		return -ENOSPC;
	return records ? charge_records(tree, inode, sectors) : 0;
}

int tree_content_came(struct tree *tree, struct inode *inode)
{
	struct record_facts facts;

	{
		WITH_LOCK(&inode->lock);
		record_facts_of(&inode->node, &facts);
	}
	return facts.sections > 1 || !inode->fresh ? charge_records(tree, inode, 0) : 0;
}

void tree_count_file(struct tree *tree, const struct inode *inode, int by)
{
	WITH_LOCK(&tree->account);
	if (node_has_content(&inode->node.attr))
		tree->files += by;
}

static int add_body(void *self, struct node *node, uint32_t gen)
{
	uint64_t *sectors = self;

	if (node->attr.nlink)
		*sectors += cost_body(node);
	return 0;
}

int tree_check_room(struct tree *tree, uint64_t before)
{
	struct cost_medium medium = medium_of(tree);
	uint64_t sectors = 0, needed = 0, metadata;
	int ret = rows_node_staged(&tree->db, add_body, &sectors);

	if (ret < 0)
		return ret;
	WITH_LOCK(&tree->account);
	metadata = metadata_sectors(tree);
	if (atomic_load(&tree->room.keep_tree))
		needed = cost_further(&medium, metadata);
	needed += cost_session(&medium, metadata + sectors);
	if (tree->costs.unsure || needed <= medium_room(tree))
		return 0;
	return cost_session(&medium, metadata + sectors) <= before ? 0 : -ENOSPC;
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
		for (struct inode *inode = tree->cache.buckets[i]; inode; inode = inode->hash_next) {
			bool named = inode->node.attr.nlink > 0;

			inode->charged = inode->gen == tree->gen && named ? cost_body(&inode->node) : 0;
		}
}

int tree_recount(struct tree *tree)
{
	WITH_LOCK(&tree->lock);
	WITH_LOCK(&tree->account);
	tree->body_sectors = 0;
	recharge_cached(tree);
	return rows_node_staged(&tree->db, add_staged, tree);
}
