/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/dir_costs.h"

#include "base/text.h"
#include "store/tree.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* Two records at most in either tree: the new one, and one that gets a number. */
#define RECORD_MOVES (4u * SECTOR)
/* A subdirectory's record in both path tables and both orders: 8 bytes and the name, 31 and 2 × 104. */
#define TABLE_RECORD (2u * (8 + 32 + 8 + 208))
/* What a number adds there: up to 28 digits, in both. */
#define TABLE_NUMBER (2u * (28 + 56))
#define RECORD_BYTES (254u + 242u + UDF_FID_MOST)

/* ---- the entries ---- */

static void take_columns(sqlite3_stmt *stmt, struct dir_cost *ret)
{
	uint64_t *fields[] = { &ret->iso,	    &ret->joliet,	 &ret->continued, &ret->iso_tables,
			       &ret->joliet_tables, &ret->clashed,	 &ret->sums,	  &ret->udf,
			       &ret->udf_linkless,  &ret->udf_lost_dirs, &ret->udf_lost };

	for (int i = 0; i < (int)(sizeof fields / sizeof *fields); i++)
		*fields[i] = (uint64_t)sqlite3_column_int64(stmt, i);
}

static int load(struct tree *tree, uint64_t ino, struct dir_cost *ret)
{
	sqlite3_stmt *stmt = db_query(&tree->db, QUERY_ROOM_GET);
	int found;

	*ret = (struct dir_cost){ 0 };
	if (tree->costs.counted)
		return 0; /* who isn't in memory is new or was gone */
	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	found = db_step(&tree->db, stmt);
	if (found > 0)
		take_columns(stmt, ret);
	sqlite3_reset(stmt);
	return found;
}

static struct dir_entry **bucket_of(struct dir_costs *costs, uint64_t ino)
{
	return &costs->buckets[ino % DIR_BUCKETS];
}

static struct dir_entry *peek(struct dir_costs *costs, uint64_t ino)
{
	struct dir_entry *entry = costs->buckets ? *bucket_of(costs, ino) : NULL;

	while (entry && entry->ino != ino)
		entry = entry->next;
	return entry;
}

static struct dir_entry *insert(struct dir_costs *costs, uint64_t ino)
{
	struct dir_entry *entry = calloc(1, sizeof *entry);

	if (!costs->buckets)
		costs->buckets = calloc(DIR_BUCKETS, sizeof(struct dir_entry *));
	if (!entry || !costs->buckets) {
		free(entry);
		return NULL;
	}
	entry->ino = ino;
	entry->next = *bucket_of(costs, ino);
	*bucket_of(costs, ino) = entry;
	return entry;
}

void dir_costs_distrust(struct tree *tree)
{
	WITH_LOCK(&tree->account);
	tree->costs.unsure = true;
	fresh_dirs_forget(&tree->costs.fresh);
}

int dir_costs_find(struct tree *tree, uint64_t ino, struct dir_entry **ret)
{
	struct dir_entry *entry = peek(&tree->costs, ino);
	struct dir_cost cost;
	int found = entry ? 1 : load(tree, ino, &cost);

	if (!entry && found > 0) {
		entry = insert(&tree->costs, ino);
		if (!entry)
			return -ENOMEM;
		entry->cost = cost;
	}
	*ret = entry;
	return found;
}

/* NULL: nothing is known of it, and all must be counted. */
static struct dir_entry *entry_of(struct tree *tree, uint64_t ino)
{
	struct dir_entry *entry = peek(&tree->costs, ino);

	if (entry || tree->costs.unsure)
		return entry;
	if (dir_costs_find(tree, ino, &entry) <= 0) {
		dir_costs_distrust(tree);
		return NULL;
	}
	return entry;
}

static void clear_entries(struct dir_costs *costs)
{
	for (size_t i = 0; costs->buckets && i < DIR_BUCKETS; i++)
		while (costs->buckets[i]) {
			struct dir_entry *entry = costs->buckets[i];

			costs->buckets[i] = entry->next;
			free(entry);
		}
	free(costs->buckets);
	costs->buckets = NULL;
}

/* ---- sums; these need account ---- */

