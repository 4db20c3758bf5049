/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/tree.h"

#include "base/log.h"
#include "model/cost.h"
#include "store/rows.h"
#include "store/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOKS_APART    64u /* changes between two looks at the host's free space */
#define FORGET_SECONDS 1   /* a busy machine may need some of it */

int64_t tree_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

static int tree_load(struct tree *tree, struct reason *why)
{
	int64_t next_ino = ROOT_INO + 1, carried = 0, base = 0, gen;
	struct node_counts counts = { 0 };

	if (db_meta_int(&tree->db, "next_ino", &next_ino) < 0 ||
	    db_meta_int(&tree->db, "files", &counts.files) < 0 ||
	    db_meta_int(&tree->db, "entries", &counts.entries) < 0 ||
	    db_meta_int(&tree->db, "links", &counts.links) < 0 ||
	    db_meta_int(&tree->db, "carried_sectors", &carried) < 0 || dir_costs_open(tree) < 0 ||
	    db_meta_int(&tree->db, "udf_base", &base) < 0)
		return reason_set(why, EIO, "%s can't be read", tree->db.path);
	gen = db_int(&tree->db, QUERY_MAX_GEN);
	if (gen < 0)
		return reason_set(why, EIO, "%s can't be read", tree->db.path);
	tree->gen = gen ? (uint32_t)gen : 1;
	tree->next_ino = tree->stored_next_ino = (uint64_t)next_ino;
	tree->counts = tree->stored_counts = counts;
	tree->carried_sectors = (uint64_t)carried;
	tree->costs.fresh.base = (unsigned)base;
	tree->costs.fresh.first_new = tree->next_ino;
	return 0;
}

int tree_open(struct tree *tree, const char *path, int state_dir_fd, uint64_t spool_limit, struct reason *why)
{
	char db_path[4200];
	pthread_rwlockattr_t fair;
	pthread_condattr_t monotonic;
	int ret;

	*tree = (struct tree){ .spool.fd = -1, .db.wal_fd = -1 };
	pthread_rwlockattr_init(&fair);
	/* A freeze must not wait for ever behind an endless stream of changes. */
	pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&tree->freeze, &fair);
	pthread_rwlockattr_destroy(&fair);
	pthread_mutex_init(&tree->lock, NULL);
	pthread_mutex_init(&tree->account, NULL);
	pthread_mutex_init(&tree->sync.lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&tree->orphans.came, &monotonic);
	pthread_condattr_destroy(&monotonic);
	disc_reader_init(&tree->disc);
	atomic_store(&tree->room.host_free, UINT64_MAX);
	snprintf(db_path, sizeof db_path, "%s/overlay.db", path);
	ret = db_open(&tree->db, db_path, why);
	if (ret == 0)
		ret = spool_open(&tree->spool, state_dir_fd, spool_limit, why);
	if (ret == 0 && fsync(state_dir_fd) < 0 && errno != EINVAL) /* the names of what was made just now */
		ret = reason_set(why, errno, "%s can't be synced: %s", path, strerror(errno));
	if (ret == 0)
		ret = tree_load(tree, why);
	return ret;
}

/* So that the next start knows them without a look at every directory. */
static void settle_costs(struct tree *tree)
{
	WITH_LOCK(&tree->lock);
	int ret = tree->read_only	? -EROFS
		  : tree->costs.written ? dir_costs_count(tree)
					: dir_costs_reckon(tree);

	if (ret == 0 && dir_costs_pending(tree))
		db_begin(&tree->db); /* or they would wait for a change */
}

void tree_close(struct tree *tree)
{
	if (tree->db.handle && !tree->broken) {
		settle_costs(tree);
		tree_sync(tree);
	}
	dir_costs_close(tree);
	inode_cache_clear(&tree->cache);
	redo_clear(&tree->redo);
	if (tree->db.handle)
		db_close(&tree->db);
	spool_close(&tree->spool);
	pthread_rwlock_destroy(&tree->freeze);
	pthread_mutex_destroy(&tree->lock);
	pthread_mutex_destroy(&tree->account);
	pthread_mutex_destroy(&tree->sync.lock);
	pthread_cond_destroy(&tree->orphans.came);
	disc_reader_destroy(&tree->disc);
}

bool tree_has_base(struct tree *tree)
{
	struct node_attr root;

	WITH_LOCK(&tree->lock);
	return rows_node_attr(&tree->db, ROOT_INO, &root) > 0;
}

int tree_drop(struct tree *tree)
{
	static const enum query all[] = { QUERY_DROP_NAMES, QUERY_DROP_NODES, QUERY_DROP_DIGESTS,
					  QUERY_ROOM_CLEAR };
	int ret;

	WITH_LOCK(&tree->lock);
	ret = tree_flush_locked(tree);
	if (ret == 0)
		ret = db_begin(&tree->db);
	for (size_t i = 0; ret == 0 && i < sizeof all / sizeof all[0]; i++)
		ret = db_run(&tree->db, db_query(&tree->db, all[i]));
	if (ret == 0)
		ret = db_commit(&tree->db);
	return ret;
}

