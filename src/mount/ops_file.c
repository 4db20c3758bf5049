/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/ops.h"

#include "mount/killpriv.h"
#include "mount/parker.h"
#include "mount/seeker.h"
#include "mount/stale.h"
#include "store/body.h"

#include <errno.h>
#include <fcntl.h>

#define COPY_AT_ONCE (1u << 31) /* what the reply can tell: whole sectors in 32 bits */

static bool may_write(const struct fuse_file_info *fi)
{
	return (fi->flags & O_ACCMODE) != O_RDONLY;
}

void file_opened(struct fuse_file_info *fi, struct inode *inode)
{
	fi->fh = (uintptr_t)inode;
	fi->keep_cache = 1;
	if (may_write(fi))
		body_opened(inode);
}

void file_closed(struct tree *tree, const struct fuse_file_info *fi)
{
	struct inode *inode = (struct inode *)(uintptr_t)fi->fh;

	if (may_write(fi))
		body_closed(tree, inode);
	tree_put(tree, inode);
}

static struct inode *inode_of(const struct fuse_file_info *fi)
{
	return (struct inode *)(uintptr_t)fi->fh;
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree *tree = tree_of(req);
	struct inode *inode;
	int ret;

	if (is_virtual(ino)) {
		virtual_open(req, ino, fi);
		return;
	}
	/* A disc that a commit has closed: the kernel still takes the mount for writable, and would collect
	 * what can't go anywhere. */
	if (tree->read_only && (fi->flags & O_ACCMODE) != O_RDONLY) {
		reply_err(req, -EROFS);
		return;
	}
	ret = tree_get(tree, ino, &inode);
	if (ret == 0 && (fi->flags & O_TRUNC)) {
		ret = body_truncate(tree, inode, 0);
		parker_changed(mount_of(req), inode);
		if (ret == 0)
			ret = killpriv_by_change(req, inode);
		if (ret < 0)
			tree_put(tree, inode);
	}
	if (ret < 0) {
		reply_err(req, ret);
		return;
	}
	file_opened(fi, inode);
	if (fuse_reply_open(req, fi) == -ENOENT)
		file_closed(tree, fi);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (is_virtual(ino)) {
		virtual_release(req, ino, fi);
		return;
	}
	file_closed(tree_of(req), fi);
	reply_err(req, 0);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	if (is_virtual(ino) && !is_past(ino))
		virtual_read(req, size, offset, fi);
	else
		parker_read(mount_of(req), req, inode_of(fi), size, (uint64_t)offset);
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
	      struct fuse_file_info *fi)
{
	int (*write)(struct tree * tree, struct inode * inode, const void *data, size_t length,
		     uint64_t offset);
	int ret;

	if (is_virtual(ino)) {
		virtual_write(req, ino, data, size);
		return;
	}
	body_make_room(tree_of(req), size);
	write = fi->writepage ? body_write_late : body_write;
	ret = write(tree_of(req), inode_of(fi), data, size, (uint64_t)offset);
	if (ret == 0 && !fi->writepage)
		ret = killpriv_by_change(req, inode_of(fi));
	if (ret < 0) {
		stale_add(mount_of(req), ino);
		reply_err(req, ret);
	} else {
		fuse_reply_write(req, size);
	}
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	reply_err(req, is_virtual(ino) ? 0 : tree_sync(tree_of(req)));
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		  struct fuse_file_info *fi)
{
	int ret = is_virtual(ino)
		      ? -EOPNOTSUPP
		      : body_allocate(tree_of(req), inode_of(fi), mode, (uint64_t)offset, (uint64_t)length);

	if (ret == 0)
		parker_changed(mount_of(req), inode_of(fi));
	reply_err(req, ret < 0 ? ret : killpriv_by_change(req, inode_of(fi)));
}

void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset, struct fuse_file_info *from_fi,
			fuse_ino_t to, off_t offset, struct fuse_file_info *to_fi, size_t length, int flags)
{
	int64_t copied = (is_virtual(from) && !is_past(from)) || is_virtual(to)
			     ? -EXDEV
			     : body_copy(tree_of(req), inode_of(from_fi), (uint64_t)from_offset,
					 inode_of(to_fi), (uint64_t)offset, min_u64(length, COPY_AT_ONCE));
	int ret = copied > 0 ? killpriv_by_change(req, inode_of(to_fi)) : 0;

	if (copied > 0)
		parker_changed(mount_of(req), inode_of(to_fi));
	if (copied < 0 && copied != -EXDEV && copied != -EINVAL)
		stale_add(mount_of(req), to);
	if (copied < 0 || ret < 0)
		reply_err(req, copied < 0 ? (int)copied : ret);
	else
		fuse_reply_write(req, (size_t)copied);
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
	bool dirty = !is_virtual(ino) && atomic_load(&inode_of(fi)->writers) > 0;
	int64_t at;

	if (dirty) {
		seeker_ask(mount_of(req), &(struct seek){ req, ino, inode_of(fi), (uint64_t)offset, whence });
		return;
	}
	at = is_virtual(ino) && !is_past(ino) ? -EINVAL : body_seek(inode_of(fi), (uint64_t)offset, whence);
	if (at < 0)
		reply_err(req, (int)at);
	else
		fuse_reply_lseek(req, at);
}
