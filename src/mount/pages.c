/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/pages.h"

void pages_call_in(struct mount *mount, uint64_t ino)
{
	fuse_lowlevel_notify_inval_inode(mount->session, ino, 0, 0);
}

typedef VEC(uint64_t) ino_list;

static void collect(struct tree *tree, ino_list *ret)
{
	WITH_LOCK(&tree->lock);
	for (size_t i = 0; i < INODE_BUCKETS; i++)
		for (struct inode *inode = tree->cache.buckets[i]; inode; inode = inode->hash_next) {
			uint64_t *ino = atomic_load(&inode->writers) ? vec_push(ret) : NULL;

			if (ino)
				*ino = inode->node.attr.ino;
		}
}

bool pages_are_written(struct mount *mount)
{
	ino_list inos = { 0 };
	bool any;

	collect(&mount->disc.tree, &inos);
	any = inos.count > 0;
	vec_clear(&inos);
	return any;
}

void pages_call_in_all(struct mount *mount)
{
	ino_list inos = { 0 };

	collect(&mount->disc.tree, &inos);
	vec_each (&inos, ino)
		pages_call_in(mount, *ino);
	vec_clear(&inos);
}