static bool is_found(const struct tree *tree, const struct found_name *found, uint64_t parent,
		     const char *name, size_t length)
{
	struct db_version now = db_version(&tree->db);

	return found->parent == parent && found->length == length && found->gen == tree->gen &&
	       found->version.rows == now.rows && found->version.transaction == now.transaction &&
	       memcmp(found->name, name, length) == 0;
}

static int find_name(struct tree *tree, struct found_name *found, uint64_t parent, const char *name,
		     size_t length)
{
	int ret;

	found->length = 0;
	ret = rows_name_place(&tree->db, parent, name, length, tree->gen, &found->ino, &found->covers);
	if (ret < 0)
		return ret;
	found->parent = parent;
	found->gen = tree->gen;
	found->version = db_version(&tree->db);
	found->length = length;
	memcpy(found->name, name, length);
	return 0;
}

int tree_find(struct tree *tree, uint64_t parent, const char *name, size_t length, uint64_t *ret_ino,
	      bool *ret_covers)
{
	struct found_name *found = &tree->found.names[0];
	int ret = 0;

	if (!is_found(tree, found, parent, name, length))
		found = &tree->found.names[1];
	if (!is_found(tree, found, parent, name, length)) {
		found = &tree->found.names[tree->found.next];
		tree->found.next = !tree->found.next;
		ret = find_name(tree, found, parent, name, length);
	}
	if (ret < 0)
		return ret;
	*ret_ino = found->ino;
	*ret_covers = found->covers;
	return found->ino != 0;
}

int tree_attrs_next(struct tree *tree, uint64_t ino, struct node_attr *ret)
{
	struct inode *inode = inode_cache_peek(&tree->cache, ino);
	int found;

	if (inode) {
		WITH_LOCK(&inode->lock);
		*ret = inode_attr(inode);
		return 0;
	}
	found = rows_node_attr(&tree->db, ino, ret);
	if (found > 0 && ret->nlink == 0)
		found = 0;
	return found < 0 ? found : found ? 0 : -ENOENT;
}

int tree_attrs_of_name(struct tree *tree, uint64_t parent, const char *name, size_t length,
		       struct node_attr *ret)
{
	uint64_t ino;
	bool covers;
	int found;

	if (length == 0 || length > NAME_LIMIT)
		return -ENOENT;
	found = tree_repair(tree);
	if (found == 0)
		found = tree_find(tree, parent, name, length, &ino, &covers);
	if (found <= 0)
		return found < 0 ? found : -ENOENT;
	return tree_attrs_next(tree, ino, ret);
}

int tree_lookup(struct tree *tree, uint64_t parent, const char *name, size_t length, struct node_attr *ret)
{
	WITH_LOCK(&tree->lock);
	return tree_attrs_of_name(tree, parent, name, length, ret);
}

void tree_attrs_begin(struct tree *tree)
{
	pthread_mutex_lock(&tree->lock);
	db_reads_begin(&tree->db);
}

void tree_attrs_end(struct tree *tree)
{
	db_reads_end(&tree->db);
	pthread_mutex_unlock(&tree->lock);
}

int tree_attr(struct tree *tree, uint64_t ino, struct node_attr *ret)
{
	WITH_LOCK(&tree->lock);
	return tree_attrs_next(tree, ino, ret);
}

int tree_parent(struct tree *tree, uint64_t ino, uint64_t *ret)
{
	struct inode *inode;
	int err;

	WITH_LOCK(&tree->lock);
	err = tree_get_locked(tree, ino, &inode);
	if (err < 0)
		return err;
	*ret = inode->node.parent;
	inode_cache_put(&tree->cache, inode);
	return 0;
}

uint64_t tree_next_ino(struct tree *tree)
{
	WITH_LOCK(&tree->lock);
	return tree->next_ino;
}

/* Who lists a directory needn't know of generations. */
struct listed {
	tree_entry_fn *entry;
	void *self;
};

static int list_entry(void *self, const char *name, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	const struct listed *listed = self;

	return listed->entry(listed->self, name, length, ino, type);
}

int tree_list(struct tree *tree, uint64_t dir, tree_entry_fn *entry, void *self)
{
	struct listed listed = { entry, self };
	int ret;

	WITH_LOCK(&tree->lock);
	ret = tree_repair(tree);
	return ret < 0 ? ret : rows_name_list(&tree->db, dir, GEN_NEWEST, list_entry, &listed);
}

static int load_inode(struct tree *tree, uint64_t ino, struct inode **ret)
{
	struct node node CLEANUP(node_clear) = { 0 };
	uint32_t gen = 0;
	uint64_t charged;
	struct inode *inode;
	int found = rows_node_get(&tree->db, ino, GEN_NEWEST, &node, &gen);

	if (found <= 0 || node.attr.nlink == 0) /* an orphan that is still known is in the cache */
		return found < 0 ? found : -ENOENT;
	charged = gen == tree->gen ? cost_body(&node) : 0;
	inode = inode_cache_add(&tree->cache, &node, gen);
	if (!inode)
		return -ENOMEM;
	inode->charged = charged;
	inode->entry = gen == tree->gen ? ENTRY_COUNTED : ENTRY_OLD;
	*ret = inode;
	return 0;
}

