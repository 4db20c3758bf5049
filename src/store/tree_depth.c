/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/rows.h"
#include "store/tree.h"

#include <dirent.h>
#include <errno.h>

struct below {
	uint64_t ino;
	unsigned depth; /* names in its path */
};

typedef VEC(struct below) below_list;

static void below_clear(below_list *list)
{
	vec_clear(list);
}

static int depth_of(struct tree *tree, uint64_t ino, unsigned *ret)
{
	unsigned depth = 0;

	for (; ino != ROOT_INO; depth++) {
		struct inode *inode;
		int err = depth > TREE_LOOP_DEPTH ? -ELOOP : tree_get_locked(tree, ino, &inode);

		if (err < 0)
			return err;
		ino = inode->node.parent;
		inode_cache_put(&tree->cache, inode);
	}
	*ret = depth;
	return 0;
}

struct listing {
	below_list *list;
	unsigned depth;
};

static int keep_dir(void *self, const char *name, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	const struct listing *listing = self;
	struct below *below = type == DT_DIR ? vec_push(listing->list) : NULL;

	if (below)
		*below = (struct below){ ino, listing->depth };
	return type == DT_DIR && !below ? -ENOMEM : 0;
}

/* Directories that hold no others needn't be listed: mostly that's all there are. */
static int check_all(struct tree *tree, below_list *list)
{
	while (list->count) {
		struct below dir = list->items[--list->count];
		struct listing listing = { list, dir.depth + 1 };
		struct node_attr attr;
		int ret =
		    dir.depth < TREE_DEPTH_LIMIT ? tree_attrs_next(tree, dir.ino, &attr) : -ENAMETOOLONG;

		if (ret == 0 && attr.nlink > 2)
			ret = rows_name_list(&tree->db, dir.ino, GEN_NEWEST, keep_dir, &listing);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int tree_check_depth(struct tree *tree, uint64_t parent, const struct inode *moved)
{
	below_list list CLEANUP(below_clear) = { 0 };
	struct below *first;
	unsigned depth, before = 0;
	int ret = depth_of(tree, parent, &depth);

	if (ret == 0 && moved)
		ret = depth_of(tree, moved->node.parent, &before);
	if (ret < 0 || (moved && depth <= before))
		return ret;
	if (!moved)
		return depth + 1 < TREE_DEPTH_LIMIT ? 0 : -ENAMETOOLONG;
	first = vec_push(&list);
	if (!first)
		return -ENOMEM;
	*first = (struct below){ moved->node.attr.ino, depth + 1 };
	return check_all(tree, &list);
}
