/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/links.h"

#include "store/rows.h"

#include <errno.h>

void links_clear(struct links *links)
{
	vec_clear(&links->list);
	text_clear(&links->bytes);
}

int links_note(struct links *links, uint64_t parent, const char *name, size_t length)
{
	struct link_name *kept = vec_push(&links->list);

	if (!kept)
		return -ENOMEM;
	*kept = (struct link_name){ parent, links->bytes.length, length };
	text_add_bytes(&links->bytes, name, length);
	return links->bytes.failed ? -ENOMEM : 0;
}

int links_keep(void *self, uint64_t parent, const char *name, size_t length)
{
	return links_note(self, parent, name, length);
}

int links_add(struct links *links, struct tree *tree, uint64_t ino)
{
	WITH_LOCK(&tree->lock);
	return rows_names_of(&tree->db, ino, GEN_NEWEST, links_keep, links);
}
