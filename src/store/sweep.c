/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/sweep.h"

#include "base/log.h"
#include "store/rows.h"

#include <errno.h>
#include <sys/stat.h>

typedef VEC(struct extent) extent_list;

struct sweep {
	extent_list used;
	uint64_t spool_size;
	uint64_t absent; /* nodes whose bytes the spool doesn't have */
};

static int collect(void *self, struct node *node, uint32_t gen)
{
	struct sweep *sweep = self;
	bool absent = false;

	for (size_t i = 0; i < node->map.count; i++) {
		const struct extent *extent = &node->map.items[i];
		struct extent *used;

		if (extent->kind != EXTENT_SPOOL)
			continue;
		used = vec_push(&sweep->used);
		if (!used)
			return -ENOMEM;
		*used = *extent;
		absent |= !range_within(extent->origin, extent->length, sweep->spool_size);
	}
	sweep->absent += absent;
	return 0;
}

static int sweep_collect(struct tree *tree, struct sweep *sweep)
{
	struct stat st;

	if (fstat(tree->spool.fd, &st) < 0)
		return -errno;
	sweep->spool_size = (uint64_t)st.st_size;
	WITH_LOCK(&tree->lock);
	return rows_node_staged(&tree->db, collect, sweep);
}

int sweep_spool(struct tree *tree)
{
	struct sweep sweep = { 0 };
	int ret = sweep_collect(tree, &sweep);

	if (ret == 0)
		ret = spool_adopt(&tree->spool, sweep.used.items, sweep.used.count);
	vec_clear(&sweep.used);
	return ret;
}

static int drop_orphans(struct tree *tree)
{
	int ret;

	WITH_LOCK(&tree->lock);
	ret = db_begin(&tree->db);
	if (ret == 0)
		ret = db_run(&tree->db, db_query(&tree->db, QUERY_ORPHANS_DELETE));
	if (ret == 0) /* nobody has them open any more */
		ret = db_run(&tree->db, db_query(&tree->db, QUERY_TOMBSTONES_EMPTY));
	return ret < 0 ? ret : db_commit(&tree->db);
}

int sweep_at_start(struct tree *tree, struct reason *why)
{
	struct sweep sweep = { 0 };
	int ret = drop_orphans(tree);

	if (ret == 0)
		ret = sweep_collect(tree, &sweep);
	if (ret == 0 && sweep.absent)
		log_error("%llu staged files lost content that the spool doesn't hold any more: they read as "
			  "zeroes "
			  "there",
			  (unsigned long long)sweep.absent);
	if (ret == 0)
		ret = spool_adopt(&tree->spool, sweep.used.items, sweep.used.count);
	vec_clear(&sweep.used);
	if (ret == 0)
		ret = tree_recount(tree);
	return ret < 0 ? reason_set(why, -ret, "the staged work in %s can't be read", tree->db.path) : 0;
}
