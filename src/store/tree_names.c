/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/tree.h"

#include "model/acl.h"
#include "model/target.h"
#include "model/xattr_set.h"
#include "store/rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINK_LIMIT 65000u /* as ext4; Rock Ridge's PX holds 32 bits */

/* One end of a change to names: a directory, and a name under it with what is there now. */
struct place {
	struct tree *tree;
	struct inode *dir; /* referenced */
	const char *name;
	size_t length;
	struct inode *child; /* referenced; NULL = nothing there */
	bool covers;	     /* a lower generation has the name too */
};

static void place_close(struct place *place)
{
	if (place->dir)
		inode_cache_put(&place->tree->cache, place->dir);
	if (place->child)
		inode_cache_put(&place->tree->cache, place->child);
}

/* Declare it below the lock, so that it goes back while the lock is still held. */
#define AUTO_PLACE CLEANUP(place_close)

/* Needs tree->lock, as all below. */
static int place_open(struct place *place, struct tree *tree, uint64_t dir, const char *name, size_t length)
{
	uint64_t ino;
	int ret;

	*place = (struct place){ .tree = tree, .name = name, .length = length };
	if (length == 0 || length > NAME_LIMIT)
		return length ? -ENAMETOOLONG : -EINVAL;
	ret = tree_get_locked(tree, dir, &place->dir);
	if (ret < 0)
		return ret;
	if (!S_ISDIR(place->dir->node.attr.mode))
		return -ENOTDIR;
	if (place->dir->node.attr.nlink == 0)
		return -ENOENT;
	ret = tree_find(tree, dir, name, length, &ino, &place->covers);
	return ret > 0 ? tree_get_locked(tree, ino, &place->child) : ret;
}

static uint64_t dir_ino(const struct place *place)
{
	return place->dir->node.attr.ino;
}

static bool is_dir(const struct inode *inode)
{
	return S_ISDIR(inode->node.attr.mode);
}

static void add_links(struct inode *inode, int by)
{
	WITH_LOCK(&inode->lock);
	inode->node.attr.nlink += (unsigned)by;
}

static int put_row(const struct place *place, uint64_t ino, uint32_t type)
{
	return redo_name_put(&place->tree->redo, &place->tree->db, dir_ino(place), place->name, place->length,
			     place->tree->gen, ino, type);
}

static int put_name(const struct place *place, const struct inode *child)
{
	return put_row(place, child->node.attr.ino, child->node.attr.mode >> 12);
}

static int remove_name(const struct place *place)
{
	if (place->covers)
		return put_row(place, 0, 0);
	return redo_name_delete(&place->tree->redo, &place->tree->db, dir_ino(place), place->name,
				place->length, place->tree->gen);
}

/* What a name in or out of a directory costs. */
static void cost_name(const struct place *place, struct inode *child, int by)
{
	struct record_facts facts;

	{
		WITH_LOCK(&child->lock);
		record_facts_of(&child->node, &facts);
	}
	if (by > 0)
		dir_costs_name(place->tree, dir_ino(place), place->length, &facts);
	else
		dir_costs_no_name(place->tree, dir_ino(place), place->length, &facts);
}

/* A name went in or out of a directory: what it costs, whose subdirectory it is, and when. */
static void account_name(const struct place *place, struct inode *child, int by)
{
	cost_name(place, child, by);
	if (is_dir(child))
		add_links(place->dir, by);
	tree_touch(place->tree, place->dir, true);
}

/* The child lost a name; without any it's an orphan, and costs the next session nothing. */
static void lose_link(struct tree *tree, struct inode *child)
{
	{
		WITH_LOCK(&child->lock);
		child->node.attr.nlink = is_dir(child) ? 0 : child->node.attr.nlink - 1;
		if (child->node.attr.nlink == 0)
			tree_count_node(tree, child, -1);
	}
	if (child->node.attr.nlink == 0) {
		atomic_fetch_add(&tree->orphans.made, 1);
		tree_charge(tree, child, 0);
		if (is_dir(child))
			dir_costs_drop(tree, child->node.attr.ino);
	}
	tree_touch(tree, child, false);
}

/* A default ACL of the directory becomes the access ACL of what is made in it, and is handed on to
 * directories; where there is none, the umask counts. */
