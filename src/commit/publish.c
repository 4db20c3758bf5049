/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/publish.h"

#include "base/fault.h"
#include "base/log.h"
#include "commit/damage.h"
#include "store/generation.h"
#include "store/hold.h"

#include <errno.h>
#include <string.h>

/* When a commit can't be ended, nothing more can be staged until the next mount: a failure of a moment
 * mustn't lead there. */
#define END_TRIES 3

static int run_queries(struct db *db, const enum query *queries, size_t count, int64_t first, int64_t second)
{
	int ret;

	db_allow_spill(db, true);
	ret = db_begin(db);
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = db_run_ints(db, queries[i], first, second);
	return ret;
}

/* Calls change for each inode in memory. Needs tree->lock. */
static void each_cached(struct tree *tree, void (*change)(struct tree *tree, struct inode *inode))
{
	for (size_t i = 0; i < INODE_BUCKETS; i++)
		for (struct inode *inode = tree->cache.buckets[i]; inode; inode = inode->hash_next)
			change(tree, inode);
}

static void uncharge(struct tree *tree, struct inode *inode)
{
	inode->charged = 0;
	if (inode->entry == ENTRY_COUNTED)
		inode->entry = ENTRY_OLD;
	inode->run.left = 0;
}

/* The journal comes with the first rows of the next generation: whoever finds two knows why. */
static int write_frozen(struct tree *tree, const struct journal *frozen, struct hold *ret_hold)
{
	int ret = tree_flush_locked(tree);

	if (ret < 0)
		return ret;
	db_allow_spill(&tree->db, true);
	ret = db_begin(&tree->db);
	if (ret == 0)
		ret = hold_rows(tree, ret_hold);
	if (ret == 0)
		ret = journal_write(&tree->db, frozen);
	if (ret < 0)
		db_rollback(&tree->db);
	db_allow_spill(&tree->db, false);
	return ret;
}

static int freeze_rows(struct tree *tree, struct journal *journal, struct hold *ret_hold)
{
	struct journal frozen = { .phase = PHASE_FROZEN, .gen = tree->gen };
	int ret;

	memcpy(frozen.label, journal->label, sizeof frozen.label);
	WITH_LOCK(&tree->lock);
	ret = write_frozen(tree, &frozen, ret_hold);
	if (ret < 0)
		return ret;
	spool_freeze(&tree->spool);
	journal->gen = tree->gen++;
	tree->frozen = true;
	{
		uint64_t sectors = tree_predicted_locked(tree);

		WITH_LOCK(&tree->account);
		tree->frozen_sectors = sectors;
		tree->body_sectors = 0;
		tree->staged = (struct node_counts){ 0 };
		each_cached(tree, uncharge);
	}
	hold_inodes(tree, ret_hold);
	return 0;
}

int freeze_generation(struct tree *tree, struct journal *journal)
{
	struct hold hold CLEANUP(hold_clear) = { 0 };
	int ret = tree_sync(tree); /* most of the work, while changes still go on */

	if (ret < 0)
		return ret;
	WITH_WRITE_LOCK(&tree->freeze);
	ret = freeze_rows(tree, journal, &hold);
	if (ret < 0)
		return ret;
	atomic_store(&tree->held_back, hold.names > 0);
	if (hold.names && tree_recount(tree) < 0) /* what is frozen is settled in any case */
		log_error("the room that the held back files take can't be counted");
	return 0;
}

/* What UDF has in the session that becomes the base. */
static int publish_udf(struct tree *tree)
{
	unsigned base;

	{
		WITH_LOCK(&tree->account);
		base = fresh_dirs_base(tree);
		tree->costs.fresh.base = 0; /* until it's settled */
	}
	return db_meta_put_int(&tree->db, "udf_base", base);
}

static int publish_rows(struct disc *disc, const struct journal *journal, const struct history *entry)
{
	static const enum query steps[] = {
		QUERY_PUBLISH_ABOVE, QUERY_PUBLISH_DROP_NAMES, QUERY_PUBLISH_WHITEOUTS,	 QUERY_PUBLISH_NAMES,
		QUERY_DIGESTS_DROP,  QUERY_PUBLISH_FORMER,     QUERY_PUBLISH_DROP_NODES, QUERY_PUBLISH_GONE,
		QUERY_PUBLISH_NODES, QUERY_PUBLISH_DROP_BOOT,  QUERY_PUBLISH_BOOT,
	};
	struct db *db = &disc->tree.db;
	int ret = run_queries(db, steps, sizeof steps / sizeof *steps, journal->gen, journal->gen + 1);

	if (ret == 0)
		ret = db_run(db, db_query(db, QUERY_PUBLISH_LANDED));
	if (ret == 0)
		ret = db_run(db, db_query(db, QUERY_LANDED_CLEAR));
	if (ret == 0) /* tombstones of what the frozen generation had as an orphan only */
		ret = db_run(db, db_query(db, QUERY_ORPHANS_DELETE));
	if (ret == 0)
		ret = db_meta_put_blob(db, "fingerprint", journal->fingerprint.data,
				       journal->fingerprint.length);
	if (ret == 0)
		ret = db_meta_put_int(db, "format", FORMAT_ROCK_RIDGE);
	if (ret == 0)
		ret = publish_udf(&disc->tree);
	if (ret == 0)
		ret = damage_end(db);
	if (ret == 0)
		ret = db_meta_put_int(db, "carried_sectors", 0);
	if (ret == 0)
		ret = journal_set_phase(db, PHASE_PUBLISHED);
	if (ret == 0)
		ret = history_add(db, entry, &journal->old_head);
	return ret;
}

