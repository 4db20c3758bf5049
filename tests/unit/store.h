/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tree in a temporary directory, over a base whose "disc" is an ordinary file there; and a check of
 * everything that must hold for it at any time. */
#pragma once

#include "unit.h"

#include "base/fd.h"
#include "commit/publish.h"
#include "model/cost.h"
#include "store/body.h"
#include "store/discard.h"
#include "store/rows.h"
#include "store/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

struct store {
	struct disc *disc; /* only its tree is alive */
	struct tree *tree;
	char dir[64];
	int dir_fd;
	int medium;
	uint64_t medium_end; /* bytes */
	uint64_t next_ino;
	struct node_counts counts;
};

/* The time in nodes goes on in the kernel's ticks (tree_now_ns): what is done next has another one. */
static inline void store_await_tick(void)
{
	int64_t now = tree_now_ns();

	while (tree_now_ns() == now)
		usleep(500);
}

static inline void store_start_tree(struct store *store)
{
	static const struct session_formats all = { .joliet = true, .udf = true, .udf_links = true };
	struct reason why = { 0 };

	assert_int_equal(tree_open(store->tree, store->dir, store->dir_fd, 0, &why), 0);
	tree_set_formats(store->tree, &all, true);
	store->tree->disc.fd = store->medium;
	store->tree->disc.limit = store->medium_end;
	assert_int_equal(sweep_at_start(store->tree, &why), 0);
}

static inline void store_put_base(struct store *store, struct node *node, uint64_t parent, const char *name)
{
	struct db *db = &store->tree->db;

	node->attr.ino = store->next_ino++;
	node->attr.nlink = S_ISDIR(node->attr.mode) ? 2 : 1;
	node->attr.uid = node->attr.gid = 1000;
	node->attr.atime_ns = node->attr.mtime_ns = node->attr.ctime_ns = 1000 * NS_PER_SEC;
	node->parent = parent ? parent : ROOT_INO;
	node_count(&store->counts, node, 1);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(rows_node_put(db, node, 0), 0);
	if (!parent)
		return;
	assert_int_equal(
	    rows_name_put(db, parent, name, strlen(name), 0, node->attr.ino, node->attr.mode >> 12), 0);
	if (S_ISDIR(node->attr.mode)) {
		struct node_attr above;

		assert_int_equal(rows_node_attr(db, parent, &above), 1);
		assert_int_equal(db_run_ints(db, QUERY_LINKS_SET, (int64_t)parent, above.nlink + 1), 0);
	}
}

static inline uint64_t base_dir(struct store *store, uint64_t parent, const char *name)
{
	struct node node = { .attr = { .mode = S_IFDIR | 0755 } };

	store_put_base(store, &node, parent, name);
	return node.attr.ino;
}

/* Puts bytes on the medium, from a sector's start. Returns where. */
static inline uint64_t store_record(struct store *store, const void *data, size_t length)
{
	uint64_t origin = store->medium_end;

	assert_int_equal(fd_pwrite_full(store->medium, data, length, origin), 0);
	store->medium_end = round_up(origin + length, SECTOR);
	assert_int_equal(ftruncate(store->medium, (off_t)store->medium_end), 0);
	store->tree->disc.limit = store->medium_end;
	return origin;
}

static inline uint64_t base_file(struct store *store, uint64_t parent, const char *name, const void *data,
				 size_t length)
{
	struct node node = { .attr = { .mode = S_IFREG | 0644, .size = length } };
	struct extent extent = { .length = length, .kind = EXTENT_DISC };

	extent.origin = store_record(store, data, length);
	assert_int_equal(extent_map_set(&node.map, &extent), 0);
	if (length)
		assert_int_equal(blob_set(&node.md5, "0123456789abcdef", MD5_LENGTH), 0);
	store_put_base(store, &node, parent, name);
	store->next_ino = node.attr.ino + 1;
	extent_map_clear(&node.map);
	blob_clear(&node.md5);
	return node.attr.ino;
}

static inline uint64_t base_text(struct store *store, uint64_t parent, const char *name, const char *text)
{
	return base_file(store, parent, name, text, strlen(text));
}

static inline void base_link(struct store *store, uint64_t ino, uint64_t parent, const char *name)
{
	struct node_attr attr;
	struct db *db = &store->tree->db;

	assert_int_equal(rows_node_attr(db, ino, &attr), 1);
	assert_int_equal(rows_name_put(db, parent, name, strlen(name), 0, ino, attr.mode >> 12), 0);
	assert_int_equal(db_run_ints(db, QUERY_LINKS_SET, (int64_t)ino, attr.nlink + 1), 0);
}

