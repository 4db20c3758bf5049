/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/search.h"

#include "base/text.h"
#include "model/node.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

#define LOOKS 1000u /* at single nodes, one by one; a pass over all of them takes as long as some 20,000 */
#define PATHS 1024u /* directories whose paths are kept, by the low bits of their inode number */

struct place {
	uint64_t ino; /* 0: none */
	struct text path;
};

/* A name as the highest generation so far has it. */
struct name {
	uint64_t parent, ino;
	uint32_t type, gen;
	size_t length;
	char bytes[NAME_LIMIT + 1];
};

struct pass {
	struct db *db;
	const struct search *search;
	bool whole; /* a pattern is for paths */
	bool regex; /* one is a regular expression */
	search_fn *hit;
	void *self;
	struct place *places;
	unsigned looks;
	struct {
		uint8_t *bits; /* inodes that may have the wanted size and time, once that pays */
		uint64_t room;
	} fit;
	struct name name;
	struct text path;
};

void search_clear(struct search *search)
{
	vec_each (&search->patterns, pattern)
		pattern_clear(pattern);
	vec_clear(&search->patterns);
}

static void pass_clear(struct pass *pass)
{
	for (size_t i = 0; pass->places && i < PATHS; i++)
		text_clear(&pass->places[i].path);
	free(pass->places);
	free(pass->fit.bits);
	text_clear(&pass->path);
}

static bool matches(const struct search *search, bool whole, const char *word, size_t length)
{
	for (size_t i = 0; i < search->patterns.count; i++)
		if (search->patterns.items[i].whole == whole &&
		    pattern_matches(&search->patterns.items[i], word, length))
			return true;
	return false;
}

/* wanted(name) in SQL: what a pattern for paths may want is seen when the path is known. */
static void wanted(sqlite3_context *context, int count, sqlite3_value **values)
{
	const struct pass *pass = sqlite3_user_data(context);
	const char *bytes = sqlite3_value_blob(values[0]);
	size_t length = (size_t)sqlite3_value_bytes(values[0]);
	char name[NAME_LIMIT + 1];

	if (length > NAME_LIMIT || length == 0)
		return;
	if (pass->regex) {
		memcpy(name, bytes, length);
		name[length] = '\0';
		bytes = name;
	}
	sqlite3_result_int(context, pass->whole || matches(pass->search, false, bytes, length));
}

struct above {
	uint64_t parent;
	struct text name;
};

static int keep_above(void *self, uint64_t parent, const char *name, size_t length)
{
	struct above *above = self;

	above->parent = parent;
	text_add_bytes(&above->name, name, length);
	return above->name.failed ? -ENOMEM : 1;
}

static int add_path(struct pass *pass, uint64_t dir, unsigned depth, struct text *ret);

/* The path of a directory, with a slash behind it. */
static int find_path(struct pass *pass, uint64_t dir, unsigned depth, struct text *ret)
{
	struct above above = { 0 };
	int found =
	    depth > TREE_DEPTH_LIMIT ? -ELOOP : rows_names_of(pass->db, dir, GEN_NEWEST, keep_above, &above);

	if (found > 0)
		found = add_path(pass, above.parent, depth + 1, ret);
	else if (found == 0)
		found = -ENOENT;
	text_add_bytes(ret, above.name.data ? above.name.data : "", above.name.length);
	text_add_bytes(ret, "/", 1);
	text_clear(&above.name);
	return found < 0 ? found : ret->failed ? -ENOMEM : 0;
}

static int add_path(struct pass *pass, uint64_t dir, unsigned depth, struct text *ret)
{
	struct place *place = &pass->places[dir % PATHS];
	struct text path AUTO_TEXT = { 0 };
	int err;

	if (dir == ROOT_INO)
		return 0;
	if (place->ino == dir) {
		text_add_bytes(ret, place->path.data, place->path.length);
		return ret->failed ? -ENOMEM : 0;
	}
	err = find_path(pass, dir, depth, &path);
	if (err < 0)
		return err;
	text_add_bytes(ret, path.data, path.length);
	text_clear(&place->path);
	place->ino = dir;
	place->path = path;
	path = (struct text){ 0 };
	return ret->failed ? -ENOMEM : 0;
}

static int make_path(struct pass *pass)
{
	int ret;

	pass->path.length = 0;
	ret = add_path(pass, pass->name.parent, 0, &pass->path);
	text_add_bytes(&pass->path, pass->name.bytes, pass->name.length);
	return ret < 0 ? ret : pass->path.failed ? -ENOMEM : 0;
}

static int add_fit(struct pass *pass, uint64_t ino)
{
	uint64_t needed = ino / 8 + 1;

	if (needed > pass->fit.room) {
		uint64_t room = max_u64(2 * needed, 4096);
		uint8_t *grown = realloc(pass->fit.bits, room);

		if (!grown)
			return -ENOMEM;
		memset(grown + pass->fit.room, 0, room - pass->fit.room);
		pass->fit.bits = grown;
		pass->fit.room = room;
	}
	pass->fit.bits[ino / 8] |= (uint8_t)(1u << ino % 8);
	return 0;
}

/* In one go, by what any generation says. */
static int collect_fits(struct pass *pass)
{
	const struct search *search = pass->search;
	sqlite3_stmt *stmt = db_query(pass->db, QUERY_SEARCH_NODES);
	int found = 0, ret = add_fit(pass, 0);

	if (stmt) {
		sqlite3_bind_int64(stmt, 1, search->from_ns);
		sqlite3_bind_int64(stmt, 2, search->to_ns);
		sqlite3_bind_int64(stmt, 3, search->sized ? (int64_t)search->size_least : 0);
		sqlite3_bind_int64(
		    stmt, 4, search->sized ? (int64_t)min_u64(search->size_most, INT64_MAX) : INT64_MAX);
	}
	while (ret == 0 && (found = db_step(pass->db, stmt)) > 0)
		ret = add_fit(pass, (uint64_t)sqlite3_column_int64(stmt, 0));
	if (stmt)
		sqlite3_reset(stmt);
	return ret < 0 ? ret : found;
}