/* Ends the transaction of a generation's rows. */
static int end_rows(struct db *db, int ret)
{
	if (ret == 0)
		ret = db_commit(db);
	if (ret < 0)
		db_rollback(db);
	db_allow_spill(db, false);
	return ret;
}

static int try_publish(struct disc *disc, const struct journal *journal, const struct history *entry)
{
	struct tree *tree = &disc->tree;
	int ret;

	WITH_LOCK(&tree->lock);
	ret = tree_flush_locked(tree);
	if (ret < 0)
		return ret;
	/* Before the transaction: what SQLite rolls back in the middle of it would be published in part. */
	if (dir_costs_reckon(tree) < 0)
		dir_costs_distrust(tree);
	ret = publish_rows(disc, journal, entry);
	if (ret == 0)
		ret = fault_point(FAULT_PUBLISHED_BEFORE);
	return end_rows(&tree->db, ret);
}

int publish_generation(struct disc *disc, const struct journal *journal, const struct history *entry)
{
	struct tree *tree = &disc->tree;
	int ret;

	WITH_WRITE_LOCK(&tree->freeze);
	ret = try_publish(disc, journal, entry);
	for (int tries = 1; ret < 0 && tries < END_TRIES; tries++)
		ret = try_publish(disc, journal, entry);
	if (ret < 0)
		return ret;
	tree->disc.limit = max_u64(tree->disc.limit, (journal->start + journal->sectors) * SECTOR);
	{
		WITH_LOCK(&tree->account);
		tree->carried_sectors = 0;
	}
	ret = generation_settle(tree);
	WITH_LOCK(&tree->lock);
	if (dir_costs_reckon(tree) < 0) /* names that UDF changes won't be inherited: they must be known */
		dir_costs_distrust(tree);
	WITH_LOCK(&tree->account);
	tree->costs.fresh.base = fresh_dirs_base(tree);
	return ret;
}

static int thaw_rows(struct db *db, uint32_t gen, const struct history *entry)
{
	static const enum query steps[] = { QUERY_THAW_DROP_NAMES, QUERY_THAW_NAMES,
					    QUERY_THAW_DROP_NODES, QUERY_THAW_NODES,
					    QUERY_THAW_DROP_BOOT,  QUERY_THAW_BOOT };
	static const enum query clean[] = { QUERY_THAW_WHITEOUTS, QUERY_THAW_GONE };
	int ret = run_queries(db, steps, sizeof steps / sizeof *steps, gen, gen + 1);

	if (ret == 0)
		ret = run_queries(db, clean, 2, gen + 1, 0);
	if (ret == 0)
		ret = db_run(db, db_query(db, QUERY_LANDED_CLEAR));
	if (ret == 0)
		ret = journal_end(db);
	return ret < 0 || !entry ? ret : history_add(db, entry, NULL);
}

static int try_spoil(struct tree *tree, const struct history *entry)
{
	int ret;

	WITH_LOCK(&tree->lock);
	ret = tree_flush_locked(tree);
	if (ret < 0)
		return ret;
	ret = db_begin(&tree->db);
	if (ret == 0)
		ret = journal_set_phase(&tree->db, PHASE_SPOILT);
	if (ret == 0)
		ret = history_add(&tree->db, entry, NULL);
	if (ret == 0)
		ret = fault_point(FAULT_SPOILT_BEFORE);
	return end_rows(&tree->db, ret);
}

int spoil_generation(struct tree *tree, const struct history *entry)
{
	int ret = try_spoil(tree, entry);

	for (int tries = 1; ret < 0 && tries < END_TRIES; tries++)
		ret = try_spoil(tree, entry);
	return ret < 0 ? ret : tree_sync_rows(tree);
}

static int try_thaw(struct tree *tree, uint32_t gen, const struct history *entry)
{
	int ret;

	WITH_LOCK(&tree->lock);
	ret = tree_flush_locked(tree);
	if (ret < 0)
		return ret;
	ret = thaw_rows(&tree->db, gen, entry);
	if (ret == 0)
		ret = fault_point(FAULT_IDLE_BEFORE);
	ret = end_rows(&tree->db, ret);
	if (ret == 0)
		tree->gen = gen + 1;
	return ret;
}

int thaw_generation(struct tree *tree, uint32_t gen, const struct history *entry)
{
	int ret;

	WITH_WRITE_LOCK(&tree->freeze);
	ret = try_thaw(tree, gen, entry);
	for (int tries = 1; ret < 0 && tries < END_TRIES; tries++)
		ret = try_thaw(tree, gen, entry);
	return ret < 0 ? ret : generation_settle(tree);
}
