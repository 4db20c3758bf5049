/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/rows.h"

#include "base/log.h"
#include "base/text.h"
#include "model/xattr_set.h"

#include <errno.h>
#include <string.h>

static sqlite3_stmt *name_query(struct db *db, enum query query, uint64_t parent, const char *name,
				size_t length)
{
	sqlite3_stmt *stmt = db_query(db, query);

	if (stmt) {
		sqlite3_bind_int64(stmt, 1, (int64_t)parent);
		sqlite3_bind_blob64(stmt, 2, name, length, SQLITE_STATIC);
	}
	return stmt;
}

int rows_name_get(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen,
		  uint64_t *ret_ino, uint32_t *ret_type)
{
	sqlite3_stmt *stmt =
	    name_query(db, gen == GEN_NEWEST ? QUERY_NAME_GET : QUERY_NAME_GET_UPTO, parent, name, length);
	int ret;

	if (stmt && gen != GEN_NEWEST)
		sqlite3_bind_int64(stmt, 3, gen);
	ret = db_step(db, stmt);
	if (ret > 0) {
		*ret_ino = (uint64_t)sqlite3_column_int64(stmt, 0);
		if (ret_type)
			*ret_type = (uint32_t)sqlite3_column_int(stmt, 1);
		ret = *ret_ino != 0;
	}
	sqlite3_reset(stmt);
	return ret;
}

int rows_name_put(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen, uint64_t ino,
		  uint32_t type)
{
	sqlite3_stmt *stmt = name_query(db, QUERY_NAME_PUT, parent, name, length);

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 3, gen);
	sqlite3_bind_int64(stmt, 4, (int64_t)ino);
	sqlite3_bind_int64(stmt, 5, type);
	return db_run(db, stmt);
}

int rows_name_delete(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen)
{
	sqlite3_stmt *stmt = name_query(db, QUERY_NAME_DELETE, parent, name, length);

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 3, gen);
	return db_run(db, stmt);
}

int rows_name_place(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen,
		    uint64_t *ret_ino, bool *ret_covers)
{
	sqlite3_stmt *stmt = name_query(db, QUERY_NAME_PLACE, parent, name, length);
	int found = db_step(db, stmt);
	bool own = found > 0 && sqlite3_column_int64(stmt, 1) == gen;

	*ret_ino = found > 0 ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
	if (own)
		found = db_step(db, stmt);
	*ret_covers = found > 0 && sqlite3_column_int64(stmt, 0) != 0;
	sqlite3_reset(stmt);
	return found < 0 ? found : *ret_ino != 0;
}

/* One name with its newest row so far, while rows of the same name go by. */
struct listing {
	uint8_t name[NAME_LIMIT];
	size_t length;
	uint64_t ino;
	uint32_t type;
	uint32_t gen;
};

static int listing_emit(const struct listing *last, rows_name_fn *entry, void *self)
{
	if (last->length == 0 || last->ino == 0)
		return 0;
	return entry(self, (const char *)last->name, last->length, last->ino, last->type, last->gen);
}

int rows_name_list(struct db *db, uint64_t parent, uint32_t gen, rows_name_fn *entry, void *self)
{
	sqlite3_stmt *stmt = db_query(db, gen == GEN_NEWEST ? QUERY_NAME_LIST : QUERY_NAME_LIST_UPTO);
	struct listing last = { .length = 0 };
	int ret, ended = 0;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)parent);
	if (gen != GEN_NEWEST)
		sqlite3_bind_int64(stmt, 2, gen);
	while ((ret = db_step(db, stmt)) > 0 && ended == 0) {
		const void *name = sqlite3_column_blob(stmt, 0);
		size_t length = (size_t)sqlite3_column_bytes(stmt, 0);

		if (length == 0 || length > NAME_LIMIT)
			continue;
		if (length != last.length || memcmp(name, last.name, length) != 0)
			ended = listing_emit(&last, entry, self);
		memcpy(last.name, name, length);
		last.length = length;
		last.ino = (uint64_t)sqlite3_column_int64(stmt, 1);
		last.type = (uint32_t)sqlite3_column_int(stmt, 2);
		last.gen = (uint32_t)sqlite3_column_int64(stmt, 3);
	}
	sqlite3_reset(stmt);
	if (ret < 0 || ended)
		return ret < 0 ? ret : ended;
	return listing_emit(&last, entry, self);
}