static void add_cost(struct dir_costs *costs, const struct dir_cost *cost)
{
	struct dir_cost *sum = &costs->sum;

	sum->iso += cost->iso;
	sum->joliet += cost->joliet;
	sum->continued += cost->continued;
	sum->iso_tables += cost->iso_tables;
	sum->joliet_tables += cost->joliet_tables;
	sum->sums += cost->sums;
	sum->udf += cost->udf;
	sum->udf_linkless += cost->udf_linkless;
	sum->udf_lost_dirs += cost->udf_lost_dirs;
	sum->udf_lost += cost->udf_lost;
}

static void take_cost(struct dir_costs *costs, const struct dir_cost *cost)
{
	struct dir_cost *sum = &costs->sum;

	sum->iso -= cost->iso;
	sum->joliet -= cost->joliet;
	sum->continued -= cost->continued;
	sum->iso_tables -= cost->iso_tables;
	sum->joliet_tables -= cost->joliet_tables;
	sum->sums -= cost->sums;
	sum->udf -= cost->udf;
	sum->udf_linkless -= cost->udf_linkless;
	sum->udf_lost_dirs -= cost->udf_lost_dirs;
	sum->udf_lost -= cost->udf_lost;
}

static void replace_cost(struct tree *tree, struct dir_entry *entry, const struct dir_cost *cost)
{
	WITH_LOCK(&tree->account);
	take_cost(&tree->costs, &entry->cost);
	add_cost(&tree->costs, cost);
	if (entry->fresh)
		fresh_dirs_count(&tree->costs.fresh, &entry->cost, cost);
	tree->costs.fresh.lost |= cost->udf_lost_dirs > 0;
	tree->costs.more -= entry->more;
	tree->costs.more_sums -= entry->more_sums;
	entry->more = entry->more_sums = 0;
	entry->cost = *cost;
	entry->touched = false;
	entry->unsaved = true;
}

uint64_t dir_costs_sectors(const struct dir_costs *costs)
{
	return layout_sectors(&costs->sum, &costs->formats) + (costs->more ? 4 + sectors_of(costs->more) : 0);
}

uint64_t dir_costs_sums(const struct dir_costs *costs)
{
	return costs->sum.sums + costs->more_sums + costs->written;
}

uint64_t dir_costs_loose(const struct dir_costs *costs)
{
	return costs->more + costs->less;
}

/* ---- what changes ---- */

static void touch(struct tree *tree, struct dir_entry *entry, uint64_t more, uint64_t less)
{
	if (!entry->touched) { /* what may have got other numbers, or been shifted */
		more += entry->cost.clashed * (2 * SECTOR + TABLE_NUMBER);
		more += entry->cost.continued ? (entry->cost.continued * 3 / 2 + 2) * SECTOR : 0;
		more += SECTOR; /* in UDF, where names aren't kept together by sectors */
	}
	WITH_LOCK(&tree->account);
	entry->touched = true;
	entry->more += more;
	tree->costs.more += more;
	tree->costs.less += less;
}

static uint64_t continued_bytes(const struct record_facts *facts, size_t name_length)
{
	uint64_t bytes = record_continued_most(facts, name_length);

	return bytes ? bytes * 5 / 2 * facts->sections + SECTOR : 0;
}

void dir_costs_name(struct tree *tree, uint64_t dir, size_t name_length, const struct record_facts *facts)
{
	struct dir_entry *entry = entry_of(tree, dir);
	uint64_t tables = 2 * TABLE_NUMBER + (facts->is_dir ? TABLE_RECORD : 0) + UDF_FID_MOST;

	if (!entry)
		return;
	touch(tree, entry, facts->sections * RECORD_MOVES + tables + continued_bytes(facts, name_length), 0);
	WITH_LOCK(&tree->account);
	entry->more_sums++;
	tree->costs.more_sums++;
}

void dir_costs_no_name(struct tree *tree, uint64_t dir, size_t name_length, const struct record_facts *facts)
{
	struct dir_entry *entry = entry_of(tree, dir);

	if (entry)
		touch(tree, entry, 0, facts->sections * RECORD_BYTES + continued_bytes(facts, name_length));
}

