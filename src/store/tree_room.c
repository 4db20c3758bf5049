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

/* These need tree->account, up to fits(). */
static struct cost_medium medium_of(struct tree *tree)
{
	return (struct cost_medium){ .sequential = atomic_load(&tree->room.sequential),
				     .start = atomic_load(&tree->room.next_start),
				     .front = tree->costs.formats.udf ? UDF_FRONT : 0 };
}

/* What a session takes besides bodies and file entries. */
static uint64_t tree_sectors(struct tree *tree)
{
	uint64_t files = tree->counts.files > 0 ? (uint64_t)tree->counts.files : 0;
	uint64_t sums = min_u64(files, dir_costs_sums(&tree->costs)) + 1; /* all that are empty share one */

	return layout_fixed(&tree->costs.formats, sums) + dir_costs_sectors(&tree->costs) +
	       tree->carried_sectors + atomic_load(&tree->boot_sectors);
}

/* How many of all file entries the base has. Below a directory whose name UDF changes none is found. Symlinks
 * may have been left out of it. */
static int64_t inherited_entries(const struct tree *tree, const struct node_counts *staged)
{
	unsigned base = tree->costs.fresh.base;
	bool links = (base & UDF_BASE_LINKS) && tree->costs.formats.udf_links;
	int64_t files = tree->counts.entries - (links ? 0 : tree->counts.links);
	int64_t ours = staged->entries - (links ? 0 : staged->links) + (int64_t)tree->costs.sum.udf_lost;

	return !tree->inherits || tree->costs.sum.udf_lost_dirs || (base & UDF_BASE_LOST) || ours > files
		   ? 0
		   : files - ours;
}

/* UDF's file entries; staged: of what is staged. Those of directories are counted with these. */
static uint64_t entry_sectors(const struct tree *tree, const struct node_counts *staged)
{
	int64_t entries = tree->counts.entries - inherited_entries(tree, staged);

	entries -= tree->costs.formats.udf_links ? 0 : tree->counts.links;
	return tree->costs.formats.udf && entries > 0 ? (uint64_t)entries : 0;
}