static int inherit_acl(const struct place *place, uint32_t umask, struct node *node)
{
	struct xattr_view view;
	struct blob acl CLEANUP(blob_clear) = { 0 };
	bool minimal;
	int ret;

	if (S_ISLNK(node->attr.mode) || !xattr_set_find(&place->dir->node.xattrs, ACL_DEFAULT, &view) ||
	    !acl_valid(view.value, view.value_length)) {
		node->attr.mode &= ~umask;
		return 0;
	}
	ret = blob_set(&acl, view.value, view.value_length);
	if (ret == 0 && S_ISDIR(node->attr.mode))
		ret = xattr_set_put(&node->xattrs, ACL_DEFAULT, acl.data, acl.length);
	if (ret < 0)
		return ret;
	node->attr.mode =
	    (node->attr.mode & ~0777u) | acl_inherit(acl.data, acl.length, node->attr.mode & 0777);
	acl_mode(acl.data, acl.length, &minimal);
	return minimal ? 0 : xattr_set_put(&node->xattrs, ACL_ACCESS, acl.data, acl.length);
}

static int build_node(const struct place *place, const struct tree_new *new, struct node *ret)
{
	const struct node_attr *dir = &place->dir->node.attr;
	int64_t now = tree_now_ns();

	ret->attr = (struct node_attr){
		.ino = place->tree->next_ino,
		.mode = new->mode,
		.uid = new->uid,
		.gid = new->gid,
		.nlink = S_ISDIR(new->mode) ? 2 : 1,
		.size = new->target_length,
		.rdev = S_ISCHR(new->mode) || S_ISBLK(new->mode) ? new->rdev : 0,
		.atime_ns = now,
		.mtime_ns = now,
		.ctime_ns = now,
	};
	if (dir->mode & S_ISGID) {
		ret->attr.gid = dir->gid;
		if (S_ISDIR(new->mode))
			ret->attr.mode |= S_ISGID;
	}
	ret->parent = dir->ino;
	if (blob_set(&ret->target, new->target, new->target_length) < 0)
		return -ENOMEM;
	return inherit_acl(place, new->umask & 0777, ret);
}

static bool has_udf(struct tree *tree)
{
	WITH_LOCK(&tree->account);
	return tree->costs.formats.udf;
}

/* Room for a name: two records, and what a long name, a target, attributes and a directory of its own take;
 * in UDF a file entry, and of a directory two sectors, beside the name in the directory above. */
static bool has_room(struct tree *tree, const struct node *node, size_t length)
{
	uint64_t bytes = node->target.length + node->xattrs.length + (length > 64 ? length : 0);

	bytes = bytes > 64 ? 2 * bytes + SECTOR : 0;
	bytes += (S_ISDIR(node->attr.mode) ? 4 : 2) * SECTOR;
	if (has_udf(tree))
		bytes += (S_ISDIR(node->attr.mode) ? 3 : 2) * SECTOR;
	return tree_fits(tree, bytes);
}

/* A new inode for a place, referenced; it has no name yet. */
static int new_child(const struct place *place, const struct tree_new *new, struct inode **ret)
{
	struct node node CLEANUP(node_clear) = { 0 };
	int err = build_node(place, new, &node);

	if (err < 0)
		return err;
	if (!has_room(place->tree, &node, place->length))
		return -ENOSPC;
	*ret = inode_cache_add(&place->tree->cache, &node, 0);
	if (!*ret)
		return -ENOMEM;
	(*ret)->fresh = true;
	return 0;
}

/* It couldn't be given a name. */
static void drop_child(struct tree *tree, struct inode *child)
{
	inode_cache_put(&tree->cache, child);
	inode_cache_drop(&tree->cache, child);
}

/* It has its name: count it. */
static void add_child(const struct place *place, struct inode *child)
{
	place->tree->next_ino++;
	if (is_dir(child))
		dir_costs_add(place->tree, child->node.attr.ino);
	{
		WITH_LOCK(&child->lock);
		tree_count_node(place->tree, child, 1);
	}
	account_name(place, child, 1);
	tree_mark_dirty(place->tree, child);
}