/* The base is complete. */
static inline void base_end(struct store *store)
{
	WITH_LOCK(&store->tree->lock);
	store->tree->next_ino = store->next_ino;
	store->tree->counts = store->counts;
	assert_int_equal(dir_costs_count(store->tree), 0);
	assert_int_equal(tree_flush_locked(store->tree), 0);
}

/* A tree with an empty root; base_* may follow, then base_end. */
static inline void store_open(struct store *store)
{
	char path[128];

	*store = (struct store){ .disc = calloc(1, sizeof *store->disc), .next_ino = ROOT_INO };
	store->tree = &store->disc->tree;
	snprintf(store->dir, sizeof store->dir, "/tmp/discfs-unit-XXXXXX");
	assert_non_null(mkdtemp(store->dir));
	store->dir_fd = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/medium", store->dir);
	store->medium = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(store->dir_fd >= 0 && store->medium >= 0);
	store_start_tree(store);
	base_dir(store, 0, "");
}

static inline void store_reopen(struct store *store)
{
	tree_close(store->tree);
	store_start_tree(store);
}

static inline int store_remove_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static inline void store_close(struct store *store)
{
	tree_close(store->tree);
	free(store->disc);
	close(store->medium);
	close(store->dir_fd);
	nftw(store->dir, store_remove_file, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- paths ---- */

/* "a/b" from the root; 0 where there's nothing. */
static inline uint64_t store_ino(struct store *store, const char *path)
{
	struct node_attr attr = { .ino = ROOT_INO };

	while (*path) {
		size_t length = strcspn(path, "/");

		if (tree_lookup(store->tree, attr.ino, path, length, &attr) < 0)
			return 0;
		path += length + (path[length] == '/');
	}
	return attr.ino;
}

struct place_at {
	uint64_t dir;
	const char *name;
	size_t length;
};

static inline struct place_at store_place(struct store *store, const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[256] = "";
	struct place_at place = { .name = slash ? slash + 1 : path };

	if (slash)
		snprintf(above, sizeof above, "%.*s", (int)(slash - path), path);
	place.dir = store_ino(store, above);
	place.length = strlen(place.name);
	return place;
}

static inline int store_make(struct store *store, const char *path, uint32_t mode)
{
	struct place_at at = store_place(store, path);
	struct tree_new new = { .mode = mode, .uid = 1000, .gid = 1000 };
	struct node_attr attr;

	return tree_create(store->tree, at.dir, at.name, at.length, &new, &attr, NULL);
}

static inline int store_put(struct store *store, const char *path, const char *text)
{
	struct inode *inode;
	int ret = store_ino(store, path) ? 0 : store_make(store, path, S_IFREG | 0644);

	if (ret < 0)
		return ret;
	assert_int_equal(tree_get(store->tree, store_ino(store, path), &inode), 0);
	ret = body_truncate(store->tree, inode, 0);
	if (ret == 0)
		ret = body_write(store->tree, inode, text, strlen(text), 0);
	tree_put(store->tree, inode);
	return ret;
}

static inline int store_mkdir(struct store *store, const char *path)
{
	return store_make(store, path, S_IFDIR | 0755);
}

static inline int store_unlink(struct store *store, const char *path)
{
	struct place_at at = store_place(store, path);

	return tree_unlink(store->tree, at.dir, at.name, at.length);
}

static inline int store_rmdir(struct store *store, const char *path)
{
	struct place_at at = store_place(store, path);

	return tree_rmdir(store->tree, at.dir, at.name, at.length);
}

static inline int store_rename(struct store *store, const char *path, const char *to, unsigned flags)
{
	struct place_at from = store_place(store, path), at = store_place(store, to);

	return tree_rename(store->tree, from.dir, from.name, from.length, at.dir, at.name, at.length, flags);
}

static inline int store_link(struct store *store, const char *path, const char *to)
{
	struct place_at at = store_place(store, to);
	struct node_attr attr;

	return tree_link(store->tree, store_ino(store, path), at.dir, at.name, at.length, &attr);
}

static inline int store_chmod(struct store *store, const char *path, uint32_t mode)
{
	struct node_attr attr = { .mode = mode };

	return tree_set_attr(store->tree, store_ino(store, path), &attr, TREE_SET_MODE, &attr);
}

static inline struct node_attr store_attr(struct store *store, const char *path)
{
	struct node_attr attr = { 0 };

	assert_int_equal(tree_attr(store->tree, store_ino(store, path), &attr), 0);
	return attr;
}

/* Makes the medium so full that so many sectors are left. */
static inline void store_leave_room(struct store *store, uint64_t sectors)
{
	struct tree *tree = store->tree;
	struct inode *inode;

	assert_int_equal(store_make(store, "filler", S_IFREG | 0644), 0);
	atomic_store(&tree->room.next_start, 1024);
	atomic_store(&tree->room.capacity, 1024 + tree_predicted_sectors(tree) + 64);
	{
		WITH_LOCK(&tree->lock);
		assert_int_equal(dir_costs_reckon(tree), 0);
	}
	assert_int_equal(tree_get(tree, store_ino(store, "filler"), &inode), 0);
	assert_int_equal(body_truncate(tree, inode, (tree_free_sectors(tree) - sectors) * SECTOR), 0);
	tree_put(tree, inode);
	assert_int_equal(tree_free_sectors(tree), sectors);
}

static inline void assert_text(struct store *store, const char *path, const char *text)
{
	struct inode *inode;
	char got[4096] = "";

	assert_int_equal(tree_get(store->tree, store_ino(store, path), &inode), 0);
	assert_int_equal(body_read(store->tree, inode, got, sizeof got - 1, 0), strlen(text));
	tree_put(store->tree, inode);
	assert_string_equal(got, text);
}

/* ---- what must hold ---- */

struct seen {
	uint64_t ino;
	uint32_t names, subdirs;
	uint64_t parent;
	bool is_dir;
};

struct survey {
	struct store *store;
	VEC(struct seen) seen;
	size_t at;
	struct node_counts counts, staged;
	uint64_t spooled;
};

static inline struct seen *survey_find(struct survey *survey, uint64_t ino)
{
	vec_each (&survey->seen, seen)
		if (seen->ino == ino)
			return seen;
	return NULL;
}

static inline int survey_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	struct survey *survey = (struct survey *)self;
	uint64_t dir = survey->seen.items[survey->at].ino;
	struct seen *seen = survey_find(survey, ino);

	if (!seen) {
		seen = vec_push(&survey->seen);
		*seen = (struct seen){ .ino = ino, .parent = dir, .is_dir = type == S_IFDIR >> 12 };
	}
	seen->names++;
	if (seen->is_dir)
		survey->seen.items[survey->at].subdirs++;
	return 0;
}

static inline void survey_check_node(struct survey *survey, const struct seen *seen)
{
	struct node node CLEANUP(node_clear) = { 0 };
	struct node_attr attr;
	uint32_t gen;

	assert_int_equal(rows_node_get(&survey->store->tree->db, seen->ino, GEN_NEWEST, &node, &gen), 1);
	assert_int_equal(S_ISDIR(node.attr.mode), seen->is_dir);
	assert_int_equal(node.attr.nlink, seen->is_dir ? 2 + seen->subdirs : seen->names);
	if (seen->is_dir) {
		assert_int_equal(seen->names, seen->ino != ROOT_INO);
		assert_int_equal(node.parent, seen->parent);
	}
	node_count(&survey->counts, &node, 1);
	assert_int_equal(tree_attr(survey->store->tree, seen->ino, &attr), 0);
	if (S_ISREG(attr.mode))
		node.attr.stored = extent_map_stored(&node.map);
	assert_memory_equal(&attr, &node.attr, sizeof attr);
}

static inline int survey_row(void *self, struct node *node, uint32_t gen)
{
	struct survey *survey = (struct survey *)self;

	survey->spooled += extent_map_spooled(&node->map);
	if (node->attr.nlink && gen == survey->store->tree->gen) {
		assert_non_null(
		    survey_find(survey, node->attr.ino)); /* else nobody would ever find it again */
		node_count(&survey->staged, node, 1);
	}
	return 0;
}

/* Copies share their bytes, so the rows alone tell what is in use: as at a start. */
static inline void survey_check_spool(struct survey *survey)
{
	struct tree *tree = survey->store->tree;
	uint64_t used = tree->spool.used;

	assert_true(used <= survey->spooled);
	assert_true(tree->spool.shared.count || used == survey->spooled);
	WITH_WRITE_LOCK(&tree->freeze);
	assert_int_equal(sweep_spool(tree, true), 0);
	assert_int_equal(tree->spool.used, used);
}

/* What is told is never below what a look at every directory says; and when the changed ones were looked at,
 * it's the same. */
static inline void store_check_costs(struct tree *tree)
{
	uint64_t told, reckoned;

	WITH_LOCK(&tree->lock);
	told = dir_costs_sectors(&tree->costs);
	assert_int_equal(dir_costs_reckon(tree), 0);
	reckoned = dir_costs_sectors(&tree->costs);
	assert_int_equal(dir_costs_count(tree), 0);
	assert_true(told >= dir_costs_sectors(&tree->costs));
	assert_int_equal(reckoned, dir_costs_sectors(&tree->costs));
	assert_int_equal(dir_costs_loose(&tree->costs), 0);
}

/* Links, costs and rows agree with each other, in memory as in the database. */
static inline void store_check(struct store *store)
{
	struct survey survey = { .store = store };
	struct tree *tree = store->tree;
	struct seen *root = vec_push(&survey.seen);
	uint64_t sectors = tree->body_sectors;

	*root = (struct seen){ .ino = ROOT_INO, .parent = ROOT_INO, .is_dir = true };
	assert_int_equal(tree_flush(tree), 0);
	for (survey.at = 0; survey.at < survey.seen.count; survey.at++)
		if (survey.seen.items[survey.at].is_dir)
			assert_int_equal(
			    tree_list(tree, survey.seen.items[survey.at].ino, survey_name, &survey), 0);
	vec_each (&survey.seen, seen)
		survey_check_node(&survey, seen);
	assert_int_equal(rows_node_staged(&tree->db, survey_row, &survey), 0);
	assert_int_equal(survey.counts.files, tree->counts.files);
	assert_int_equal(survey.counts.entries, tree->counts.entries);
	assert_int_equal(survey.counts.links, tree->counts.links);
	assert_int_equal(survey.staged.entries, tree->staged.entries);
	assert_int_equal(survey.staged.links, tree->staged.links);
	store_check_costs(tree);
	if (!tree->frozen) {
		survey_check_spool(&survey);
		assert_int_equal(tree_recount(tree), 0);
		assert_int_equal(sectors, tree->body_sectors);
	}
	vec_clear(&survey.seen);
}

/* ---- generations, as the commit makes them ---- */

struct landing {
	struct store *store;
	VEC(uint64_t) inos;
};

static inline int landing_keep(void *self, struct node *node, uint32_t gen)
{
	struct landing *landing = (struct landing *)self;

	if (S_ISREG(node->attr.mode) && node->attr.nlink)
		*vec_push(&landing->inos) = node->attr.ino;
	return 0;
}

/* What check_session does for one file: it lies on the disc now. */
static inline void land_file(struct store *store, uint64_t ino, uint32_t gen)
{
	struct node node CLEANUP(node_clear) = { 0 };
	struct extent_map landed CLEANUP(extent_map_clear) = { 0 };
	struct blob map CLEANUP(blob_clear) = { 0 };
	struct extent extent = { .kind = EXTENT_DISC };
	struct tree *tree = store->tree;
	sqlite3_stmt *stmt;
	uint8_t *data;
	uint32_t found_gen;

	if (rows_node_get(&tree->db, ino, gen, &node, &found_gen) <= 0 || node.attr.nlink == 0)
		return;
	extent.length = node.attr.size;
	data = malloc(extent.length + 1);
	assert_int_equal(body_read_map(tree, &node.map, data, extent.length, 0), 0);
	extent.origin = store_record(store, data, extent.length);
	free(data);
	assert_int_equal(extent_map_set(&landed, &extent), 0);
	assert_int_equal(extent_map_pack(&landed, &map), 0);
	assert_int_equal(db_begin(&tree->db), 0);
	stmt = db_query(&tree->db, QUERY_LANDED_PUT);
	sqlite3_bind_int64(stmt, 1, (int64_t)ino);
	sqlite3_bind_int64(stmt, 2, node.attr.atime_ns);
	sqlite3_bind_int64(stmt, 3, node.attr.mtime_ns);
	sqlite3_bind_int64(stmt, 4, node.attr.ctime_ns);
	if (cost_sum(&node)) /* what lay there without one is recorded without one */
		sqlite3_bind_blob(stmt, 5, "fedcba9876543210", MD5_LENGTH, SQLITE_STATIC);
	db_bind_blob(stmt, 6, &map);
	assert_int_equal(db_run(&tree->db, stmt), 0);
}

static inline uint32_t store_freeze(struct store *store)
{
	struct journal journal = { 0 };

	assert_int_equal(freeze_generation(store->tree, &journal), 0);
	assert_true(store->tree->frozen);
	return journal.gen;
}

static inline void store_publish(struct store *store, uint32_t gen)
{
	struct journal journal = { .phase = PHASE_CHECKED, .gen = gen };
	struct history entry = { .label = "", .message = "" };
	struct landing landing = { .store = store };

	{
		WITH_LOCK(&store->tree->lock);
		assert_int_equal(tree_flush_locked(store->tree), 0);
		assert_int_equal(rows_node_staged(&store->tree->db, landing_keep, &landing), 0);
		vec_each (&landing.inos, ino)
			land_file(store, *ino, gen);
	}
	vec_clear(&landing.inos);
	assert_int_equal(publish_generation(store->disc, &journal, &entry), 0);
	assert_false(store->tree->frozen);
}

static inline void store_thaw(struct store *store, uint32_t gen)
{
	struct history entry = { .label = "", .message = "" };

	assert_int_equal(thaw_generation(store->tree, gen, &entry), 0);
	assert_false(store->tree->frozen);
}
