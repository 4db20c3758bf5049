/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/past.h"

#include "mount/librarian.h"
#include "mount/ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_LIMIT 4096u /* sessions: what a probe takes */

/* The kernel's numbers have room for every session that a probe tells of, and an import takes far fewer nodes
 * than PAST_BITS can tell apart (proc/import.c). */
_Static_assert(((uint64_t)NUMBER_LIMIT << PAST_BITS) < VIRTUAL_BASE, "sessions have room beside each other");
_Static_assert(SESSIONS_INO < VIRTUAL_BASE + (1ull << PAST_BITS), "the list comes before them");

static uint64_t base_of(uint32_t number)
{
	return VIRTUAL_BASE + ((uint64_t)number << PAST_BITS);
}

static uint32_t number_of(fuse_ino_t ino)
{
	return (uint32_t)((ino - VIRTUAL_BASE) >> PAST_BITS);
}

fuse_ino_t past_root(uint32_t number)
{
	return base_of(number) + ROOT_INO;
}

static struct view view_of(struct pasts *pasts, struct past *past, uint64_t ino)
{
	return (struct view){ .tree = &past->tree,
			      .past = past,
			      .pasts = pasts,
			      .base = base_of(past->session.number),
			      .ino = ino };
}

int view_open(fuse_req_t req, fuse_ino_t ino, struct view *ret)
{
	struct pasts *pasts = &mount_of(req)->pasts;
	struct reason unsaid = { 0 };
	struct past *past;
	int err;

	*ret = (struct view){ .ino = ino };
	if (!is_virtual(ino))
		ret->tree = tree_of(req);
	if (!is_past(ino))
		return 0;
	err = pasts_hold(pasts, number_of(ino), false, &past, &unsaid);
	if (err == 0)
		*ret = view_of(pasts, past, ino - base_of(number_of(ino)));
	return err;
}

void view_close(struct view *view)
{
	if (view->past)
		pasts_release(view->pasts, view->past);
	view->past = NULL;
}

void view_entry(const struct view *view, struct fuse_entry_param *entry, const struct node_attr *attr)
{
	entry_fill(entry, attr);
	entry->ino += view->base;
	entry->attr.st_ino = entry->ino;
}

static void reply_node(fuse_req_t req, const struct view *view, const struct node_attr *attr, bool as_entry)
{
	struct fuse_entry_param entry;

	view_entry(view, &entry, attr);
	if (as_entry)
		fuse_reply_entry(req, &entry);
	else
		fuse_reply_attr(req, &entry.attr, ATTR_TIMEOUT);
}

void past_reply_root(fuse_req_t req, struct past *past, bool entry)
{
	struct view view = view_of(NULL, past, ROOT_INO);
	struct node_attr attr;
	int err = tree_attr(view.tree, ROOT_INO, &attr);

	if (err < 0)
		reply_err(req, err);
	else
		reply_node(req, &view, &attr, entry);
}

/* Decimal, and no other way of writing it: each session has one name. */
static uint32_t parse_number(const char *name)
{
	size_t length = strlen(name);
	uint32_t number = 0;

	if (length == 0 || length > 4 || name[0] == '0' || strspn(name, "0123456789") != length)
		return 0;
	for (size_t i = 0; i < length; i++)
		number = number * 10 + (uint32_t)(name[i] - '0');
	return number;
}

static void look_up_session(fuse_req_t req, const char *name)
{
	uint32_t number = parse_number(name);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		virtual_reply(req, name[1] ? VIRTUAL_BASE : SESSIONS_INO);
	else if (number == 0 || number > pasts_count(&mount_of(req)->pasts))
		reply_err(req, -ENOENT);
	else
		librarian_ask(mount_of(req), &(struct request){ req, number, true });
}

static int look_up(const struct view *view, const char *name, struct node_attr *ret)
{
	uint64_t up = view->ino;
	int err = 0;

	if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		return tree_lookup(view->tree, view->ino, name, strlen(name), ret);
	if (name[1])
		err = tree_parent(view->tree, view->ino, &up);
	return err < 0 ? err : tree_attr(view->tree, up, ret);
}

void past_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param none = { .entry_timeout = ATTR_TIMEOUT };
	struct node_attr attr;
	struct view view;
	int err;

	if (parent == SESSIONS_INO) {
		look_up_session(req, name);
		return;
	}
	err = view_open(req, parent, &view);
	if (err == 0 && view.ino == ROOT_INO && strcmp(name, "..") == 0) {
		virtual_reply(req, SESSIONS_INO);
	} else {
		if (err == 0)
			err = look_up(&view, name, &attr);
		if (err == 0)
			reply_node(req, &view, &attr, true);
		else if (err == -ENOENT && strlen(name) <= NAME_LIMIT)
			fuse_reply_entry(req, &none);
		else
			reply_err(req, err == -ENOENT ? -ENAMETOOLONG : err);
	}
	view_close(&view);
}

void past_getattr(fuse_req_t req, fuse_ino_t ino)
{
	struct node_attr attr;
	struct view view;
	int err = view_open(req, ino, &view);

	if (err == -ESTALE && ino == past_root(number_of(ino))) {
		librarian_ask(mount_of(req), &(struct request){ req, number_of(ino), false });
		return;
	}
	if (err == 0)
		err = tree_attr(view.tree, view.ino, &attr);
	if (err < 0)
		reply_err(req, err);
	else
		reply_node(req, &view, &attr, false);
	view_close(&view);
}

/* An open file holds its session. */
void past_open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inode *inode;
	struct view view;
	int err = (fi->flags & O_ACCMODE) != O_RDONLY || (fi->flags & O_TRUNC) ? -EROFS : 0;

	if (err < 0) {
		reply_err(req, err);
		return;
	}
	err = view_open(req, ino, &view);
	if (err == 0)
		err = tree_get(view.tree, view.ino, &inode);
	if (err < 0) {
		view_close(&view);
		reply_err(req, err);
		return;
	}
	file_opened(fi, inode);
	if (fuse_reply_open(req, fi) == -ENOENT) { /* the caller was interrupted: no release will come */
		file_closed(view.tree, fi);
		view_close(&view);
	}
}

void past_release(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct past *past = pasts_held(&mount->pasts, number_of(ino));

	file_closed(&past->tree, fi);
	pasts_release(&mount->pasts, past);
	reply_err(req, 0);
}

int past_list(struct mount *mount, tree_entry_fn *entry, void *self)
{
	uint32_t count = pasts_count(&mount->pasts);
	int ret = 0;

	for (uint32_t number = 1; ret == 0 && number <= count; number++) {
		char name[16];
		int length = snprintf(name, sizeof name, "%" PRIu32, number);

		ret = entry(self, name, (size_t)length, number, DT_DIR);
	}
	return ret;
}
