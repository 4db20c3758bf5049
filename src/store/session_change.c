/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/session_change.h"

#include "store/changes.h"
#include "store/names.h"
#include "store/staged.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* ---- bytes ---- */

/* Pieces of bodies within the session, each counted once however many files have it. */
struct pieces {
	VEC(struct extent) list;
	uint64_t from, to; /* bytes of the medium */
};

static int add_pieces(struct pieces *pieces, const struct extent_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct extent *extent = &map->items[i];
		struct extent *kept;

		if (extent->kind != EXTENT_DISC || extent->origin < pieces->from ||
		    extent->origin >= pieces->to)
			continue;
		kept = vec_push(&pieces->list);
		if (!kept)
			return -ENOMEM;
		*kept = *extent;
	}
	return 0;
}

static int add_body(void *self, uint64_t ino, uint64_t size, const struct extent_map *map)
{
	return add_pieces(self, map);
}

static int add_landed(struct pieces *pieces, struct db *db)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_LANDED_MAPS);
	int ret = 0, step = 0;

	while (ret == 0 && (step = db_step(db, stmt)) > 0) {
		struct extent_map map = { 0 };

		ret = extent_map_unpack(sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0),
					&map);
		if (ret == 0)
			ret = add_pieces(pieces, &map);
		extent_map_clear(&map);
	}
	if (stmt)
		sqlite3_reset(stmt);
	return ret < 0 ? ret : step;
}

static int by_origin(const void *a, const void *b)
{
	const struct extent *left = a, *right = b;

	return (left->origin > right->origin) - (left->origin < right->origin);
}

static uint64_t sum_pieces(struct pieces *pieces)
{
	uint64_t sum = 0, end = 0;

	if (pieces->list.count)
		qsort(pieces->list.items, pieces->list.count, sizeof *pieces->list.items, by_origin);
	vec_each (&pieces->list, piece) {
		uint64_t from = max_u64(piece->origin, end);

		end = max_u64(end, piece->origin + piece->length);
		sum += end - min_u64(from, end);
	}
	vec_clear(&pieces->list);
	return sum;
}

static struct pieces pieces_of(uint64_t start, uint64_t sectors)
{
	return (struct pieces){ .from = start * SECTOR, .to = (start + sectors) * SECTOR };
}

int session_change_frozen(struct tree *tree, uint32_t gen, uint64_t start, uint64_t sectors,
			  struct session_change *ret)
{
	struct pieces pieces = pieces_of(start, sectors);
	int err = changes_count_upto(tree, gen, &ret->paths);

	if (err == 0) {
		WITH_LOCK(&tree->lock);
		err = add_landed(&pieces, &tree->db);
	}
	ret->bytes = sum_pieces(&pieces);
	return err;
}

/* ---- two trees ---- */

struct comparison {
	struct db *before, *after;
	struct changes_count count;
};

/* Everything below a directory that only one of them has. */
static int count_below(struct db *db, uint64_t dir, uint64_t *count)
{
	struct names names CLEANUP(names_clear) = { 0 };
	int ret = names_take(&names, db, dir, 0);

	vec_each (&names.list, name) {
		++*count;
		if (ret == 0 && name->type == DT_DIR)
			ret = count_below(db, name->ino, count);
	}
	return ret;
}

static int count_one(struct db *db, const struct name *name, uint64_t *count)
{
	++*count;
	return name->type == DT_DIR ? count_below(db, name->ino, count) : 0;
}

static int compare_dirs(struct comparison *comparison, uint64_t before, uint64_t after);

static int compare_nodes(struct comparison *comparison, uint64_t before, uint64_t after)
{
	struct node old CLEANUP(node_clear) = { 0 }, new CLEANUP(node_clear) = { 0 };
	uint32_t gen;
	int ret = rows_node_get(comparison->before, before, 0, &old, &gen);

	if (ret > 0)
		ret = rows_node_get(comparison->after, after, 0, &new, &gen);
	if (ret <= 0)
		return ret < 0 ? ret : -EUCLEAN;
	comparison->count.modified += staged_is_modified(&old, &new);
	return 0;
}