int tree_create(struct tree *tree, uint64_t parent, const char *name, size_t length,
		const struct tree_new *new, struct node_attr *ret, struct inode **ret_inode)
{
	struct inode *child;
	int err;

	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	struct place place AUTO_PLACE = { 0 };
	/* What no session could hold is refused while the caller can still do something about it. */
	err = new->target && !target_fits(new->target, new->target_length) ? -ENAMETOOLONG : 0;
	if (err == 0)
		err = tree_growth_begin(tree);
	if (err == 0)
		err = place_open(&place, tree, parent, name, length);
	if (err == 0 && place.child)
		err = -EEXIST;
	if (err == 0 && S_ISDIR(new->mode))
		err = tree_check_depth(tree, parent, NULL);
	if (err == 0)
		err = new_child(&place, new, &child);
	if (err < 0)
		return err;
	err = put_name(&place, child);
	if (err < 0) {
		drop_child(tree, child);
		return err;
	}
	add_child(&place, child);
	*ret = child->node.attr;
	if (ret_inode)
		*ret_inode = child;
	else
		inode_cache_put(&tree->cache, child);
	return 0;
}

int tree_link(struct tree *tree, uint64_t ino, uint64_t parent, const char *name, size_t length,
	      struct node_attr *ret)
{
	int err;

	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	struct place place AUTO_PLACE = { 0 };
	struct place target AUTO_PLACE = { .tree = tree };
	err = tree_growth_begin(tree);
	if (err == 0)
		err = place_open(&place, tree, parent, name, length);
	if (err == 0 && place.child)
		err = -EEXIST;
	if (err == 0)
		err = tree_get_locked(tree, ino, &target.child);
	if (err < 0)
		return err;
	if (is_dir(target.child))
		return -EPERM;
	if (target.child->node.attr.nlink == 0)
		return -ENOENT;
	if (target.child->node.attr.nlink >= LINK_LIMIT)
		return -EMLINK;
	if (!has_room(tree, &target.child->node, length))
		return -ENOSPC;
	err = put_name(&place, target.child);
	if (err < 0)
		return err;
	account_name(&place, target.child, 1);
	add_links(target.child, 1);
	tree_touch(tree, target.child, false);
	WITH_LOCK(&target.child->lock);
	*ret = inode_attr(target.child);
	return 0;
}

static int remove_child(struct place *place)
{
	int err = remove_name(place);

	if (err < 0)
		return err;
	account_name(place, place->child, -1);
	lose_link(place->tree, place->child);
	return 0;
}

/* Opens a place where something must be. */
static int place_open_child(struct place *place, struct tree *tree, uint64_t dir, const char *name,
			    size_t length)
{
	int err = tree_change_begin(tree);

	if (err == 0)
		err = place_open(place, tree, dir, name, length);
	return err < 0 ? err : place->child ? 0 : -ENOENT;
}

int tree_unlink(struct tree *tree, uint64_t parent, const char *name, size_t length)
{
	int err;

	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	struct place place AUTO_PLACE = { 0 };
	err = place_open_child(&place, tree, parent, name, length);
	if (err < 0)
		return err;
	return is_dir(place.child) ? -EISDIR : remove_child(&place);
}

static int check_empty(struct tree *tree, const struct inode *dir)
{
	int found = rows_has_child(&tree->db, dir->node.attr.ino);

	return found > 0 ? -ENOTEMPTY : found;
}

int tree_rmdir(struct tree *tree, uint64_t parent, const char *name, size_t length)
{
	int err;

	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	struct place place AUTO_PLACE = { 0 };
	err = place_open_child(&place, tree, parent, name, length);
	if (err == 0 && !is_dir(place.child))
		err = -ENOTDIR;
	if (err == 0)
		err = check_empty(tree, place.child);
	return err < 0 ? err : remove_child(&place);
}

static void set_parent(struct tree *tree, struct inode *child, const struct place *to)
{
	{
		WITH_LOCK(&child->lock);
		child->node.parent = dir_ino(to);
	}
	tree_touch(tree, child, false);
}

/* Two names change together: when the second can't, the first hasn't either. */
static int undo_names(struct tree *tree, size_t mark, int err)
{
	if (err < 0 && redo_mark(&tree->redo) != mark) {
		redo_cut(&tree->redo, mark);
		redo_replay(&tree->redo, &tree->db);
	}
	return err;
}

/* Does what stands at one place have a path that isn't too long at the other one? */
static int check_move(const struct place *from, const struct place *to)
{
	return is_dir(from->child) ? tree_check_depth(to->tree, dir_ino(to), from->child) : 0;
}

