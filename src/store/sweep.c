/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/sweep.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "store/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_ID 64 /* bytes, more than it has */

typedef VEC(struct extent) extent_list;

struct sweep {
	extent_list used;
	const struct spool *spool;
	uint64_t end;	    /* of the spool's file */
	bool rebooted;	    /* since the last look: there may be gaps */
	VEC(uint64_t) lost; /* nodes some of whose bytes the spool doesn't have */
};

static bool is_there(const struct sweep *sweep, const struct extent *extent)
{
	uint64_t at, length;

	return range_within(extent->origin, extent->length, sweep->end) &&
	       (!sweep->rebooted ||
		!spool_find_gap(sweep->spool, extent->origin, extent->length, &at, &length));
}

static int collect(void *self, struct node *node, uint32_t gen)
{
	struct sweep *sweep = self;
	bool whole = true;
	uint64_t *lost;

	for (size_t i = 0; i < node->map.count; i++) {
		struct extent *used;

		if (node->map.items[i].kind != EXTENT_SPOOL)
			continue;
		used = vec_push(&sweep->used);
		if (!used)
			return -ENOMEM;
		*used = node->map.items[i];
		whole = whole && is_there(sweep, used);
	}
	if (whole || node->attr.nlink == 0)
		return 0;
	lost = vec_push(&sweep->lost);
	if (!lost)
		return -ENOMEM;
	*lost = node->attr.ino;
	return 0;
}

static void sweep_clear(struct sweep *sweep)
{
	vec_clear(&sweep->used);
	vec_clear(&sweep->lost);
}

static int sweep_collect(struct tree *tree, struct sweep *sweep)
{
	struct stat st;

	if (fstat(tree->spool.fd, &st) < 0)
		return -errno;
	sweep->spool = &tree->spool;
	sweep->end = (uint64_t)st.st_size;
	WITH_LOCK(&tree->lock);
	return rows_node_staged(&tree->db, collect, sweep);
}

int sweep_spool(struct tree *tree, bool punch)
{
	struct sweep sweep CLEANUP(sweep_clear) = { 0 };
	int ret = sweep_collect(tree, &sweep);

	if (ret == 0)
		ret = spool_adopt(&tree->spool, sweep.used.items, sweep.used.count, punch);
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

/* Makes holes of what the spool doesn't hold, so that nothing points at absent bytes. Returns how many bytes.
 */
static int64_t punch_gaps(const struct spool *spool, struct node *node)
{
	CLEANUP(extent_map_clear) struct extent_map before = { 0 };
	uint64_t sum = 0;
	int ret = extent_map_copy(&node->map, &before);

	for (size_t i = 0; ret == 0 && i < before.count; i++) {
		const struct extent *extent = &before.items[i];
		uint64_t done = 0, at, length;

		while (ret == 0 && extent->kind == EXTENT_SPOOL && done < extent->length &&
		       spool_find_gap(spool, extent->origin + done, extent->length - done, &at, &length)) {
			done = at - extent->origin;
			ret = extent_map_punch(&node->map, extent->offset + done, length);
			done += length;
			sum += length;
		}
	}
	return ret < 0 ? ret : (int64_t)sum;
}

static int repair_node(struct tree *tree, uint64_t ino)
{
	struct node node CLEANUP(node_clear) = { 0 };
	struct text path AUTO_TEXT = { 0 };
	struct text shown AUTO_TEXT = { 0 };
	uint32_t gen = 0;
	int64_t lost;
	int ret = rows_node_get(&tree->db, ino, GEN_NEWEST, &node, &gen);

	if (ret <= 0)
		return ret;
	lost = punch_gaps(&tree->spool, &node);
	ret = lost < 0 ? (int)lost : rows_node_put(&tree->db, &node, gen);
	if (ret == 0 && rows_path(&tree->db, ino, GEN_NEWEST, &path) == 0)
		text_add_escaped(&shown, path.data ? path.data : "", path.length);
	if (ret == 0)
		log_error("/%s lost %lld bytes of its staged content: the spool doesn't hold them, as after "
			  "a power "
			  "cut. They read as zeroes now",
			  shown.data ? shown.data : "", (long long)lost);
	return ret;
}

static int repair(struct tree *tree, struct sweep *sweep)
{
	int ret;

	WITH_LOCK(&tree->lock);
	ret = db_begin(&tree->db);
	vec_each (&sweep->lost, ino)
		if (ret == 0)
			ret = repair_node(tree, *ino);
	return ret < 0 ? ret : tree_flush_locked(tree);
}

/* The system's boot, as it was when somebody mounted this disc last: what was written since then is in the
 * page cache, if not on the disk. */
static int same_boot(struct tree *tree, bool *ret)
{
	struct blob known CLEANUP(blob_clear) = { 0 };
	char now[BOOT_ID] = { 0 };
	int fd AUTO_CLOSE = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, now, sizeof now);
	int err;

	WITH_LOCK(&tree->lock);
	err = db_meta_blob(&tree->db, "boot", &known);
	*ret = length > 0 && known.length == (size_t)length && memcmp(known.data, now, known.length) == 0;
	if (err < 0 || *ret || length <= 0)
		return err < 0 ? err : 0;
	err = db_begin(&tree->db);
	return err < 0 ? err : db_meta_put_blob(&tree->db, "boot", now, (size_t)length);
}

/* What is staged, and whether all of it is there. */
static int look(struct tree *tree, struct sweep *sweep)
{
	bool same = false;
	int ret = same_boot(tree, &same);

	sweep->rebooted = !same;
	if (ret == 0)
		ret = sweep_collect(tree, sweep);
	return ret;
}

int sweep_at_start(struct tree *tree, struct reason *why)
{
	struct sweep sweep CLEANUP(sweep_clear) = { 0 };
	int ret = drop_orphans(tree);

	if (ret == 0)
		ret = look(tree, &sweep);
	if (ret == 0)
		ret = repair(tree, &sweep);
	if (ret < 0) { /* or the next mount wouldn't look for gaps */
		WITH_LOCK(&tree->lock);
		db_rollback(&tree->db);
	}
	if (ret == 0)
		ret = spool_adopt(&tree->spool, sweep.used.items, sweep.used.count, true);
	if (ret == 0)
		ret = tree_recount(tree);
	return ret < 0 ? reason_set(why, -ret, "the staged work in %s can't be read", tree->db.path) : 0;
}