/* Sectors of a session without staged bodies. */
static uint64_t metadata_sectors(struct tree *tree)
{
	return tree_sectors(tree) - fresh_dirs_inherited(tree) + entry_sectors(tree, &tree->staged);
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

/* A session behind the next one, in which something is deleted: UDF's file entries can be had from that. */
static uint64_t further(struct tree *tree)
{
	struct cost_medium medium = medium_of(tree);

	return atomic_load(&tree->room.keep_tree) ? cost_further(&medium, tree_sectors(tree)) : 0;
}

/* Sectors that may still be staged. */
static uint64_t free_sectors(struct tree *tree)
{
	struct cost_medium medium = medium_of(tree);
	uint64_t metadata = metadata_sectors(tree), room = medium_room(tree);
	uint64_t needed = tree->frozen_sectors + further(tree);

	room = cost_content(&medium, room - min_u64(room, needed));
	return room - min_u64(room, metadata + tree->body_sectors);
}

static bool is_loose(struct tree *tree)
{
	uint64_t session;

	WITH_LOCK(&tree->account);
	session = metadata_sectors(tree) + tree->body_sectors;
	return tree->costs.unsure || dir_costs_loose(&tree->costs) + fresh_dirs_unknown(tree) * SECTOR >
					 LOOSE_BYTES + session * SECTOR / LOOSE_PART;
}

/* Anything to gain by looking at what changed? */
static bool is_bound(struct tree *tree)
{
	WITH_LOCK(&tree->account);
	return tree->costs.unsure || dir_costs_loose(&tree->costs) > 0 || fresh_dirs_unknown(tree) > 0;
}

/* Lays out the directories that changed, and finds out which UDF will inherit. What can't be keeps its
 * bounds. Needs tree->lock. */
static void reckon(struct tree *tree)
{
	if (dir_costs_reckon(tree) == 0)
		fresh_dirs_find(tree);
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
		reckon(tree);
	return fits(tree, sectors);
}

static void tighten(struct tree *tree)
{
	if (!is_loose(tree))
		return;
	WITH_LOCK(&tree->lock);
	reckon(tree);
}

uint64_t tree_predicted_locked(struct tree *tree)
{
	struct cost_medium medium;

	WITH_LOCK(&tree->account);
	medium = medium_of(tree);
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

/* Sectors of its file entry, when it isn't counted yet. Needs account. */
static uint64_t entry_of(const struct tree *tree, const struct inode *inode)
{
	const struct session_formats *formats = &tree->costs.formats;

	return formats->udf && tree->inherits && inode->entry == ENTRY_OLD &&
	       (inode->in_udf == NODE_FILE || (inode->in_udf == NODE_LINK && formats->udf_links));
}

bool tree_entry_fits(struct tree *tree, const struct inode *inode)
{
	uint64_t sectors;

	{
		WITH_LOCK(&tree->account);
		sectors = entry_of(tree, inode);
	}
	return sectors == 0 || tree_fits(tree, sectors * SECTOR);
}

void tree_count_staged(struct tree *tree, struct inode *inode)
{
	if (inode->entry != ENTRY_OLD)
		return;
	inode->entry = ENTRY_COUNTED;
	fresh_dirs_staged(&tree->costs.fresh, inode->node.attr.ino, S_ISDIR(inode->type));
	node_count_entry(&tree->staged, inode->in_udf, 1);
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
	uint64_t more;

	WITH_LOCK(&inode->lock);
	WITH_LOCK(&tree->account);
	if (inode->node.attr.nlink == 0)
		sectors = 0; /* an orphan goes nowhere */
	more = entry_of(tree, inode) + sectors - min_u64(sectors, inode->charged);
	if (more && (tree->costs.unsure || more > free_sectors(tree)))
		return false;
	if (sectors)
		tree_count_staged(tree, inode);
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
		reckon(tree);
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

void tree_set_formats(struct tree *tree, const struct session_formats *formats, bool inherits)
{
	WITH_LOCK(&tree->account);
	tree->costs.formats = *formats;
	tree->inherits = inherits;
}

void tree_count_file(struct tree *tree, const struct inode *inode, int by)
{
	WITH_LOCK(&tree->account);
	if (node_has_content(&inode->node.attr))
		tree->counts.files += by;
}

void tree_count_node(struct tree *tree, struct inode *inode, int by)
{
	WITH_LOCK(&tree->account);
	node_count(&tree->counts, &inode->node, by);
	if (by > 0)
		return;
	if (inode->entry == ENTRY_COUNTED)
		node_count_entry(&tree->staged, inode->in_udf, -1);
	inode->entry = ENTRY_NONE;
}

/* What is staged, by its rows. */
struct staged_rows {
	uint64_t bodies;
	struct node_counts counts;
	uint32_t gen; /* 0: any */
};

static int add_staged(void *self, struct node *node, uint32_t gen)
{
	struct staged_rows *rows = self;

	if (node->attr.nlink == 0 || (rows->gen && gen != rows->gen))
		return 0;
	rows->bodies += cost_body(node);
	node_count(&rows->counts, node, 1);
	return 0;
}

int tree_check_room(struct tree *tree, uint64_t before)
{
	struct staged_rows staged = { 0 };
	struct cost_medium medium;
	uint64_t session;
	int ret = rows_node_staged(&tree->db, add_staged, &staged);

	if (ret < 0)
		return ret;
	fresh_dirs_find(tree);
	WITH_LOCK(&tree->account);
	medium = medium_of(tree);
	session = cost_session(&medium, tree_sectors(tree) - fresh_dirs_inherited(tree) +
					    entry_sectors(tree, &staged.counts) + staged.bodies);
	if (tree->costs.unsure || further(tree) + session <= medium_room(tree))
		return 0;
	return session <= before ? 0 : -ENOSPC;
}

static void recharge_cached(struct tree *tree)
{
	for (size_t i = 0; i < INODE_BUCKETS; i++)
		for (struct inode *inode = tree->cache.buckets[i]; inode; inode = inode->hash_next) {
			bool named = inode->node.attr.nlink > 0;

			inode->charged = inode->gen == tree->gen && named ? cost_body(&inode->node) : 0;
			inode->entry = !named			 ? ENTRY_NONE
				       : inode->gen == tree->gen ? ENTRY_COUNTED
								 : ENTRY_OLD;
		}
}

int tree_recount(struct tree *tree)
{
	struct staged_rows staged = { .gen = tree->gen };
	int ret;

	WITH_LOCK(&tree->lock);
	ret = rows_node_staged(&tree->db, add_staged, &staged);
	if (ret < 0)
		return ret;
	WITH_LOCK(&tree->account);
	recharge_cached(tree);
	fresh_dirs_forget(&tree->costs.fresh);
	tree->costs.fresh.first_new = tree->next_ino;
	tree->body_sectors = staged.bodies;
	tree->staged = staged.counts;
	return 0;
}