static int exchange(struct place *from, struct place *to)
{
	size_t mark = redo_mark(&from->tree->redo);
	int err = check_move(from, to);

	if (err == 0)
		err = check_move(to, from);
	if (err == 0)
		err = put_name(from, to->child);
	if (err == 0)
		err = put_name(to, from->child);
	if (err < 0)
		return undo_names(from->tree, mark, err);
	cost_name(from, to->child, 1);
	cost_name(to, from->child, 1);
	if (is_dir(from->child) != is_dir(to->child)) {
		add_links(from->dir, is_dir(to->child) ? 1 : -1);
		add_links(to->dir, is_dir(from->child) ? 1 : -1);
	}
	tree_touch(from->tree, from->dir, true);
	tree_touch(from->tree, to->dir, true);
	set_parent(from->tree, from->child, to);
	set_parent(from->tree, to->child, from);
	return 0;
}

/* What stands in the way of a rename may be replaced only by its like. */
static int check_replace(struct tree *tree, const struct inode *moved, const struct inode *target)
{
	if (is_dir(moved) && !is_dir(target))
		return -ENOTDIR;
	if (!is_dir(moved) && is_dir(target))
		return -EISDIR;
	return is_dir(target) ? check_empty(tree, target) : 0;
}

/* left: what takes the old name, or NULL. */
static int move(struct place *from, struct place *to, struct inode *left)
{
	size_t mark = redo_mark(&from->tree->redo);
	int err = to->child ? check_replace(from->tree, from->child, to->child) : 0;

	if (err == 0)
		err = check_move(from, to);
	if (err == 0)
		err = left ? put_name(from, left) : remove_name(from);
	if (err == 0)
		err = put_name(to, from->child);
	if (err < 0)
		return undo_names(from->tree, mark, err);
	account_name(from, from->child, -1);
	account_name(to, from->child, 1);
	if (left)
		add_child(from, left);
	if (to->child) {
		cost_name(to, to->child, -1);
		if (is_dir(to->child))
			add_links(to->dir, -1);
		lose_link(to->tree, to->child);
	}
	set_parent(from->tree, from->child, to);
	return 0;
}

static int open_both(struct tree *tree, struct place *from, uint64_t from_dir, const char *name,
		     size_t length, struct place *to, uint64_t to_dir, const char *new_name,
		     size_t new_length)
{
	int err = place_open_child(from, tree, from_dir, name, length);

	return err < 0 ? err : place_open(to, tree, to_dir, new_name, new_length);
}

int tree_rename(struct tree *tree, uint64_t from_dir, const char *name, size_t length, uint64_t to_dir,
		const char *new_name, size_t new_length, unsigned flags)
{
	int err;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	struct place from AUTO_PLACE = { 0 };
	struct place to AUTO_PLACE = { 0 };
	err = open_both(tree, &from, from_dir, name, length, &to, to_dir, new_name, new_length);
	if (err < 0)
		return err;
	if ((flags & RENAME_NOREPLACE) && to.child)
		return -EEXIST;
	if (flags & RENAME_EXCHANGE)
		return to.child ? exchange(&from, &to) : -ENOENT;
	if (from.child == to.child)
		return 0; /* POSIX: two links to the same file stay */
	if (!tree_entry_fits(tree, from.child))
		return -ENOSPC;
	return move(&from, &to, NULL);
}

int tree_rename_whiteout(struct tree *tree, uint64_t from_dir, const char *name, size_t length,
			 uint64_t to_dir, const char *new_name, size_t new_length, uint32_t uid, uint32_t gid)
{
	const struct tree_new new = { .mode = S_IFCHR, .uid = uid, .gid = gid };
	struct inode *left;
	int err;

	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	struct place from AUTO_PLACE = { 0 };
	struct place to AUTO_PLACE = { 0 };
	err = tree_growth_begin(tree);
	if (err == 0)
		err = open_both(tree, &from, from_dir, name, length, &to, to_dir, new_name, new_length);
	if (err < 0 || from.child == to.child)
		return err;
	err = new_child(&from, &new, &left);
	if (err < 0)
		return err;
	err = move(&from, &to, left);
	if (err < 0)
		drop_child(tree, left);
	else
		inode_cache_put(&tree->cache, left);
	return err;
}