void dir_costs_add(struct tree *tree, uint64_t dir)
{
	static const struct dir_cost empty = { .iso = 1, .joliet = 1, .udf = 2, .udf_linkless = 2 };
	struct dir_entry *entry = tree->costs.unsure ? NULL : peek(&tree->costs, dir);

	if (!tree->costs.unsure && !entry)
		entry = insert(&tree->costs, dir);
	if (!entry) {
		dir_costs_distrust(tree);
		return;
	}
	entry->gone = false;
	fresh_dirs_mark(tree, entry);
	replace_cost(tree, entry, &empty);
}

void dir_costs_drop(struct tree *tree, uint64_t dir)
{
	static const struct dir_cost none;
	struct dir_entry *entry = entry_of(tree, dir);

	if (!entry)
		return;
	replace_cost(tree, entry, &none);
	entry->gone = true;
}

struct changed {
	struct tree *tree;
	const struct record_facts *facts; /* NULL: anything */
};

static int change_place(void *self, uint64_t parent, const char *name, size_t length)
{
	const struct changed *changed = self;
	struct dir_entry *entry;

	if (changed->facts) {
		dir_costs_name(changed->tree, parent, length, changed->facts);
		return 0;
	}
	entry = entry_of(changed->tree, parent);
	if (entry)
		touch(changed->tree, entry, 0, SECTOR);
	return 0;
}

/* The root's own attributes stand behind its first record. */
static void change_root(struct tree *tree, const struct record_facts *facts)
{
	struct dir_entry *entry = entry_of(tree, ROOT_INO);

	if (entry)
		touch(tree, entry, facts->attributes * 5 / 2 + 2 * SECTOR, 0);
}

void dir_costs_node(struct tree *tree, uint64_t ino, const struct record_facts *facts)
{
	struct changed changed = { tree, facts };

	if (tree->costs.unsure)
		return;
	if (ino == ROOT_INO)
		change_root(tree, facts);
	else if (rows_names_of(&tree->db, ino, GEN_NEWEST, change_place, &changed) < 0)
		dir_costs_distrust(tree);
}

void dir_costs_suspect(struct tree *tree, uint64_t ino, bool is_dir)
{
	struct changed changed = { tree, NULL };
	struct dir_entry *entry;

	{
		WITH_LOCK(&tree->account);
		fresh_dirs_forget(&tree->costs.fresh);
	}
	if (tree->costs.unsure)
		return;
	if (rows_names_of(&tree->db, ino, GEN_NEWEST, change_place, &changed) < 0)
		dir_costs_distrust(tree);
	if (!is_dir || tree->costs.unsure)
		return;
	entry = peek(&tree->costs, ino);
	if (!entry)
		entry = insert(&tree->costs, ino);
	if (entry && !entry->unsaved && !entry->touched && load(tree, ino, &entry->cost) < 0)
		entry = NULL; /* without a row: it comes back */
	if (entry)
		touch(tree, entry, 0, SECTOR);
	else
		dir_costs_distrust(tree);
}

void dir_costs_suspect_any(struct tree *tree, uint64_t ino)
{
	struct node_attr attr;
	int found = rows_node_attr(&tree->db, ino, &attr);

	if (found < 0) /* a file would be taken for a directory */
		dir_costs_distrust(tree);
	else
		dir_costs_suspect(tree, ino, found == 0 || S_ISDIR(attr.mode));
}

/* ---- laying out ---- */

struct child {
	uint64_t ino;
	uint32_t type;
	size_t at, length;
};

struct reckoning {
	struct tree *tree;
	struct layout layout;
	VEC(struct child) children;
	struct text names;
	VEC(uint64_t) dirs; /* when all is counted: still to come */
	bool all;
};

static void reckoning_clear(struct reckoning *reckoning)
{
	layout_free(&reckoning->layout);
	vec_clear(&reckoning->children);
	vec_clear(&reckoning->dirs);
	text_clear(&reckoning->names);
}

static int keep_child(void *self, const char *name, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	struct reckoning *reckoning = self;
	struct child *child = vec_push(&reckoning->children);

	if (!child)
		return -ENOMEM;
	*child = (struct child){ ino, type, reckoning->names.length, length };
	text_add_bytes(&reckoning->names, name, length);
	return reckoning->names.failed ? -ENOMEM : 0;
}

/* Of the node as it is in memory, or its newest row. 1, 0: it's gone, or -errno. A staged file counts as
 * having an MD5 even while it's empty: it may be written to without a word to the directory. */
