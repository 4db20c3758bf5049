/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations that are made to fail, as a script of them names them. */
#pragma once

#include "faulty.h"

#include "store/changes.h"

#include <linux/falloc.h>
#include <linux/fs.h>

enum {
	OP_GROWS = 1,	/* may be refused until a flush succeeds again */
	OP_WRITES = 2,	/* may have stored some of the bytes when it fails, in its range only */
	OP_SETTLES = 4, /* all that was done is in the database afterwards */
	OP_ENDS = 8	/* the end of a commit: when it fails, the next mount does it again */
};

struct op {
	int (*run)(struct faulty *faulty, const struct op *op);
	unsigned rules;
	const char *path, *to;
	uint64_t offset, length;
};

static inline int op_make(struct faulty *faulty, const struct op *op)
{
	struct place_at at = store_place(&faulty->store, op->path);
	struct tree_new new = { .mode = (uint32_t)op->offset, .uid = 1000, .gid = 1000 };
	struct node_attr attr;

	if (op->to) {
		new.target = op->to;
		new.target_length = strlen(op->to);
	}
	return UNDER_TEST(faulty,
			  tree_create(faulty->store.tree, at.dir, at.name, at.length, &new, &attr, NULL));
}

static inline int op_link(struct faulty *faulty, const struct op *op)
{
	struct place_at at = store_place(&faulty->store, op->to);
	uint64_t ino = store_ino(&faulty->store, op->path);
	struct node_attr attr;

	return UNDER_TEST(faulty, tree_link(faulty->store.tree, ino, at.dir, at.name, at.length, &attr));
}

static inline int op_unlink(struct faulty *faulty, const struct op *op)
{
	struct place_at at = store_place(&faulty->store, op->path);
	uint64_t ino = store_ino(&faulty->store, op->path);
	int ret = UNDER_TEST(faulty, tree_unlink(faulty->store.tree, at.dir, at.name, at.length));

	if (ret == 0 && !(faulty->held && faulty->held->node.attr.ino == ino))
		tree_forget(faulty->store.tree, ino);
	return ret;
}

static inline int op_rmdir(struct faulty *faulty, const struct op *op)
{
	struct place_at at = store_place(&faulty->store, op->path);

	return UNDER_TEST(faulty, tree_rmdir(faulty->store.tree, at.dir, at.name, at.length));
}

static inline int op_rename(struct faulty *faulty, const struct op *op)
{
	struct place_at from = store_place(&faulty->store, op->path),
			to = store_place(&faulty->store, op->to);

	return UNDER_TEST(faulty, tree_rename(faulty->store.tree, from.dir, from.name, from.length, to.dir,
					      to.name, to.length, (unsigned)op->offset));
}

static inline int op_whiteout(struct faulty *faulty, const struct op *op)
{
	struct place_at from = store_place(&faulty->store, op->path),
			to = store_place(&faulty->store, op->to);

	return UNDER_TEST(faulty, tree_rename_whiteout(faulty->store.tree, from.dir, from.name, from.length,
						       to.dir, to.name, to.length, 1000, 1000));
}

/* Open, work, close. */
static inline int with_inode(struct faulty *faulty, const struct op *op,
			     int (*work)(struct tree *tree, struct inode *inode, const struct op *op))
{
	uint64_t ino = op->path ? store_ino(&faulty->store, op->path) : 0;
	struct inode *inode = op->path ? NULL : faulty->held;
	int ret;

	if (!ino)
		return inode ? UNDER_TEST(faulty, work(faulty->store.tree, inode, op)) : -ENOENT;
	ret = UNDER_TEST(faulty, tree_get(faulty->store.tree, ino, &inode));
	if (ret < 0)
		return ret;
	ret = UNDER_TEST(faulty, work(faulty->store.tree, inode, op));
	tree_put(faulty->store.tree, inode);
	return ret;
}

static inline void op_bytes(const struct op *op, uint8_t *ret)
{
	for (uint64_t i = 0; i < op->length; i++)
		ret[i] = (uint8_t)((op->offset + i) % 251 + op->length);
}

static inline int work_write(struct tree *tree, struct inode *inode, const struct op *op)
{
	static uint8_t data[LARGEST];

	op_bytes(op, data);
	return body_write(tree, inode, data, op->length, op->offset);
}

static inline int op_write(struct faulty *faulty, const struct op *op)
{
	return with_inode(faulty, op, work_write);
}

static inline int work_truncate(struct tree *tree, struct inode *inode, const struct op *op)
{
	return body_truncate(tree, inode, op->length);
}

static inline int op_truncate(struct faulty *faulty, const struct op *op)
{
	return with_inode(faulty, op, work_truncate);
}

static inline int work_punch(struct tree *tree, struct inode *inode, const struct op *op)
{
	return body_allocate(tree, inode, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, op->offset, op->length);
}

