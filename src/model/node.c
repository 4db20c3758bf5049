/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/node.h"

#include "model/udf_ident.h"

#include <errno.h>

#define EARLIEST (-2208988800ll) /* 1900-01-01 00:00:00 UTC */
#define LATEST	 5869583999ll	 /* 2155-12-31 23:59:59 UTC */

int64_t node_time_on_disc(int64_t ns)
{
	int64_t seconds = ns / NS_PER_SEC - (ns % NS_PER_SEC < 0);

	seconds = seconds < EARLIEST ? EARLIEST : seconds > LATEST ? LATEST : seconds;
	return seconds * NS_PER_SEC;
}

enum node_entry node_entry_of(const struct node *node)
{
	uint32_t mode = node->attr.mode;

	if (S_ISDIR(mode) ||
	    (S_ISLNK(mode) && !udf_target_fits((const char *)node->target.data, node->target.length)))
		return NODE_NO_ENTRY;
	return S_ISREG(mode) ? NODE_FILE : NODE_LINK;
}

void node_clear(struct node *node)
{
	blob_clear(&node->target);
	blob_clear(&node->xattrs);
	blob_clear(&node->zf);
	blob_clear(&node->md5);
	extent_map_clear(&node->map);
	extent_map_clear(&node->lost);
	*node = (struct node){ 0 };
}
