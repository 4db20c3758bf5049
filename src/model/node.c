/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/node.h"

#include <errno.h>

void node_clear(struct node *node)
{
	blob_clear(&node->target);
	blob_clear(&node->xattrs);
	blob_clear(&node->zf);
	blob_clear(&node->md5);
	extent_map_clear(&node->map);
	*node = (struct node){ 0 };
}

int node_copy(const struct node *node, struct node *ret)
{
	struct node copy = { .attr = node->attr, .parent = node->parent };

	if (blob_set(&copy.target, node->target.data, node->target.length) < 0 ||
	    blob_set(&copy.xattrs, node->xattrs.data, node->xattrs.length) < 0 ||
	    blob_set(&copy.zf, node->zf.data, node->zf.length) < 0 ||
	    blob_set(&copy.md5, node->md5.data, node->md5.length) < 0 ||
	    extent_map_copy(&node->map, &copy.map) < 0) {
		node_clear(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}