static inline int op_punch(struct faulty *faulty, const struct op *op)
{
	return with_inode(faulty, op, work_punch);
}

static inline int work_zero(struct tree *tree, struct inode *inode, const struct op *op)
{
	return body_allocate(tree, inode, FALLOC_FL_ZERO_RANGE, op->offset, op->length);
}

static inline int op_zero(struct faulty *faulty, const struct op *op)
{
	return with_inode(faulty, op, work_zero);
}

static inline int work_allocate(struct tree *tree, struct inode *inode, const struct op *op)
{
	return body_allocate(tree, inode, 0, op->offset, op->length);
}

static inline int op_allocate(struct faulty *faulty, const struct op *op)
{
	return with_inode(faulty, op, work_allocate);
}

/* All of path to offset in to. */
static inline int copy_body(struct tree *tree, uint64_t ino, uint64_t to_ino, const struct op *op)
{
	struct inode *from, *to;
	int64_t got;
	int ret = tree_get(tree, ino, &from);

	if (ret < 0)
		return ret;
	ret = tree_get(tree, to_ino, &to);
	if (ret < 0) {
		tree_put(tree, from);
		return ret;
	}
	got = body_copy(tree, from, 0, to, op->offset, op->length);
	if (got >= 0 && (uint64_t)got != min_u64(op->length, from->node.attr.size))
		got = -EBADMSG;
	tree_put(tree, from);
	tree_put(tree, to);
	return got < 0 ? (int)got : 0;
}

static inline int op_copy(struct faulty *faulty, const struct op *op)
{
	uint64_t from = store_ino(&faulty->store, op->path), to = store_ino(&faulty->store, op->to);

	return UNDER_TEST(faulty, copy_body(faulty->store.tree, from, to, op));
}

static inline int set_attr(struct faulty *faulty, const struct op *op, const struct node_attr *attr,
			   unsigned mask)
{
	uint64_t ino = store_ino(&faulty->store, op->path);
	struct node_attr now;

	return UNDER_TEST(faulty, tree_set_attr(faulty->store.tree, ino, attr, mask, &now));
}

static inline int op_chmod(struct faulty *faulty, const struct op *op)
{
	return set_attr(faulty, op, &(struct node_attr){ .mode = (uint32_t)op->offset }, TREE_SET_MODE);
}

static inline int op_chown(struct faulty *faulty, const struct op *op)
{
	return set_attr(faulty, op, &(struct node_attr){ .uid = (uint32_t)op->offset, .gid = 5 },
			TREE_SET_UID | TREE_SET_GID);
}

static inline int op_utime(struct faulty *faulty, const struct op *op)
{
	return set_attr(faulty, op, &(struct node_attr){ .mtime_ns = (int64_t)op->offset * NS_PER_SEC },
			TREE_SET_MTIME);
}

static inline int op_xattr(struct faulty *faulty, const struct op *op)
{
	static uint8_t value[LARGEST];
	uint64_t ino = store_ino(&faulty->store, op->path);

	op_bytes(op, value);
	return UNDER_TEST(faulty, tree_xattr_set(faulty->store.tree, ino, op->to, value, op->length, 0));
}

static inline int op_unxattr(struct faulty *faulty, const struct op *op)
{
	uint64_t ino = store_ino(&faulty->store, op->path);

	return UNDER_TEST(faulty, tree_xattr_remove(faulty->store.tree, ino, op->to));
}

/* u::rw- u:5:rwx g::r-- m::rwx o::r-- */
static inline int op_acl(struct faulty *faulty, const struct op *op)
{
	static const uint8_t acl[] = { 2, 0, 0,	  0,   1,   0,	 6,  0, 255, 255, 255, 255, 2,	 0,  7,
				       0, 5, 0,	  0,   0,   4,	 0,  4, 0,   255, 255, 255, 255, 16, 0,
				       7, 0, 255, 255, 255, 255, 32, 0, 4,   0,	  255, 255, 255, 255 };
	uint64_t ino = store_ino(&faulty->store, op->path);

	return UNDER_TEST(faulty, tree_xattr_set(faulty->store.tree, ino, op->to, acl, sizeof acl, 0));
}

static inline int no_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	return 0;
}

static inline int no_change(void *self, const struct change *change)
{
	return 0;
}

/* What only reads: it fails, or tells all. */
static inline int look_at(struct tree *tree, struct place_at at, const struct op *op)
{
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct node_attr attr;
	struct inode *inode;
	char data[4096];
	int64_t got;
	int ret = tree_lookup(tree, at.dir, at.name, at.length, &attr);

	if (ret == 0)
		ret = tree_list(tree, at.dir, no_name, NULL);
	if (ret == 0)
		ret = tree_xattrs(tree, attr.ino, &set);
	if (ret == 0)
		ret = tree_get(tree, attr.ino, &inode);
	if (ret < 0)
		return ret;
	got = body_read(tree, inode, data, sizeof data, 0);
	tree_put(tree, inode);
	if (got >= 0 && (uint64_t)got != min_u64(attr.size, sizeof data))
		return -EBADMSG;
	return got < 0 ? (int)got : changes_list(tree, no_change, NULL);
}