int rows_base_names(struct db *db, uint64_t ino, rows_place_fn *entry, void *self)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_NAMES_OF_BASE);
	int ret = 0, ended = 0;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	while (ended == 0 && (ret = db_step(db, stmt)) > 0)
		ended = entry(self, (uint64_t)sqlite3_column_int64(stmt, 0), sqlite3_column_blob(stmt, 1),
			      (size_t)sqlite3_column_bytes(stmt, 1));
	sqlite3_reset(stmt);
	return ended ? ended : ret;
}

int rows_has_child(struct db *db, uint64_t parent)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_NAME_CHILD);
	int ret;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)parent);
	ret = db_step(db, stmt);
	sqlite3_reset(stmt);
	return ret;
}

/* The columns mode to ctime, the first of them at column `at`. */
static struct node_attr attr_from_row(sqlite3_stmt *stmt, uint64_t ino, int at)
{
	return (struct node_attr){
		.ino = ino,
		.mode = (uint32_t)sqlite3_column_int64(stmt, at),
		.uid = (uint32_t)sqlite3_column_int64(stmt, at + 1),
		.gid = (uint32_t)sqlite3_column_int64(stmt, at + 2),
		.nlink = (uint32_t)sqlite3_column_int64(stmt, at + 3),
		.size = (uint64_t)sqlite3_column_int64(stmt, at + 4),
		.rdev = (uint64_t)sqlite3_column_int64(stmt, at + 5),
		.atime_ns = sqlite3_column_int64(stmt, at + 6),
		.mtime_ns = sqlite3_column_int64(stmt, at + 7),
		.ctime_ns = sqlite3_column_int64(stmt, at + 8),
	};
}

static int node_from_row(sqlite3_stmt *stmt, struct node *ret, uint32_t *ret_gen)
{
	struct node node = { 0 };
	int err;

	node.attr = attr_from_row(stmt, (uint64_t)sqlite3_column_int64(stmt, 0), 2);
	*ret_gen = (uint32_t)sqlite3_column_int64(stmt, 1);
	node.parent = (uint64_t)sqlite3_column_int64(stmt, 11);
	err = db_column_blob(stmt, 12, &node.target);
	if (err == 0)
		err = db_column_blob(stmt, 13, &node.xattrs);
	if (err == 0)
		err = db_column_blob(stmt, 14, &node.zf);
	if (err == 0)
		err = db_column_blob(stmt, 15, &node.md5);
	if (err == 0)
		err = extent_map_unpack(sqlite3_column_blob(stmt, 16), (size_t)sqlite3_column_bytes(stmt, 16),
					&node.map);
	if (err == 0)
		err = extent_map_unpack(sqlite3_column_blob(stmt, 17), (size_t)sqlite3_column_bytes(stmt, 17),
					&node.lost);
	if (err == 0 && !xattr_set_valid(&node.xattrs))
		err = -EINVAL;
	if (err < 0) {
		log_error("the stored node %llu is damaged", (unsigned long long)node.attr.ino);
		node_clear(&node);
		return err == -EINVAL ? -EUCLEAN : err;
	}
	*ret = node;
	return 1;
}

int rows_node_get(struct db *db, uint64_t ino, uint32_t gen, struct node *ret, uint32_t *ret_gen)
{
	sqlite3_stmt *stmt = db_query(db, gen == GEN_NEWEST ? QUERY_NODE_GET : QUERY_NODE_GET_UPTO);
	int found;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	if (gen != GEN_NEWEST)
		sqlite3_bind_int64(stmt, 2, gen);
	found = db_step(db, stmt);
	if (found > 0)
		found = node_from_row(stmt, ret, ret_gen);
	sqlite3_reset(stmt);
	return found;
}

int rows_node_attr(struct db *db, uint64_t ino, struct node_attr *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_NODE_ATTR);
	int found;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	found = db_step(db, stmt);
	if (found > 0)
		*ret = attr_from_row(stmt, ino, 0);
	if (found > 0 && S_ISREG(ret->mode)) /* a disc has no holes */
		ret->stored = sqlite3_column_int64(stmt, 10) == 0
				  ? ret->size
				  : extent_map_packed_stored(sqlite3_column_blob(stmt, 9),
							     (size_t)sqlite3_column_bytes(stmt, 9));
	sqlite3_reset(stmt);
	return found;
}

