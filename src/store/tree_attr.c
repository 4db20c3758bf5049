/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/tree.h"

#include "model/acl.h"
#include "model/cost.h"
#include "model/xattr_set.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

#define CAPABILITY "security.capability"

/* A referenced inode that goes back to the cache at the end of a block, with tree->lock held until then
 * (so declare it below the lock). */
struct borrowed {
	struct tree *tree;
	struct inode *inode;
};

static void borrowed_return(struct borrowed *borrowed)
{
	if (borrowed->inode)
		inode_cache_put(&borrowed->tree->cache, borrowed->inode);
}

#define AUTO_BORROWED CLEANUP(borrowed_return)

/* chmod keeps an access ACL in step (acl(5), "CORRESPONDENCE BETWEEN ACL ENTRIES AND FILE PERMISSION BITS").
 */
static int acl_follow_mode(struct node *node, uint32_t mode)
{
	struct xattr_view view;
	struct blob acl CLEANUP(blob_clear) = { 0 };
	int ret;

	if (!xattr_set_find(&node->xattrs, ACL_ACCESS, &view) || !acl_valid(view.value, view.value_length))
		return 0;
	ret = blob_set(&acl, view.value, view.value_length);
	if (ret < 0)
		return ret;
	acl_set_mode(acl.data, acl.length, mode);
	return xattr_set_put(&node->xattrs, ACL_ACCESS, acl.data, acl.length);
}

/* As Linux' setattr_should_drop_suidgid(): without the group's execute bit, setgid once meant mandatory
 * locking, and is left to those who belong to the group. */
static uint32_t mode_without_privileges(uint32_t mode, bool member)
{
	return mode & ~(uint32_t)(S_ISUID | (mode & S_IXGRP || !member ? S_ISGID : 0));
}

static int apply_attr(struct node *node, const struct node_attr *attr, unsigned mask)
{
	struct node_attr *own = &node->attr;

	if (mask & TREE_SET_MODE) {
		uint32_t mode = (own->mode & S_IFMT) | (attr->mode & 07777);
		int ret = acl_follow_mode(node, mode);

		if (ret < 0)
			return ret;
		own->mode = mode;
	}
	if ((mask & (TREE_SET_UID | TREE_SET_GID)) && !(mask & TREE_SET_MODE) && !S_ISDIR(own->mode))
		own->mode = mode_without_privileges(own->mode, !(mask & TREE_SET_BY_STRANGER));
	if (mask & TREE_SET_UID)
		own->uid = attr->uid;
	if (mask & TREE_SET_GID)
		own->gid = attr->gid;
	if (mask & TREE_SET_ATIME)
		own->atime_ns = attr->atime_ns;
	if (mask & TREE_SET_MTIME)
		own->mtime_ns = attr->mtime_ns;
	own->ctime_ns = mask & TREE_SET_CTIME ? attr->ctime_ns : tree_now_ns();
	return 0;
}

int tree_set_attr(struct tree *tree, uint64_t ino, const struct node_attr *attr, unsigned mask,
		  struct node_attr *ret)
{
	int err;

	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	struct borrowed own AUTO_BORROWED = { .tree = tree };
	err = tree_change_begin(tree);
	if (err == 0)
		err = tree_get_locked(tree, ino, &own.inode);
	if (err == 0 && !tree_entry_fits(tree, own.inode))
		err = -ENOSPC;
	if (err < 0)
		return err;
	{
		WITH_LOCK(&own.inode->lock);
		err = apply_attr(&own.inode->node, attr, mask);
		*ret = inode_attr(own.inode);
	}
	if (err == 0)
		tree_mark_dirty(tree, own.inode);
	return err;
}

int tree_xattrs(struct tree *tree, uint64_t ino, struct blob *ret)
{
	int err;

	WITH_LOCK(&tree->lock);
	struct borrowed own AUTO_BORROWED = { .tree = tree };
	err = tree_get_locked(tree, ino, &own.inode);
	if (err == 0) {
		WITH_LOCK(&own.inode->lock);
		err = blob_set(ret, own.inode->node.xattrs.data, own.inode->node.xattrs.length);
	}
	return err;
}