static int compare_name(struct comparison *comparison, const struct name *before, const struct name *after)
{
	bool old_dir = before->type == DT_DIR, new_dir = after->type == DT_DIR;
	int ret = 0;

	if (old_dir != new_dir) {
		comparison->count.modified++;
		if (old_dir)
			ret = count_below(comparison->before, before->ino, &comparison->count.deleted);
		return ret < 0 || !new_dir
			   ? ret
			   : count_below(comparison->after, after->ino, &comparison->count.added);
	}
	ret = compare_nodes(comparison, before->ino, after->ino);
	return ret < 0 || !new_dir ? ret : compare_dirs(comparison, before->ino, after->ino);
}

static int order_of(const struct names *before, const struct name *old, const struct names *after,
		    const struct name *new)
{
	int order =
	    memcmp(name_bytes(before, old), name_bytes(after, new), min_u64(old->length, new->length));

	return order ? order : (old->length > new->length) - (old->length < new->length);
}

/* Both lists are in byte order. */
static int compare_dirs(struct comparison *comparison, uint64_t before, uint64_t after)
{
	struct names old CLEANUP(names_clear) = { 0 }, new CLEANUP(names_clear) = { 0 };
	size_t i = 0, j = 0;
	int ret = names_take(&old, comparison->before, before, 0);

	if (ret == 0)
		ret = names_take(&new, comparison->after, after, 0);
	while (ret == 0 && (i < old.list.count || j < new.list.count)) {
		const struct name *was = &old.list.items[i], *is = &new.list.items[j];
		int order = i == old.list.count	  ? 1
			    : j == new.list.count ? -1
						  : order_of(&old, was, &new, is);

		if (order == 0)
			ret = compare_name(comparison, was, is);
		else
			ret = order < 0 ? count_one(comparison->before, was, &comparison->count.deleted)
					: count_one(comparison->after, is, &comparison->count.added);
		i += order <= 0;
		j += order >= 0;
	}
	return ret;
}

/* The trees never change: their locks guard the connections only. */
static int compare(struct tree *before, struct tree *after, struct changes_count *ret)
{
	struct comparison comparison = { .before = &before->db, .after = &after->db };
	int err;

	WITH_LOCK(&before->lock);
	WITH_LOCK(&after->lock);
	err = compare_nodes(&comparison, ROOT_INO, ROOT_INO);
	if (err == 0)
		err = compare_dirs(&comparison, ROOT_INO, ROOT_INO);
	*ret = comparison.count;
	return err;
}

int session_change_compare(struct tree *before, struct tree *after, uint64_t start, uint64_t sectors,
			   struct session_change *ret)
{
	struct pieces pieces = pieces_of(start, sectors);
	int err;

	*ret = (struct session_change){ 0 };
	if (before) {
		err = compare(before, after, &ret->paths);
	} else {
		WITH_LOCK(&after->lock);
		err = count_below(&after->db, ROOT_INO, &ret->paths.added);
	}
	if (err == 0) {
		WITH_LOCK(&after->lock);
		err = rows_bodies(&after->db, 0, INT64_MAX, 0, add_body, &pieces);
	}
	ret->bytes = sum_pieces(&pieces);
	return err;
}

/* ---- rows ---- */

int session_change_put(struct db *db, uint64_t start, const struct session_change *change)
{
	const uint64_t numbers[] = { start,
				     change->paths.added,
				     change->paths.modified,
				     change->paths.deleted,
				     change->paths.renamed,
				     change->bytes };
	sqlite3_stmt *stmt = db_query(db, QUERY_CHANGE_PUT);

	if (!stmt)
		return -EIO;
	for (int i = 0; i < (int)(sizeof numbers / sizeof *numbers); i++)
		sqlite3_bind_int64(stmt, i + 1, (int64_t)numbers[i]);
	return db_run(db, stmt);
}

int session_change_get(struct db *db, uint64_t start, struct session_change *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_CHANGE_GET);
	int found;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)start);
	found = db_step(db, stmt);
	if (found > 0)
		*ret = (struct session_change){ { (uint64_t)sqlite3_column_int64(stmt, 0),
						  (uint64_t)sqlite3_column_int64(stmt, 1),
						  (uint64_t)sqlite3_column_int64(stmt, 2),
						  (uint64_t)sqlite3_column_int64(stmt, 3), 0, 0 },
						(uint64_t)sqlite3_column_int64(stmt, 4) };
	sqlite3_reset(stmt);
	return found;
}