int rows_node_put(struct db *db, const struct node *node, uint32_t gen)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_NODE_PUT);
	struct blob map CLEANUP(blob_clear) = { 0 }, lost CLEANUP(blob_clear) = { 0 };

	if (!stmt)
		return -EIO;
	if (extent_map_pack(&node->map, &map) < 0 || extent_map_pack(&node->lost, &lost) < 0)
		return -ENOMEM;
	sqlite3_bind_int64(stmt, 1, (int64_t)node->attr.ino);
	sqlite3_bind_int64(stmt, 2, gen);
	sqlite3_bind_int64(stmt, 3, node->attr.mode);
	sqlite3_bind_int64(stmt, 4, node->attr.uid);
	sqlite3_bind_int64(stmt, 5, node->attr.gid);
	sqlite3_bind_int64(stmt, 6, node->attr.nlink);
	sqlite3_bind_int64(stmt, 7, (int64_t)node->attr.size);
	sqlite3_bind_int64(stmt, 8, (int64_t)node->attr.rdev);
	sqlite3_bind_int64(stmt, 9, node->attr.atime_ns);
	sqlite3_bind_int64(stmt, 10, node->attr.mtime_ns);
	sqlite3_bind_int64(stmt, 11, node->attr.ctime_ns);
	sqlite3_bind_int64(stmt, 12, (int64_t)node->parent);
	db_bind_blob(stmt, 13, &node->target);
	db_bind_blob(stmt, 14, &node->xattrs);
	db_bind_blob(stmt, 15, &node->zf);
	db_bind_blob(stmt, 16, &node->md5);
	db_bind_blob(stmt, 17, &map);
	db_bind_blob(stmt, 18, &lost);
	return db_run(db, stmt);
}

int rows_node_delete(struct db *db, uint64_t ino, uint32_t gen)
{
	return db_run_ints(db, QUERY_NODE_DELETE, (int64_t)ino, gen);
}

/* Does a statement of an inode and a generation find a row? 1, 0 or -errno. */
static int node_exists(struct db *db, enum query query, uint64_t ino, uint32_t gen)
{
	sqlite3_stmt *stmt = db_query(db, query);
	int found;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	sqlite3_bind_int64(stmt, 2, gen);
	found = db_step(db, stmt);
	sqlite3_reset(stmt);
	return found;
}

int rows_node_below(struct db *db, uint64_t ino, uint32_t gen)
{
	return node_exists(db, QUERY_NODE_BELOW, ino, gen);
}

int rows_node_above(struct db *db, uint64_t ino, uint32_t gen)
{
	return node_exists(db, QUERY_NODE_ABOVE, ino, gen);
}

int rows_node_parent(struct db *db, uint64_t ino, uint32_t gen, uint64_t *ret_parent, bool *ret_gone)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_NODE_PARENT);
	int found;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	sqlite3_bind_int64(stmt, 2, gen);
	found = db_step(db, stmt);
	if (found > 0) {
		*ret_parent = (uint64_t)sqlite3_column_int64(stmt, 0);
		*ret_gone = sqlite3_column_int64(stmt, 1) == 0;
	}
	sqlite3_reset(stmt);
	return found;
}

int rows_node_staged(struct db *db, rows_node_fn *entry, void *self)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_NODES_STAGED);
	int ret, ended = 0;

	while (ended == 0 && (ret = db_step(db, stmt)) > 0) {
		struct node node CLEANUP(node_clear) = { 0 };
		uint32_t gen = 0;

		ended = node_from_row(stmt, &node, &gen);
		if (ended > 0)
			ended = entry(self, &node, gen);
	}
	if (stmt)
		sqlite3_reset(stmt);
	return ended ? ended : ret;
}

static int body_from_row(sqlite3_stmt *stmt, rows_body_fn *entry, void *self)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	uint64_t ino = (uint64_t)sqlite3_column_int64(stmt, 0);
	int ret;

	if (!S_ISREG(sqlite3_column_int(stmt, 1)) || sqlite3_column_int(stmt, 2) == 0)
		return 0;
	ret = extent_map_unpack(sqlite3_column_blob(stmt, 4), (size_t)sqlite3_column_bytes(stmt, 4), &map);
	if (ret < 0)
		return ret == -EINVAL ? -EUCLEAN : ret;
	return entry(self, ino, (uint64_t)sqlite3_column_int64(stmt, 3), &map);
}

