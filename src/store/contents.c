/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/contents.h"

#include "store/rows.h"

#include <errno.h>
#include <string.h>

/* Columns mode, zf, … are looked at by SQLite; the map comes as it is stored. */
static int take_map(sqlite3_stmt *stmt, int column, struct extent_map *ret)
{
	int err = extent_map_unpack(sqlite3_column_blob(stmt, column),
				    (size_t)sqlite3_column_bytes(stmt, column), ret);

	return err == -EINVAL ? -EUCLEAN : err;
}

static int staged_from_row(sqlite3_stmt *stmt, contents_staged_fn *entry, void *self)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	CLEANUP(extent_map_clear) struct extent_map base = { 0 };
	bool has_base = sqlite3_column_type(stmt, 3) == SQLITE_BLOB;
	int err = take_map(stmt, 2, &map);

	if (err == 0 && has_base)
		err = take_map(stmt, 3, &base);
	return err < 0 ? err
		       : entry(self, (uint64_t)sqlite3_column_int64(stmt, 0),
			       (uint64_t)sqlite3_column_int64(stmt, 1), &map, has_base ? &base : NULL);
}

int contents_staged(struct db *db, uint32_t gen, uint64_t from, uint64_t to, contents_staged_fn *entry,
		    void *self)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_CONTENTS_STAGED);
	int ret = 0, ended = 0;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, gen);
	sqlite3_bind_int64(stmt, 2, (int64_t)from);
	sqlite3_bind_int64(stmt, 3, (int64_t)to);
	while (ended == 0 && (ret = db_step(db, stmt)) > 0)
		ended = staged_from_row(stmt, entry, self);
	sqlite3_reset(stmt);
	return ended ? ended : ret;
}

int contents_base_has(struct db *db, uint64_t size)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_CONTENTS_SIZE);
	int found;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)size);
	found = db_step(db, stmt);
	sqlite3_reset(stmt);
	return found;
}

static int former_node(struct db *db, uint64_t ino, struct node *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_FORMER_GET);
	int found, err = 0;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, -(int64_t)ino);
	found = db_step(db, stmt);
	if (found > 0) {
		ret->attr = (struct node_attr){ .ino = ino,
						.mode = S_IFREG,
						.nlink = 1,
						.size = (uint64_t)sqlite3_column_int64(stmt, 0) };
		err = db_column_blob(stmt, 1, &ret->md5);
		if (err == 0)
			err = take_map(stmt, 2, &ret->map);
	}
	sqlite3_reset(stmt);
	return err < 0 ? err : found;
}

int contents_node(struct db *db, uint64_t ino, uint32_t gen, struct node *ret)
{
	uint32_t found_gen;

	return ino >= CONTENTS_FORMER ? former_node(db, ino, ret)
				      : rows_node_get(db, ino, gen, ret, &found_gen);
}

/* Copies a sum of the right length. */
static bool take_sum(sqlite3_stmt *stmt, int column, uint8_t *ret, size_t length)
{
	bool there = sqlite3_column_bytes(stmt, column) == (int)length;

	if (there)
		memcpy(ret, sqlite3_column_blob(stmt, column), length);
	return there;
}

static int old_from_row(sqlite3_stmt *stmt, uint64_t size, contents_old_fn *entry, void *self)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	struct contents_old old = { .ino = (uint64_t)sqlite3_column_int64(stmt, 0), .map = &map };
	int err = take_map(stmt, 1, &map);

	if (err < 0 || !extent_map_is_on_disc(&map, size))
		return err;
	old.has_md5 = take_sum(stmt, 2, old.md5, MD5_BYTES);
	old.has_sha256 = take_sum(stmt, 3, old.sha256, SHA256_BYTES);
	return entry(self, &old);
}

static int each_old(struct db *db, sqlite3_stmt *stmt, uint64_t size, contents_old_fn *entry, void *self)
{
	int ret = 0, ended = 0;

	while (stmt && ended == 0 && (ret = db_step(db, stmt)) > 0)
		ended = old_from_row(stmt, size, entry, self);
	if (stmt)
		sqlite3_reset(stmt);
	return !stmt ? -EIO : ended ? ended : ret;
}

int contents_base(struct db *db, uint64_t size, const uint8_t *md5, contents_old_fn *entry, void *self)
{
	sqlite3_stmt *stmt = db_query(db, md5 ? QUERY_CONTENTS_SUMMED : QUERY_CONTENTS_OF_SIZE);

	if (stmt)
		sqlite3_bind_int64(stmt, 1, (int64_t)size);
	if (stmt && md5)
		sqlite3_bind_blob64(stmt, 2, md5, MD5_BYTES, SQLITE_STATIC);
	return each_old(db, stmt, size, entry, self);
}

int contents_base_unsummed(struct db *db, uint64_t size, contents_old_fn *entry, void *self)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_CONTENTS_UNSUMMED);

	if (stmt)
		sqlite3_bind_int64(stmt, 1, (int64_t)size);
	return each_old(db, stmt, size, entry, self);
}

static int unsummed_from_row(sqlite3_stmt *stmt, contents_unsummed_fn *entry, void *self)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	uint64_t size = (uint64_t)sqlite3_column_int64(stmt, 1);
	uint8_t sha256[SHA256_BYTES];
	int err = take_map(stmt, 2, &map);

	if (err < 0 || map.count != 1 || map.items[0].kind != EXTENT_DISC || map.items[0].length != size ||
	    map.items[0].origin % SECTOR)
		return err;
	return entry(self, (uint64_t)sqlite3_column_int64(stmt, 0), map.items[0].origin / SECTOR, size,
		     take_sum(stmt, 3, sha256, SHA256_BYTES) ? sha256 : NULL);
}

int contents_unsummed(struct db *db, contents_unsummed_fn *entry, void *self)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_CONTENTS_NO_SUM);
	int ret = 0, ended = 0;

	while (stmt && ended == 0 && (ret = db_step(db, stmt)) > 0)
		ended = unsummed_from_row(stmt, entry, self);
	if (stmt)
		sqlite3_reset(stmt);
	return !stmt ? -EIO : ended ? ended : ret;
}

int contents_keep(struct db *db, uint64_t ino, const uint8_t sha256[SHA256_BYTES])
{
	sqlite3_stmt *stmt = db_query(db, QUERY_DIGEST_PUT);

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	sqlite3_bind_blob64(stmt, 2, sha256, SHA256_BYTES, SQLITE_STATIC);
	return db_run(db, stmt);
}
