/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/xattrs.h"

#include <errno.h>
#include <string.h>

static int set_commit(struct control *control, uint64_t ino, const char *value, size_t length)
{
	struct commit_wish wish = { 0 };

	while (length && (value[length - 1] == '\n' || value[length - 1] == '\0'))
		length--;
	if (length >= sizeof wish.label || memchr(value, '\n', length) || memchr(value, '\0', length))
		return -EINVAL;
	memcpy(wish.label, value, length);
	return control_commit(control, &wish);
}

static int get_status(struct control *control, uint64_t ino, struct text *ret)
{
	return control_status_text(control, ret);
}

static int get_work(struct control *control, uint64_t ino, struct text *ret)
{
	return control_progress_text(control, ret);
}

/* "staged", "disc 1234" (the first sector), or "staged and disc" for a body of both. */
static int get_origin(struct control *control, uint64_t ino, struct text *ret)
{
	struct tree *tree = &control->disc->tree;
	struct inode *inode;
	int err = tree_get(tree, ino, &inode);

	if (err < 0)
		return err;
	{
		WITH_LOCK(&inode->lock);
		const struct extent_map *map = &inode->node.map;
		uint64_t spooled = extent_map_spooled(map);

		if (map->count && spooled == 0)
			text_add(ret, "disc %llu", (unsigned long long)(map->items[0].origin / SECTOR));
		else if (spooled && spooled < inode->node.attr.size)
			text_add(ret, "staged and disc");
		else
			text_add(ret, inode->gen || inode->dirty ? "staged" : "disc");
	}
	tree_put(tree, inode);
	return ret->failed ? -ENOMEM : 0;
}

static const struct control_xattr table[] = {
	{ "user.discfs.commit", true, NULL, set_commit, NULL },
	{ "user.discfs.status", true, get_status, NULL, NULL },
	{ "user.discfs.progress", true, get_work, NULL, NULL },
	{ "user.discfs.origin", false, get_origin, NULL, NULL },
	{ "user.discfs.boot", false, control_boot_get, control_boot_set, control_boot_remove },
};

const struct control_xattr *control_xattr_find(const char *name, uint64_t ino)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].name, name) == 0 && (!table[i].root_only || ino == ROOT_INO))
			return &table[i];
	return NULL;
}
