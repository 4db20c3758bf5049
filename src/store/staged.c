/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/staged.h"

#include "model/xattr_set.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

const char *staged_name_bytes(const struct staged_names *names, const struct staged_name *name)
{
	return names->bytes.data + name->at;
}

void staged_names_clear(struct staged_names *names)
{
	vec_clear(&names->list);
	text_clear(&names->bytes);
}

static int keep_name(struct db *db, struct staged_names *names, uint64_t parent, const char *name,
		     size_t length, uint32_t upto)
{
	struct staged_name *staged = vec_push(&names->list);
	int ret;

	if (!staged)
		return -ENOMEM;
	*staged = (struct staged_name){ .parent = parent, .at = names->bytes.length, .length = length };
	text_add_bytes(&names->bytes, name, length);
	if (names->bytes.failed)
		return -ENOMEM;
	ret = rows_name_get(db, parent, name, length, 0, &staged->base, &staged->base_type);
	if (ret >= 0)
		ret = rows_name_get(db, parent, name, length, upto, &staged->now, &staged->now_type);
	return ret < 0 ? ret : 0;
}

/* Rows of the same name in two generations are neighbours. */
static bool is_last(const struct staged_names *names, uint64_t parent, const char *name, size_t length)
{
	const struct staged_name *last = names->list.count ? &names->list.items[names->list.count - 1] : NULL;

	return last && last->parent == parent && last->length == length &&
	       memcmp(staged_name_bytes(names, last), name, length) == 0;
}

int staged_names_collect(struct tree *tree, uint32_t upto, struct staged_names *ret)
{
	sqlite3_stmt *stmt = db_query(&tree->db, QUERY_NAMES_STAGED);
	int err = 0, step = 0;

	while (err == 0 && (step = db_step(&tree->db, stmt)) > 0) {
		uint64_t parent = (uint64_t)sqlite3_column_int64(stmt, 0);
		const char *name = sqlite3_column_blob(stmt, 1);
		size_t length = (size_t)sqlite3_column_bytes(stmt, 1);

		if (length && !is_last(ret, parent, name, length))
			err = keep_name(&tree->db, ret, parent, name, length, upto);
	}
	if (stmt)
		sqlite3_reset(stmt);
	return err ? err : step;
}

/* What was refused is a change too: somebody has to say what becomes of it. */
static bool same_content(const struct node *a, const struct node *b)
{
	return a->attr.size == b->attr.size && extent_map_equal(&a->map, &b->map) &&
	       a->lost.count == b->lost.count;
}

bool staged_is_modified(const struct node *base, const struct node *now)
{
	const struct node_attr *a = &base->attr, *b = &now->attr;

	if (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid ||
	    !xattr_set_equal(&base->xattrs, &now->xattrs))
		return true;
	return !S_ISDIR(b->mode) &&
	       (node_time_on_disc(a->mtime_ns) != node_time_on_disc(b->mtime_ns) || !same_content(base, now));
}
