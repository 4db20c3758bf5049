/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of some nodes, gathered under the tree's lock and handed on without it. */
#pragma once

#include "base/text.h"
#include "base/vec.h"
#include "store/tree.h"

struct link_name {
	uint64_t parent;
	size_t at, length; /* in bytes */
};

struct links {
	VEC(struct link_name) list;
	struct text bytes;
};

void links_clear(struct links *links);
/* Adds every name that the mount shows of a node. Takes the tree's lock. 0 or -errno. */
int links_add(struct links *links, struct tree *tree, uint64_t ino);
static inline const char *link_name_bytes(const struct links *links, const struct link_name *name)
{
	return links->bytes.data + name->at;
}
