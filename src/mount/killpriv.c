/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/killpriv.h"

#include <errno.h>
#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#define GROUPS_AT_ONCE 256

/* A kernel that doesn't know the flag ignores it. */
void killpriv_promise(const struct iovec *iov, int count)
{
	if (count == 2 && iov[1].iov_len >= offsetof(struct fuse_init_out, flags) + sizeof(uint32_t))
		((struct fuse_init_out *)iov[1].iov_base)->flags |= FUSE_HANDLE_KILLPRIV_V2;
}

/* Root belongs to all. */
static bool in_group(fuse_req_t req, gid_t gid)
{
	const struct fuse_ctx *caller = fuse_req_ctx(req);
	gid_t groups[GROUPS_AT_ONCE];
	int count;

	if (caller->uid == 0 || caller->gid == gid)
		return true;
	count = fuse_req_getgroups(req, GROUPS_AT_ONCE, groups);
	for (int i = 0; i < count && i < GROUPS_AT_ONCE; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* Asking for groups reads /proc: so only where it matters. */
bool killpriv_stranger(fuse_req_t req, const struct node_attr *attr)
{
	return (attr->mode & S_ISGID) && !in_group(req, attr->gid);
}

int killpriv_by_change(fuse_req_t req, struct inode *inode)
{
	bool user = fuse_req_ctx(req)->uid != 0;
	struct node_attr attr;
	int ret;

	{
		WITH_LOCK(&inode->lock);
		attr = inode->node.attr;
	}
	ret = tree_drop_privileges(tree_of(req), inode, user, !user || !killpriv_stranger(req, &attr));
	/* Or the kernel would go on executing the file by the mode that it remembers (offset -1: forget the
	 * attributes only). */
	if (ret > 0)
		fuse_lowlevel_notify_inval_inode(mount_of(req)->session, attr.ino, -1, 0);
	return ret < 0 ? ret : 0;
}
