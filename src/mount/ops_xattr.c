/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/ops.h"

#include "model/acl.h"
#include "model/xattr_set.h"
#include "mount/killpriv.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

static bool is_control_name(const char *name)
{
	return strncmp(name, CONTROL_XATTR_PREFIX, strlen(CONTROL_XATTR_PREFIX)) == 0;
}

/* The two-step protocol: size 0 asks for the length. */
static void reply_value(fuse_req_t req, const void *value, size_t length, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, length);
	else if (length > size)
		reply_err(req, -ERANGE);
	else
		fuse_reply_buf(req, value, length);
}

static void set_control(fuse_req_t req, fuse_ino_t ino, const struct control_xattr *xattr, const char *value,
			size_t size)
{
	if (!xattr || !xattr->set)
		reply_err(req, -EPERM);
	else if (!may_control(req))
		reply_err(req, -EACCES);
	else
		reply_err(req, xattr->set(&mount_of(req)->control, ino, value, size));
}

/* Who sets an ACL without belonging to the file's group takes setgid away, as by chmod. */
static bool drops_setgid(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct node_attr attr;

	return strcmp(name, ACL_ACCESS) == 0 && tree_attr(tree_of(req), ino, &attr) == 0 &&
	       killpriv_stranger(req, &attr);
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	int how =
	    (flags & XATTR_CREATE ? TREE_XATTR_CREATE : 0) | (flags & XATTR_REPLACE ? TREE_XATTR_REPLACE : 0);

	if (is_control_name(name))
		set_control(req, ino, control_xattr_find(name, ino), value, size);
	else if (is_virtual(ino))
		reply_err(req, is_past(ino) ? -EROFS : -EPERM);
	else
		reply_err(req,
			  tree_xattr_set(tree_of(req), ino, name, value, size,
					 how | (drops_setgid(req, ino, name) ? TREE_XATTR_DROP_SETGID : 0)));
}

static void get_control(fuse_req_t req, fuse_ino_t ino, const struct control_xattr *xattr, size_t size)
{
	struct text text AUTO_TEXT = { 0 };
	int ret = -ENODATA;

	/* What is told of the whole mount has names in it that others may not see, as .discfs has. */
	if (xattr && xattr->root_only && !may_control(req))
		ret = -EACCES;
	else if (xattr && xattr->get)
		ret = xattr->get(&mount_of(req)->control, ino, &text);
	if (ret < 0)
		reply_err(req, ret);
	else
		reply_value(req, text.data ? text.data : "", text.length, size);
}

static int all_xattrs(fuse_req_t req, fuse_ino_t ino, struct blob *ret)
{
	struct view view;
	int err = view_open(req, ino, &view);

	if (err == 0 && view.tree)
		err = tree_xattrs(view.tree, view.ino, ret);
	view_close(&view);
	return err;
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct xattr_view view;
	int ret;

	if (is_virtual(ino) && (!is_past(ino) || is_control_name(name))) {
		reply_err(req, -ENODATA);
		return;
	}
	if (is_control_name(name)) {
		get_control(req, ino, control_xattr_find(name, ino), size);
		return;
	}
	ret = xattr_name_check(name);
	if (ret == 0)
		ret = all_xattrs(req, ino, &set);
	if (ret == 0 && !xattr_set_find(&set, name, &view))
		ret = -ENODATA;
	if (ret < 0)
		reply_err(req, ret);
	else
		reply_value(req, view.value, view.value_length, size);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct text names AUTO_TEXT = { 0 };
	struct xattr_view view;
	size_t at = 0;
	int ret = all_xattrs(req, ino, &set);

	if (ret < 0) {
		reply_err(req, ret);
		return;
	}
	while (xattr_set_next(&set, &at, &view)) {
		if (fuse_req_ctx(req)->uid != 0 && strncmp(view.name, "trusted.", strlen("trusted.")) == 0)
			continue; /* xattr(7): invisible to others */
		text_add_bytes(&names, view.name, view.name_length);
		text_add_bytes(&names, "", 1);
	}
	reply_value(req, names.data ? names.data : "", names.length, size);
}

static void remove_control(fuse_req_t req, fuse_ino_t ino, const struct control_xattr *xattr)
{
	if (may_control(req))
		reply_err(req, xattr->remove(&mount_of(req)->control, ino));
	else
		reply_err(req, -EACCES);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	const struct control_xattr *xattr = is_control_name(name) ? control_xattr_find(name, ino) : NULL;

	if (xattr && xattr->remove && !is_virtual(ino))
		remove_control(req, ino, xattr);
	else if (is_control_name(name) || is_virtual(ino))
		reply_err(req, is_past(ino) ? -EROFS : is_virtual(ino) ? -EPERM : -ENODATA);
	else
		reply_err(req, tree_xattr_remove(tree_of(req), ino, name));
}