/* An access ACL sets the mode, and isn't kept when it says nothing more. */
static int put_acl(struct node *node, const char *name, const void *value, size_t length)
{
	bool minimal = false;
	uint32_t mode;
	int ret;

	if (!acl_valid(value, length))
		return -EINVAL;
	if (strcmp(name, ACL_DEFAULT) == 0)
		return S_ISDIR(node->attr.mode) ? xattr_set_put(&node->xattrs, name, value, length) : -EACCES;
	mode = (node->attr.mode & ~0777u) | acl_mode(value, length, &minimal);
	ret = minimal ? xattr_set_remove(&node->xattrs, name)
		      : xattr_set_put(&node->xattrs, name, value, length);
	if (ret < 0 && ret != -ENODATA)
		return ret;
	node->attr.mode = mode;
	return 0;
}

static bool is_acl(const char *name)
{
	return strcmp(name, ACL_ACCESS) == 0 || strcmp(name, ACL_DEFAULT) == 0;
}

static int put_xattr(struct node *node, const char *name, const void *value, size_t length, int flags)
{
	struct xattr_view view;
	bool there = xattr_set_find(&node->xattrs, name, &view);
	int ret = xattr_name_check(name);

	if (ret < 0)
		return ret;
	if ((flags & TREE_XATTR_CREATE) && there)
		return -EEXIST;
	if ((flags & TREE_XATTR_REPLACE) && !there)
		return -ENODATA;
	if (node->xattrs.length + strlen(name) + length > XATTR_SET_LIMIT ||
	    (!there && xattr_set_count(&node->xattrs) >= XATTR_COUNT_LIMIT))
		return -ENOSPC;
	if (is_acl(name)) {
		ret = put_acl(node, name, value, length);
		if (ret == 0 && (flags & TREE_XATTR_DROP_SETGID))
			node->attr.mode &= ~(uint32_t)S_ISGID;
		return ret;
	}
	return xattr_set_put(&node->xattrs, name, value, length);
}

/* To remove an ACL that isn't there is no error (acl_delete_def_file(3)). */
static int remove_xattr(struct node *node, const char *name)
{
	int ret = xattr_name_check(name);

	if (ret == 0)
		ret = xattr_set_remove(&node->xattrs, name);
	return ret == -ENODATA && is_acl(name) ? 0 : ret;
}

/* value NULL: remove. */
static int change_xattr(struct tree *tree, uint64_t ino, const char *name, const void *value, size_t length,
			int flags)
{
	struct borrowed own AUTO_BORROWED = { .tree = tree };
	struct record_facts facts;
	bool named;
	int err;

	err = value ? tree_growth_begin(tree) : tree_change_begin(tree);
	if (err == 0)
		err = tree_get_locked(tree, ino, &own.inode);
	if (err < 0)
		return err;
	if ((value && !tree_fits(tree, 3 * (length + 2 * SECTOR))) || !tree_entry_fits(tree, own.inode))
		return -ENOSPC;
	{
		WITH_LOCK(&own.inode->lock);
		err = value ? put_xattr(&own.inode->node, name, value, length, flags)
			    : remove_xattr(&own.inode->node, name);
		record_facts_of(&own.inode->node, &facts);
		named = own.inode->node.attr.nlink > 0; /* orphans cost nothing */
	}
	if (err == 0 && named)
		dir_costs_node(tree, ino, &facts);
	if (err == 0)
		tree_touch(tree, own.inode, false);
	return err;
}

int tree_xattr_set(struct tree *tree, uint64_t ino, const char *name, const void *value, size_t length,
		   int flags)
{
	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	return change_xattr(tree, ino, name, value ? value : "", length, flags);
}

int tree_xattr_remove(struct tree *tree, uint64_t ino, const char *name)
{
	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	return change_xattr(tree, ino, name, NULL, 0, 0);
}

int tree_drop_privileges(struct tree *tree, struct inode *inode, bool bits, bool member)
{
	struct xattr_view view;
	bool capable;
	uint32_t mode;
	int ret;

	{
		WITH_LOCK(&inode->lock);
		mode = inode->node.attr.mode;
		capable = xattr_set_find(&inode->node.xattrs, CAPABILITY, &view);
	}
	bits &= mode_without_privileges(mode, member) != mode;
	if (!S_ISREG(mode) || (!bits && !capable))
		return 0;
	WITH_READ_LOCK(&tree->freeze);
	if (bits) { /* of the mode as it is now: a discard may have come in between */
		WITH_LOCK(&inode->lock);
		inode->node.attr.mode = mode_without_privileges(inode->node.attr.mode, member);
	}
	WITH_LOCK(&tree->lock);
	tree_mark_dirty(tree, inode);
	ret = capable ? change_xattr(tree, inode->node.attr.ino, CAPABILITY, NULL, 0, 0) : 0;
	return ret < 0 && ret != -ENODATA ? ret : 1;
}