/* 1, 0 = surely not, or -errno. */
static int may_fit(struct pass *pass)
{
	const struct search *search = pass->search;
	uint64_t ino = pass->name.ino;
	int ret = 0;

	if (!search->sized && search->from_ns == INT64_MIN && search->to_ns == INT64_MAX)
		return 1;
	if (!pass->fit.bits && pass->looks++ >= LOOKS)
		ret = collect_fits(pass);
	if (ret < 0 || !pass->fit.bits)
		return ret < 0 ? ret : 1;
	return ino / 8 < pass->fit.room && (pass->fit.bits[ino / 8] & 1u << ino % 8) != 0;
}

/* 1 = wanted, 0 = not, or -errno. */
static int look_at_node(struct pass *pass, struct search_hit *ret)
{
	const struct search *search = pass->search;
	sqlite3_stmt *stmt = db_query(pass->db, QUERY_SEARCH_NODE);
	uint32_t gen, nlink;
	int found;

	if (stmt)
		sqlite3_bind_int64(stmt, 1, (int64_t)pass->name.ino);
	found = db_step(pass->db, stmt);
	if (found <= 0)
		return found;
	ret->mode = (uint32_t)sqlite3_column_int64(stmt, 0);
	ret->size = (uint64_t)sqlite3_column_int64(stmt, 1);
	ret->mtime_ns = sqlite3_column_int64(stmt, 2);
	gen = (uint32_t)sqlite3_column_int64(stmt, 3);
	nlink = (uint32_t)sqlite3_column_int64(stmt, 4);
	sqlite3_reset(stmt);
	ret->staged = gen > 0 || pass->name.gen > 0;
	if (nlink == 0 || (search->staged_only && !ret->staged))
		return 0;
	if (search->sized &&
	    (!S_ISREG(ret->mode) || ret->size < search->size_least || ret->size > search->size_most))
		return 0;
	return ret->mtime_ns >= search->from_ns && ret->mtime_ns < search->to_ns;
}

/* The name that was kept, now that no higher generation can come. */
static int tell_name(struct pass *pass)
{
	const struct search *search = pass->search;
	struct name *name = &pass->name;
	struct search_hit hit = { 0 };
	int ret;

	if (name->ino == 0 || (search->types && !(search->types & 1u << name->type)))
		return 0;
	ret = may_fit(pass);
	if (ret <= 0)
		return ret;
	ret = pass->whole ? make_path(pass) : 0;
	if (ret == 0 && pass->whole && !matches(search, true, pass->path.data, pass->path.length) &&
	    !matches(search, false, name->bytes, name->length))
		return 0;
	if (ret == 0)
		ret = look_at_node(pass, &hit);
	if (ret > 0)
		ret = pass->whole ? 0 : make_path(pass);
	else if (ret == 0)
		return 0;
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret; /* the mount has changed something meanwhile */
	hit.path = pass->path.data;
	hit.length = pass->path.length;
	return pass->hit(pass->self, &hit);
}

/* Generations of a name come one after another. */
static int take_row(struct pass *pass, sqlite3_stmt *stmt)
{
	struct name *name = &pass->name;
	uint64_t parent = (uint64_t)sqlite3_column_int64(stmt, 0);
	const char *bytes = sqlite3_column_blob(stmt, 1);
	size_t length = (size_t)sqlite3_column_bytes(stmt, 1);
	int ret = 0;

	if (length > NAME_LIMIT || length == 0)
		return -EUCLEAN;
	if (parent != name->parent || length != name->length || memcmp(bytes, name->bytes, length) != 0)
		ret = tell_name(pass);
	name->parent = parent;
	name->gen = (uint32_t)sqlite3_column_int64(stmt, 2);
	name->ino = (uint64_t)sqlite3_column_int64(stmt, 3);
	name->type = (uint32_t)sqlite3_column_int64(stmt, 4) & 15;
	name->length = length;
	memcpy(name->bytes, bytes, length);
	name->bytes[length] = '\0';
	return ret;
}

static int walk(struct pass *pass)
{
	sqlite3_stmt *stmt = db_query(pass->db, QUERY_SEARCH_NAMES);
	int ended = 0, found;

	while (ended == 0 && (found = db_step(pass->db, stmt)) > 0)
		ended = take_row(pass, stmt);
	if (ended == 0)
		ended = found < 0 ? found : tell_name(pass);
	if (stmt)
		sqlite3_reset(stmt);
	return ended;
}

int search_tree(struct db *db, const struct search *search, search_fn *hit, void *self)
{
	struct pass pass CLEANUP(pass_clear) = { .db = db, .search = search, .hit = hit, .self = self };

	for (size_t i = 0; i < search->patterns.count; i++) {
		pass.whole |= search->patterns.items[i].whole;
		pass.regex |= !search->patterns.items[i].glob;
	}
	pass.places = calloc(PATHS, sizeof *pass.places);
	if (!pass.places)
		return -ENOMEM;
	if (sqlite3_create_function_v2(db->handle, "wanted", 1,
				       SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, &pass, wanted,
				       NULL, NULL, NULL) != SQLITE_OK)
		return -ENOMEM;
	return walk(&pass);
}