static inline int op_look(struct faulty *faulty, const struct op *op)
{
	struct place_at at = store_place(&faulty->store, op->path);

	return UNDER_TEST(faulty, look_at(faulty->store.tree, at, op));
}

static inline int op_flush(struct faulty *faulty, const struct op *op)
{
	return UNDER_TEST(faulty, tree_flush(faulty->store.tree));
}

static inline int op_sync(struct faulty *faulty, const struct op *op)
{
	return UNDER_TEST(faulty, tree_sync(faulty->store.tree));
}

static inline int op_checkpoint(struct faulty *faulty, const struct op *op)
{
	struct db *db = &faulty->store.tree->db;

	return UNDER_TEST(faulty, (db_checkpoint(db, true), 0));
}

static inline int op_hold(struct faulty *faulty, const struct op *op)
{
	uint64_t ino = store_ino(&faulty->store, op->path);

	return UNDER_TEST(faulty, tree_get(faulty->store.tree, ino, &faulty->held));
}

static inline int let_go(struct faulty *faulty)
{
	faulty_let_go(faulty);
	return 0;
}

static inline int op_release(struct faulty *faulty, const struct op *op)
{
	return UNDER_TEST(faulty, let_go(faulty));
}

/* A path that isn't there discards nothing. */
static inline int op_discard(struct faulty *faulty, const struct op *op)
{
	return UNDER_TEST(faulty, discard_staged(faulty->store.tree, op->path, NULL));
}

/* ---- generations ---- */

static inline bool read_journal(struct faulty *faulty, struct journal *ret)
{
	WITH_LOCK(&faulty->store.tree->lock);
	return journal_read(&faulty->store.tree->db, ret) > 0 && ret->phase == PHASE_FROZEN;
}

static inline int op_freeze(struct faulty *faulty, const struct op *op)
{
	struct journal journal = { 0 };

	return UNDER_TEST(faulty, freeze_generation(faulty->store.tree, &journal));
}

static inline int op_publish(struct faulty *faulty, const struct op *op)
{
	struct journal journal CLEANUP(journal_clear) = { 0 };
	struct history entry = { .label = "", .message = "" };
	struct landing landing = { .store = &faulty->store };
	struct tree *tree = faulty->store.tree;
	int ret;

	if (!read_journal(faulty, &journal)) /* the freeze failed */
		return op_flush(faulty, op);
	{
		WITH_LOCK(&tree->lock);
		ret = tree_flush_locked(tree);
		if (ret < 0)
			return ret;
		assert_int_equal(rows_node_staged(&tree->db, landing_keep, &landing), 0);
		vec_each (&landing.inos, ino)
			land_file(&faulty->store, *ino, journal.gen);
		ret = tree_flush_locked(tree);
		vec_clear(&landing.inos);
	}
	return ret < 0 ? ret : UNDER_TEST(faulty, publish_generation(faulty->store.disc, &journal, &entry));
}

static inline int op_thaw(struct faulty *faulty, const struct op *op)
{
	struct journal journal CLEANUP(journal_clear) = { 0 };
	struct history entry = { .label = "", .message = "" };

	if (!read_journal(faulty, &journal))
		return op_flush(faulty, op);
	return UNDER_TEST(faulty, thaw_generation(faulty->store.tree, journal.gen, &entry));
}

/* ---- mounts ---- */

static inline int close_tree(struct tree *tree)
{
	tree_close(tree);
	return 0;
}

static inline int open_tree(struct store *store)
{
	struct reason why = { 0 };
	int ret = tree_open(store->tree, store->dir, store->dir_fd, 0, &why);

	store->tree->disc.fd = store->medium;
	store->tree->disc.limit = store->medium_end;
	if (ret == 0)
		ret = sweep_at_start(store->tree, &why);
	if (ret < 0)
		tree_close(store->tree);
	return ret;
}

/* A mount that fails is tried again. */
static inline int reopen(struct faulty *faulty)
{
	struct store *store = &faulty->store;
	int ret;

	UNDER_TEST(faulty, close_tree(store->tree));
	ret = UNDER_TEST(faulty, open_tree(store));
	return ret < 0 ? open_tree(store) : 0;
}

/* What isn't flushed may get lost when the last flush fails: nobody is left to be told. */
static inline int op_reopen(struct faulty *faulty, const struct op *op)
{
	faulty_let_go(faulty);
	assert_int_equal(tree_flush(faulty->store.tree), 0);
	return reopen(faulty);
}