static int facts_of(struct tree *tree, uint64_t ino, struct record_facts *ret)
{
	struct inode *inode = tree->costs.rows_only ? NULL : inode_cache_peek(&tree->cache, ino);
	struct node node CLEANUP(node_clear) = { 0 };
	uint32_t gen;
	int found;

	if (inode) {
		WITH_LOCK(&inode->lock);
		record_facts_of(&inode->node, ret);
		ret->sum |= S_ISREG(inode->node.attr.mode) && (inode->gen > 0 || inode->fresh);
		return inode->node.attr.nlink > 0;
	}
	found = rows_node_get(&tree->db, ino, GEN_NEWEST, &node, &gen);
	if (found > 0)
		record_facts_of(&node, ret);
	if (found > 0 && gen > 0)
		ret->sum |= S_ISREG(node.attr.mode);
	return found > 0 ? node.attr.nlink > 0 : found;
}

static int add_children(struct reckoning *reckoning)
{
	int ret = 0;

	vec_each (&reckoning->children, child) {
		struct record_facts facts;
		uint64_t *dir;

		ret = facts_of(reckoning->tree, child->ino, &facts);
		if (ret > 0)
			ret = layout_add(&reckoning->layout, reckoning->names.data + child->at, child->length,
					 &facts);
		if (ret < 0)
			return ret;
		if (!reckoning->all || child->type != DT_DIR)
			continue;
		dir = vec_push(&reckoning->dirs);
		if (!dir)
			return -ENOMEM;
		*dir = child->ino;
	}
	return 0;
}

/* 1, 0: it's gone, or -errno. */
static int lay_out(struct reckoning *reckoning, uint64_t dir, struct dir_cost *ret)
{
	struct record_facts self;
	int found = facts_of(reckoning->tree, dir, &self);

	reckoning->children.count = reckoning->names.length = 0;
	layout_clear(&reckoning->layout);
	if (found <= 0)
		return found;
	found = rows_name_list(&reckoning->tree->db, dir, GEN_NEWEST, keep_child, reckoning);
	if (found == 0)
		found = add_children(reckoning);
	if (found == 0)
		found = layout_cost(&reckoning->layout, &self, dir == ROOT_INO, ret);
	return found < 0 ? found : 1;
}

static int reckon_entry(struct reckoning *reckoning, struct dir_entry *entry)
{
	struct dir_cost cost = { 0 };
	int found = lay_out(reckoning, entry->ino, &cost);

	if (found < 0)
		return found;
	replace_cost(reckoning->tree, entry, &cost);
	entry->gone = found == 0;
	return 0;
}

int dir_costs_count(struct tree *tree)
{
	struct reckoning reckoning CLEANUP(reckoning_clear) = { .tree = tree, .all = true };
	uint64_t *root = vec_push(&reckoning.dirs);
	int ret = root ? tree_repair(tree) : -ENOMEM;

	if (ret < 0)
		return ret;
	*root = ROOT_INO;
	clear_entries(&tree->costs);
	{
		struct fresh_dirs fresh;

		WITH_LOCK(&tree->account);
		fresh_dirs_forget(&tree->costs.fresh);
		fresh = tree->costs.fresh;
		tree->costs = (struct dir_costs){ .formats = tree->costs.formats,
						  .unsure = true,
						  .counted = true,
						  .rows_only = tree->costs.rows_only,
						  .stored_stale = tree->costs.stored_stale,
						  .fresh = fresh };
	}
	while (ret == 0 && reckoning.dirs.count) {
		struct dir_entry *entry = insert(&tree->costs, reckoning.dirs.items[--reckoning.dirs.count]);

		ret = entry ? reckon_entry(&reckoning, entry) : -ENOMEM;
	}
	WITH_LOCK(&tree->account);
	tree->costs.unsure = ret < 0 || tree->costs.sum.iso == 0; /* no root: no tree yet */
	return ret;
}

int dir_costs_reckon(struct tree *tree)
{
	struct reckoning reckoning CLEANUP(reckoning_clear) = { .tree = tree };
	struct dir_costs *costs = &tree->costs;
	int ret = 0;

	if (costs->unsure)
		return dir_costs_count(tree);
	ret = tree_repair(tree);
	for (size_t i = 0; costs->buckets && i < DIR_BUCKETS; i++)
		for (struct dir_entry *entry = costs->buckets[i]; ret == 0 && entry; entry = entry->next)
			if (entry->touched)
				ret = reckon_entry(&reckoning, entry);
	WITH_LOCK(&tree->account);
	if (ret == 0)
		costs->less = 0;
	return ret;
}