int rows_bodies(struct db *db, uint64_t from, uint64_t to, uint32_t gen, rows_body_fn *entry, void *self)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_NODE_BODIES);
	uint64_t last = UINT64_MAX;
	int ret = 0, ended = 0;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)from);
	sqlite3_bind_int64(stmt, 2, (int64_t)to);
	sqlite3_bind_int64(stmt, 3, gen);
	while (ended == 0 && (ret = db_step(db, stmt)) > 0) {
		uint64_t ino = (uint64_t)sqlite3_column_int64(stmt, 0);

		if (ino != last)
			ended = body_from_row(stmt, entry, self);
		last = ino;
	}
	sqlite3_reset(stmt);
	return ended ? ended : ret;
}

/* Each name that generation in_gen gives ino and that is still seen up to gen. */
static int each_name_of(struct db *db, uint64_t ino, uint32_t gen, uint32_t in_gen, rows_link_fn *entry,
			void *self)
{
	sqlite3_stmt *stmt = db_query(db, in_gen ? QUERY_NAMES_OF_STAGED : QUERY_NAMES_OF_BASE);
	int ret = 0, ended = 0;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, in_gen ? 2 : 1, (int64_t)ino);
	if (in_gen)
		sqlite3_bind_int64(stmt, 1, in_gen);
	while (ended == 0 && (ret = db_step(db, stmt)) > 0) {
		uint64_t parent = (uint64_t)sqlite3_column_int64(stmt, 0), seen;
		const char *name = sqlite3_column_blob(stmt, 1);
		size_t length = (size_t)sqlite3_column_bytes(stmt, 1);
		int found = rows_name_get(db, parent, name, length, gen, &seen, NULL);

		if (found < 0)
			ended = found;
		else if (found && seen == ino)
			ended =
			    entry(self, parent, name, length); /* else a higher generation has other plans */
	}
	sqlite3_reset(stmt);
	return ended ? ended : ret;
}

/* The base's names first: a file that got another link is known by its old one. */
int rows_names_of(struct db *db, uint64_t ino, uint32_t gen, rows_link_fn *entry, void *self)
{
	int ret = each_name_of(db, ino, gen, 0, entry, self);
	uint32_t newest = gen;

	if (ret == 0 && gen == GEN_NEWEST) {
		int64_t highest = db_int(db, QUERY_MAX_GEN);

		ret = highest < 0 ? (int)highest : 0;
		newest = (uint32_t)highest;
	}
	for (uint32_t down = 0; ret == 0 && down < 2 && newest > down; down++)
		ret = each_name_of(db, ino, gen, newest - down, entry, self);
	return ret;
}

struct kept_name {
	uint64_t parent;
	struct blob name;
};

static int keep_name(void *self, uint64_t parent, const char *name, size_t length)
{
	struct kept_name *kept = self;
	int ret = blob_set(&kept->name, name, length);

	kept->parent = parent;
	return ret < 0 ? ret : 1;
}

static int any_name_of(struct db *db, uint64_t ino, uint32_t gen, uint64_t *ret_parent, struct blob *ret_name)
{
	struct kept_name kept = { 0 };
	int found = rows_names_of(db, ino, gen, keep_name, &kept);

	if (found > 0) {
		*ret_parent = kept.parent;
		*ret_name = kept.name;
	}
	return found;
}

int rows_path(struct db *db, uint64_t ino, uint32_t gen, struct text *ret)
{
	struct text path AUTO_TEXT = { 0 };

	for (unsigned depth = 0; ino != ROOT_INO; depth++) {
		struct blob name CLEANUP(blob_clear) = { 0 };
		struct text longer = { 0 };
		int found = any_name_of(db, ino, gen, &ino, &name);

		if (found <= 0 || depth > TREE_LOOP_DEPTH)
			return found < 0 ? found : -ENOENT;
		text_add_bytes(&longer, name.data, name.length);
		if (path.length) {
			text_add_bytes(&longer, "/", 1);
			text_add_bytes(&longer, path.data, path.length);
		}
		text_clear(&path);
		path = longer;
	}
	text_add_bytes(ret, path.data ? path.data : "", path.length);
	return path.failed || ret->failed ? -ENOMEM : 0;
}

int rows_path_of_name(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen,
		      struct text *ret)
{
	int err = rows_path(db, parent, gen, ret);

	if (err < 0)
		return err;
	if (parent != ROOT_INO)
		text_add_bytes(ret, "/", 1);
	text_add_bytes(ret, name, length);
	return ret->failed ? -ENOMEM : 0;
}
