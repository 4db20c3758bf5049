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
/* Adds one. 0 or -ENOMEM. */
int links_note(struct links *links, uint64_t parent, const char *name, size_t length);
/* The same, as rows_names_of calls it. */
int links_keep(void *self, uint64_t parent, const char *name, size_t length);
/* Adds every name that the mount shows of a node. Takes the tree's lock. 0 or -errno. */
int links_add(struct links *links, struct tree *tree, uint64_t ino);
static inline const char *link_name_bytes(const struct links *links, const struct link_name *name)
{
	return links->bytes.data + name->at;
}
