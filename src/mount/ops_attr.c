/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/ops.h"

#include "mount/killpriv.h"
#include "mount/parker.h"
#include "mount/stale.h"
#include "store/body.h"
#include "store/lost.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

/* Years before 1677 and after 2262 don't fit: the nearest that does. */
static int64_t ns_of(const struct timespec *time)
{
	const int64_t most = INT64_MAX / NS_PER_SEC - 1;

	if (time->tv_sec < -most || time->tv_sec > most)
		return (time->tv_sec < 0 ? -most : most) * NS_PER_SEC;
	return time->tv_sec * NS_PER_SEC + time->tv_nsec;
}

/* With a handle the kernel asks before a write() that it is going to cache, when it knows the attributes no
 * more (fuse_cache_write_iter; fstat and the like come without one): the moment to refuse it, since what is
 * refused of the cache later comes out at close() only, or never while a program goes on writing. */
static int write_ahead(fuse_req_t req, const struct fuse_file_info *fi)
{
	return lost_ahead(tree_of(req), (struct inode *)(uintptr_t)fi->fh);
}

double attr_timeout(struct tree *tree, const struct node_attr *attr)
{
	return atomic_load(&tree->short_of_room) && S_ISREG(attr->mode) && attr->size == 0 ? 0 : ATTR_TIMEOUT;
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node_attr attr;
	struct stat st;
	int ret;

	if (is_virtual(ino)) {
		virtual_getattr(req, ino);
		return;
	}
	ret = fi ? write_ahead(req, fi) : 0;
	if (ret == 0)
		ret = tree_attr(tree_of(req), ino, &attr);
	if (ret < 0) {
		reply_err(req, ret);
		return;
	}
	stat_fill(&st, &attr);
	fuse_reply_attr(req, &st, attr_timeout(tree_of(req), &attr));
}

static int set_size(fuse_req_t req, uint64_t ino, uint64_t size)
{
	struct tree *tree = tree_of(req);
	struct inode *inode;
	int ret = tree_get(tree, ino, &inode);

	if (ret < 0)
		return ret;
	ret = body_truncate(tree, inode, size);
	parker_changed(mount_of(req), inode);
	if (ret == 0)
		ret = killpriv_by_change(req, inode);
	tree_put(tree, inode);
	return ret;
}

static unsigned attr_from_stat(const struct stat *st, int to_set, struct node_attr *ret)
{
	static const struct {
		int fuse;
		unsigned tree;
	} masks[] = {
		{ FUSE_SET_ATTR_MODE, TREE_SET_MODE },	     { FUSE_SET_ATTR_UID, TREE_SET_UID },
		{ FUSE_SET_ATTR_GID, TREE_SET_GID },	     { FUSE_SET_ATTR_ATIME, TREE_SET_ATIME },
		{ FUSE_SET_ATTR_ATIME_NOW, TREE_SET_ATIME }, { FUSE_SET_ATTR_MTIME, TREE_SET_MTIME },
		{ FUSE_SET_ATTR_MTIME_NOW, TREE_SET_MTIME }, { FUSE_SET_ATTR_CTIME, TREE_SET_CTIME },
	};
	/* For a regular file the kernel tells its own "now", as the time of the change. */
	int64_t now = to_set & FUSE_SET_ATTR_CTIME ? ns_of(&st->st_ctim) : tree_now_ns();
	unsigned mask = 0;

	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
		if (to_set & masks[i].fuse)
			mask |= masks[i].tree;
	*ret = (struct node_attr){
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.atime_ns = to_set & FUSE_SET_ATTR_ATIME_NOW ? now : ns_of(&st->st_atim),
		.mtime_ns = to_set & FUSE_SET_ATTR_MTIME_NOW ? now : ns_of(&st->st_mtim),
		.ctime_ns = ns_of(&st->st_ctim),
	};
	return mask;
}

static bool by_stranger(fuse_req_t req, fuse_ino_t ino)
{
	struct node_attr attr;

	return tree_attr(tree_of(req), ino, &attr) == 0 && killpriv_stranger(req, &attr);
}

/* The kernel sets a file's times before it finds out that it can't read the page that a write() is to change
 * a part of, and tells them at close() (fuse_flush_times; no system call asks for times with a handle). When
 * nothing was written, nothing has changed. */
static bool is_echo(struct tree *tree, const struct fuse_file_info *fi)
{
	struct inode *inode = (struct inode *)(uintptr_t)fi->fh;

	return atomic_load(&inode->unread) && !tree_is_staged(tree, inode);
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi)
{
	struct tree *tree = tree_of(req);
	struct node_attr attr;
	struct stat result;
	unsigned mask;
	int ret = 0;

	if (is_past(ino)) {
		reply_err(req, -EROFS);
		return;
	}
	if (is_virtual(ino)) {
		virtual_getattr(req, ino); /* a shell's ">" truncates the control file */
		return;
	}
	if (fi && to_set == (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_CTIME) && is_echo(tree, fi)) {
		stale_add(mount_of(req), ino);
		op_getattr(req, ino, NULL);
		return;
	}
	if (to_set & FUSE_SET_ATTR_SIZE)
		ret = set_size(req, ino, (uint64_t)st->st_size);
	mask = attr_from_stat(st, to_set, &attr);
	if (mask & (TREE_SET_UID | TREE_SET_GID) && by_stranger(req, ino))
		mask |= TREE_SET_BY_STRANGER;
	if (ret == 0)
		ret = mask ? tree_set_attr(tree, ino, &attr, mask, &attr) : tree_attr(tree, ino, &attr);
	if (ret < 0) {
		reply_err(req, ret);
		return;
	}
	stat_fill(&result, &attr);
	fuse_reply_attr(req, &result, ATTR_TIMEOUT);
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[TARGET_LIMIT + 1];
	struct inode *inode;
	struct view view;
	size_t length;
	int ret = view_open(req, ino, &view);

	if (ret == 0)
		ret = view.tree ? tree_get(view.tree, view.ino, &inode) : -EINVAL;
	if (ret < 0) {
		view_close(&view);
		reply_err(req, ret);
		return;
	}
	{
		/* A target never changes, but a publication loads the node anew and frees the old bytes. */
		WITH_LOCK(&inode->lock);
		length = min_u64(inode->node.target.length, TARGET_LIMIT);
		if (length)
			memcpy(target, inode->node.target.data, length);
	}
	target[length] = '\0';
	tree_put(view.tree, inode);
	view_close(&view);
	fuse_reply_readlink(req, target);
}

/* Blocks are sectors: what the medium holds, and what may still be staged so that the next session fits, as
 * far as the spool takes it. */
void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct mount *mount = mount_of(req);
	struct tree *tree = &mount->disc.tree;
	uint64_t free = mount->disc.read_only ? 0 : tree_free_sectors(tree);
	uint64_t room = min_u64(free, spool_room(&tree->spool) / SECTOR);
	uint64_t used = atomic_load(&tree->room.next_start) + tree_predicted_sectors(tree);
	uint64_t capacity = atomic_load(&tree->room.capacity);
	struct statvfs vfs = {
		.f_bsize = SECTOR,
		.f_frsize = SECTOR,
		.f_blocks = capacity ? max_u64(capacity, free) : used + free,
		.f_bfree = free,
		.f_bavail = room,
		.f_files = tree_next_ino(tree) + UINT32_MAX,
		.f_ffree = UINT32_MAX,
		.f_favail = UINT32_MAX,
		.f_namemax = NAME_LIMIT,
	};

	fuse_reply_statfs(req, &vfs);
}
