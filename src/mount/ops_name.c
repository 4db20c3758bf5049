/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/ops.h"

#include "mount/stale.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The virtual directory's name can't be made, moved or removed; nor anything below it. */
static bool is_reserved(fuse_ino_t parent, const char *name)
{
	return is_virtual(parent) || (parent == ROOT_INO && strcmp(name, CONTROL_DIR) == 0);
}

/* Sessions are what a disc has recorded. */
static int refused(fuse_ino_t ino, int err)
{
	return ino == SESSIONS_INO || is_past(ino) ? -EROFS : err;
}

/* "." and ".." are asked for by inode number only: by file handles, and so by NFS. */
static int look_up(struct tree *tree, uint64_t parent, const char *name, struct node_attr *ret)
{
	uint64_t up;
	int err;

	if (strcmp(name, ".") == 0) {
		err = tree_attr(tree, parent, ret);
		return err == 0 && ret->nlink == 0 ? -ENOENT : err;
	}
	if (strcmp(name, "..") != 0)
		return tree_lookup(tree, parent, name, strlen(name), ret);
	err = tree_parent(tree, parent, &up);
	return err < 0 ? err : tree_attr(tree, up, ret);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param none = { .entry_timeout = ATTR_TIMEOUT };
	struct node_attr attr;
	int ret;

	if (is_reserved(parent, name) && virtual_lookup(req, parent, name))
		return;
	ret = is_virtual(parent) ? -ENOENT : look_up(tree_of(req), parent, name, &attr);
	if (ret == -ENOENT && strlen(name) > NAME_LIMIT)
		ret = -ENAMETOOLONG; /* FUSE itself takes names of up to 1024 bytes */
	if (ret == 0)
		reply_entry(req, &attr);
	else if (ret == -ENOENT && !is_virtual(parent))
		fuse_reply_entry(req, &none); /* the kernel may remember that there's nothing */
	else
		reply_err(req, ret);
}

static void forget(fuse_req_t req, fuse_ino_t ino)
{
	if (is_virtual(ino))
		return;
	stale_forget(mount_of(req), ino);
	tree_forget(tree_of(req), ino);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	forget(req, ino);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(req, forgets[i].ino);
	fuse_reply_none(req);
}

/* Makes a node as the caller's own. The mode has been through the umask only where no default ACL rules. */
static int make(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev,
		const char *target, struct node_attr *ret, struct inode **ret_inode)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	struct tree_new new = {
		.mode = mode,
		.umask = S_ISLNK(mode) ? 0 : caller->umask,
		.uid = caller->uid,
		.gid = caller->gid,
		.rdev = rdev,
		.target = target,
		.target_length = target ? strlen(target) : 0,
	};

	if (is_reserved(parent, name))
		return is_virtual(parent) ? refused(parent, -EACCES) : -EEXIST;
	return tree_create(tree_of(req), parent, name, strlen(name), &new, ret, ret_inode);
}

static void make_and_reply(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev,
			   const char *target)
{
	struct node_attr attr;
	int ret = make(req, parent, name, mode, rdev, target, &attr, NULL);

	if (ret < 0)
		reply_err(req, ret);
	else
		reply_entry(req, &attr);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	make_and_reply(req, parent, name, mode, rdev, NULL);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	make_and_reply(req, parent, name, (mode & 07777) | S_IFDIR, 0, NULL);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	make_and_reply(req, parent, name, S_IFLNK | 0777, 0, target);
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct fuse_entry_param entry;
	struct node_attr attr;
	struct inode *inode;
	int ret = make(req, parent, name, (mode & 07777) | S_IFREG, 0, NULL, &attr, &inode);

	if (ret < 0) {
		reply_err(req, ret);
		return;
	}
	file_opened(fi, inode);
	{
		WITH_LOCK(&inode->lock);
		attr = inode_attr(inode);
	}
	entry_fill(&entry, &attr);
	entry.attr_timeout = attr_timeout(tree_of(req), &attr);
	if (fuse_reply_create(req, &entry, fi) == -ENOENT)
		file_closed(tree_of(req), fi); /* the caller was interrupted: no release will come */
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct node_attr attr;
	int ret = is_virtual(ino) || is_reserved(parent, name)
		      ? refused(ino, refused(parent, -EPERM))
		      : tree_link(tree_of(req), ino, parent, name, strlen(name), &attr);

	if (ret < 0)
		reply_err(req, ret);
	else
		reply_entry(req, &attr);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	reply_err(req, is_reserved(parent, name) ? refused(parent, -EPERM)
						 : tree_unlink(tree_of(req), parent, name, strlen(name)));
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	reply_err(req, is_reserved(parent, name) ? refused(parent, -EPERM)
						 : tree_rmdir(tree_of(req), parent, name, strlen(name)));
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned flags)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);

	if (is_reserved(parent, name) || is_reserved(new_parent, new_name))
		reply_err(req, refused(parent, refused(new_parent, -EPERM)));
	else if ((flags & ~(unsigned)RENAME_NOREPLACE) == RENAME_WHITEOUT) /* the kernel sees what is there */
		reply_err(req, tree_rename_whiteout(tree_of(req), parent, name, strlen(name), new_parent,
						    new_name, strlen(new_name), caller->uid, caller->gid));
	else
		reply_err(req, tree_rename(tree_of(req), parent, name, strlen(name), new_parent, new_name,
					   strlen(new_name), flags));
}