int tree_get_locked(struct tree *tree, uint64_t ino, struct inode **ret)
{
	struct inode *inode = inode_cache_get(&tree->cache, ino);

	if (!inode)
		return load_inode(tree, ino, ret);
	*ret = inode;
	return 0;
}

int tree_get(struct tree *tree, uint64_t ino, struct inode **ret)
{
	WITH_LOCK(&tree->lock);
	return tree_get_locked(tree, ino, ret);
}

bool tree_is_staged(struct tree *tree, const struct inode *inode)
{
	WITH_LOCK(&tree->lock);
	if (inode->gen)
		return true;
	WITH_LOCK(&tree->account);
	return inode->dirty;
}

void tree_put(struct tree *tree, struct inode *inode)
{
	uint64_t ino;
	bool last;

	if (!inode)
		return;
	{
		WITH_LOCK(&tree->lock);
		ino = inode->node.attr.ino;
		last = inode->refs == 1 && inode->unknown && inode->node.attr.nlink == 0;
		inode_cache_put(&tree->cache, inode);
	}
	if (last)
		tree_forget(tree, ino);
}

int tree_change_begin(struct tree *tree)
{
	int ret;

	if (tree->read_only)
		return -EROFS;
	if (tree->broken)
		return tree->broken;
	ret = tree_repair(tree);
	return ret < 0 ? ret : db_begin(&tree->db);
}

/* Asking costs a system call: so once in a while, and each time when it was low. */
static bool host_is_low(struct tree *tree)
{
	if (!tree->host_low && tree->unchecked++ < LOOKS_APART)
		return false;
	tree->unchecked = 0;
	tree->host_low = spool_host_is_low(&tree->spool);
	return tree->host_low;
}

int tree_growth_begin(struct tree *tree)
{
	int ret = tree_change_begin(tree);

	if (ret == 0)
		ret = atomic_load(&tree->failing);
	return ret == 0 && host_is_low(tree) ? -ENOSPC : ret;
}

void tree_touch(struct tree *tree, struct inode *inode, bool with_mtime)
{
	{
		WITH_LOCK(&inode->lock);
		inode->node.attr.ctime_ns = tree_now_ns();
		if (with_mtime)
			inode->node.attr.mtime_ns = inode->node.attr.ctime_ns;
	}
	tree_mark_dirty(tree, inode);
}

/* The spool ranges of an orphan that nobody can reach any more. */
static void free_body(struct tree *tree, const struct inode *inode)
{
	for (size_t i = 0; i < inode->node.map.count; i++)
		if (inode->node.map.items[i].kind == EXTENT_SPOOL)
			spool_free(&tree->spool, inode->node.map.items[i].origin,
				   inode->node.map.items[i].length);
}

void tree_forget(struct tree *tree, uint64_t ino)
{
	struct inode *inode;

	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	inode = inode_cache_peek(&tree->cache, ino);
	if (inode)
		inode->unknown = inode->refs > 0; /* a release may be under way still */
	if (!inode || inode->node.attr.nlink || inode->refs)
		return;
	inode->forgotten = true;
	pthread_cond_broadcast(&tree->orphans.came);
	free_body(tree, inode);
	{
		WITH_LOCK(&inode->lock);
		extent_map_clear(&inode->node.map);
		inode->node.attr.size = 0;
	}
	tree_mark_dirty(tree, inode);
}

static bool is_coming(const struct inode *inode)
{
	return inode->node.attr.nlink == 0 && !inode->forgotten && !inode->awaited &&
	       extent_map_spooled(&inode->node.map) > 0;
}

/* An orphan that isn't forgotten yet, or NULL. Needs lock. */
static struct inode *coming(const struct tree *tree)
{
	for (size_t i = 0; i < INODE_BUCKETS; i++)
		for (struct inode *inode = tree->cache.buckets[i]; inode; inode = inode->hash_next) {
			WITH_LOCK(&inode->lock);
			if (is_coming(inode))
				return inode;
		}
	return NULL;
}

void tree_await_forgotten(struct tree *tree)
{
	unsigned made = atomic_load(&tree->orphans.made);
	struct inode *inode;
	struct timespec until;

	if (made == atomic_load(&tree->orphans.awaited))
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += FORGET_SECONDS;
	WITH_LOCK(&tree->lock);
	while ((inode = coming(tree)))
		if (pthread_cond_timedwait(&tree->orphans.came, &tree->lock, &until) == ETIMEDOUT)
			break;
	for (; inode; inode = coming(tree))
		inode->awaited = true;
	atomic_store(&tree->orphans.awaited, made);
}