/* ---- in the database ---- */

static bool is_stale(const struct dir_costs *costs)
{
	return costs->unsure || costs->more || costs->less || costs->written;
}

int dir_costs_open(struct tree *tree)
{
	struct dir_costs *costs = &tree->costs;
	sqlite3_stmt *stmt = db_query(&tree->db, QUERY_ROOM_SUMS);
	struct dir_cost root;
	int64_t stale = 1;
	int ret = stmt ? db_step(&tree->db, stmt) : -EIO;

	*costs = (struct dir_costs){ .stored_stale = true, .unsure = true };
	if (ret > 0)
		take_columns(stmt, &costs->sum);
	sqlite3_reset(stmt);
	if (ret >= 0)
		ret = db_meta_int(&tree->db, "room_stale", &stale);
	if (ret >= 0)
		ret = load(tree, ROOT_INO, &root);
	costs->unsure = ret <= 0 || stale;
	costs->stored_stale = stale;
	costs->fresh.lost = costs->sum.udf_lost_dirs > 0;
	return ret < 0 ? ret : 0;
}

void dir_costs_close(struct tree *tree)
{
	clear_entries(&tree->costs);
	fresh_dirs_forget(&tree->costs.fresh);
}

static int store_entry(struct tree *tree, const struct dir_entry *entry)
{
	const struct dir_cost *cost = &entry->cost;
	const uint64_t fields[] = { entry->ino,		cost->iso,	     cost->joliet,
				    cost->continued,	cost->iso_tables,    cost->joliet_tables,
				    cost->clashed,	cost->sums,	     cost->udf,
				    cost->udf_linkless, cost->udf_lost_dirs, cost->udf_lost };
	sqlite3_stmt *stmt = db_query(&tree->db, entry->gone ? QUERY_ROOM_DELETE : QUERY_ROOM_PUT);

	if (!stmt)
		return -EIO;
	for (int i = 0; i < (entry->gone ? 1 : 12); i++)
		sqlite3_bind_int64(stmt, i + 1, (int64_t)fields[i]);
	return db_run(&tree->db, stmt);
}

int dir_costs_store(struct tree *tree)
{
	struct dir_costs *costs = &tree->costs;
	int ret = 0;

	if (costs->unsure) /* nothing of it counts */
		return costs->stored_stale ? 0 : db_meta_put_int(&tree->db, "room_stale", 1);
	if (costs->counted)
		ret = db_run(&tree->db, db_query(&tree->db, QUERY_ROOM_CLEAR));
	for (size_t i = 0; costs->buckets && i < DIR_BUCKETS; i++)
		for (struct dir_entry *entry = costs->buckets[i]; ret == 0 && entry; entry = entry->next)
			if (entry->unsaved)
				ret = store_entry(tree, entry);
	if (ret == 0 && costs->stored_stale != is_stale(costs))
		ret = db_meta_put_int(&tree->db, "room_stale", is_stale(costs));
	return ret;
}

bool dir_costs_pending(const struct tree *tree)
{
	const struct dir_costs *costs = &tree->costs;
	bool pending = costs->stored_stale != is_stale(costs);

	for (size_t i = 0; !pending && costs->buckets && i < DIR_BUCKETS; i++)
		for (const struct dir_entry *entry = costs->buckets[i]; entry; entry = entry->next)
			pending |= entry->unsaved;
	return pending;
}

/* What is stored and as it was needn't stay in memory. */
void dir_costs_stored(struct tree *tree)
{
	struct dir_costs *costs = &tree->costs;

	costs->stored_stale = is_stale(costs);
	if (costs->unsure)
		return;
	costs->counted = false;
	for (size_t i = 0; costs->buckets && i < DIR_BUCKETS; i++)
		for (struct dir_entry **at = &costs->buckets[i]; *at;) {
			struct dir_entry *entry = *at;

			entry->unsaved = false;
			if (entry->touched || entry->fresh) {
				at = &entry->next;
				continue;
			}
			*at = entry->next;
			free(entry);
		}
}
