/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/restore.h"

#include "model/xattr_set.h"
#include "store/generation.h"
#include "store/ino_map.h"
#include "store/links.h"
#include "store/names.h"
#include "store/rows.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

struct restore {
	struct tree *tree;
	struct db *db;	 /* what is staged */
	struct db *from; /* the session's */
	/* Nodes other than directories, by what they are in the session, and by what they are here. */
	struct ino_map now_of, old_of;
	VEC(uint64_t) touched;	   /* whose rows changed; some several times */
	struct links names;	   /* that changed */
	struct node_counts counts; /* change of the tree's */
	uint64_t next_ino;
	int64_t now_ns;
};

static void restore_clear(struct restore *restore)
{
	ino_map_clear(&restore->now_of);
	ino_map_clear(&restore->old_of);
	vec_clear(&restore->touched);
	links_clear(&restore->names);
}

/* ---- rows ---- */

static int touch(struct restore *restore, uint64_t ino)
{
	uint64_t *kept = vec_push(&restore->touched);

	if (!kept)
		return -ENOMEM;
	*kept = ino;
	return 0;
}

static int get_node(struct db *db, uint64_t ino, uint32_t gen, struct node *ret)
{
	uint32_t found_gen;
	int found = rows_node_get(db, ino, gen, ret, &found_gen);

	return found > 0 ? 0 : found < 0 ? found : -EUCLEAN;
}

static bool same_blob(const struct blob *a, const struct blob *b)
{
	return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

/* What is told of both alike: the time as a disc has it, and nothing that follows from names. */
static bool same_facts(const struct node *a, const struct node *b)
{
	return a->attr.mode == b->attr.mode && a->attr.uid == b->attr.uid && a->attr.gid == b->attr.gid &&
	       node_time_on_disc(a->attr.mtime_ns) == node_time_on_disc(b->attr.mtime_ns) &&
	       xattr_set_equal(&a->xattrs, &b->xattrs);
}

static bool same_file(const struct node *a, const struct node *b)
{
	return same_facts(a, b) && a->attr.rdev == b->attr.rdev && a->attr.size == b->attr.size &&
	       same_blob(&a->target, &b->target) && same_blob(&a->zf, &b->zf) &&
	       extent_map_equal(&a->map, &b->map) && a->lost.count == b->lost.count;
}

/* Writes the row, or none where the base says the same: then it's the base's again, time of change and all.
 */
static int put_node(struct restore *restore, const struct node *node)
{
	struct node base CLEANUP(node_clear) = { 0 };
	uint64_t ino = node->attr.ino;
	uint32_t gen;
	bool dir = S_ISDIR(node->attr.mode);
	int found = touch(restore, ino);

	if (found == 0)
		found = rows_node_get(restore->db, ino, 0, &base, &gen);
	if (found < 0)
		return found;
	if (found && base.attr.nlink == node->attr.nlink && base.attr.mtime_ns == node->attr.mtime_ns &&
	    (dir ? base.parent == node->parent && same_facts(&base, node) : same_file(&base, node)))
		return rows_node_delete(restore->db, ino, restore->tree->gen);
	return rows_node_put(restore->db, node, restore->tree->gen);
}

/* Makes the node be what it was. A time is as exact as the base has it, where that's the same one. */
static int put_old(struct restore *restore, uint64_t ino, struct node *old, uint32_t nlink, uint64_t parent)
{
	struct node base CLEANUP(node_clear) = { 0 };
	uint32_t gen;
	int found = rows_node_get(restore->db, ino, 0, &base, &gen);

	if (found < 0)
		return found;
	old->attr.ino = ino;
	old->attr.nlink = nlink;
	old->attr.ctime_ns = restore->now_ns;
	old->parent = parent;
	if (found && node_time_on_disc(base.attr.mtime_ns) == node_time_on_disc(old->attr.mtime_ns))
		old->attr.mtime_ns = base.attr.mtime_ns;
	return put_node(restore, old);
}

static int put_name(struct restore *restore, uint64_t dir, const char *name, size_t length, uint64_t ino,
		    uint32_t type)
{
	uint64_t base = 0;
	int ret = links_note(&restore->names, dir, name, length);

	if (ret == 0)
		ret = rows_name_get(restore->db, dir, name, length, 0, &base, NULL);
	if (ret < 0)
		return ret;
	if (base == ino) /* also: none, and none is wanted */
		return rows_name_delete(restore->db, dir, name, length, restore->tree->gen);
	return rows_name_put(restore->db, dir, name, length, restore->tree->gen, ino, type);
}

/* ---- what goes ---- */

static int drop(struct restore *restore, uint64_t dir, const char *name, size_t length, uint64_t ino);

static int drop_children(struct restore *restore, uint64_t dir)
{
	struct names now CLEANUP(names_clear) = { 0 };
	int ret = names_take(&now, restore->db, dir, GEN_NEWEST);

	vec_each (&now.list, listed)
		if (ret == 0)
			ret = drop(restore, dir, name_bytes(&now, listed), listed->length, listed->ino);
	return ret;
}

/* The last name is gone. Who has it open still needs its content. */
static int bury(struct restore *restore, struct node *node)
{
	const struct inode *inode = inode_cache_peek(&restore->tree->cache, node->attr.ino);
	int below = rows_node_below(restore->db, node->attr.ino, restore->tree->gen);

	node_count(&restore->counts, node, -1);
	if (below == 0)
		below = rows_node_delete(restore->db, node->attr.ino, restore->tree->gen);
	else if (below > 0) {
		if (!inode || inode->refs == 0) {
			extent_map_clear(&node->map);
			node->attr.size = 0;
		}
		below = rows_node_put(restore->db, node, restore->tree->gen);
	}
	return below < 0 ? below : touch(restore, node->attr.ino);
}

static int drop(struct restore *restore, uint64_t dir, const char *name, size_t length, uint64_t ino)
{
	struct node node CLEANUP(node_clear) = { 0 };
	int ret = get_node(restore->db, ino, GEN_NEWEST, &node);
	bool is_dir = S_ISDIR(node.attr.mode);

	if (ret == 0 && is_dir)
		ret = drop_children(restore, ino);
	if (ret == 0)
		ret = put_name(restore, dir, name, length, 0, 0);
	if (ret < 0)
		return ret;
	node.attr.nlink = is_dir ? 0 : node.attr.nlink - 1;
	node.attr.ctime_ns = restore->now_ns;
	return node.attr.nlink ? put_node(restore, &node) : bury(restore, &node);
}

/* ---- what stays ---- */

static int remember(struct restore *restore, uint64_t old, uint64_t now)
{
	int ret = ino_map_add(&restore->now_of, old, now);

	return ret < 0 ? ret : ino_map_add(&restore->old_of, now, old);
}

/* Is it what the session has there? One node here stands for one there. 1, 0 or -errno. */
static int keeps(struct restore *restore, uint64_t ino, uint64_t old_ino)
{
	struct node now CLEANUP(node_clear) = { 0 }, old CLEANUP(node_clear) = { 0 };
	uint64_t known = ino_map_get(&restore->now_of, old_ino);
	int ret;

	if (known || ino_map_get(&restore->old_of, ino))
		return known == ino;
	ret = get_node(restore->db, ino, GEN_NEWEST, &now);
	if (ret == 0)
		ret = get_node(restore->from, old_ino, 0, &old);
	if (ret < 0 || !same_file(&now, &old))
		return ret;
	ret = remember(restore, old_ino, ino);
	return ret < 0 ? ret : 1;
}

/* The base has another node under that name, which would do as well: it comes back, so that nothing is
 * staged. 1, 0 or -errno. */
static int base_is_better(struct restore *restore, uint64_t dir, const char *name, const struct name *now,
			  uint64_t old_ino)
{
	struct node base CLEANUP(node_clear) = { 0 }, old CLEANUP(node_clear) = { 0 };
	uint64_t ino;
	uint32_t type;
	int ret = rows_name_get(restore->db, dir, name, now->length, 0, &ino, &type);

	if (ret <= 0 || ino == now->ino || (type == DT_DIR) != (now->type == DT_DIR))
		return ret < 0 ? ret : 0;
	if (type == DT_DIR)
		return 1;
	ret = get_node(restore->db, ino, 0, &base);
	if (ret == 0)
		ret = get_node(restore->from, old_ino, 0, &old);
	return ret < 0 ? ret : same_file(&base, &old);
}

static int clear_dir(struct restore *restore, uint64_t dir, uint64_t old_dir);

/* 1: it stays, and is cleared; 0: it's to go; or -errno. */
static int clear_name(struct restore *restore, uint64_t dir, uint64_t old_dir, const char *name,
		      const struct name *now)
{
	uint64_t old_ino;
	uint32_t old_type;
	int ret = rows_name_get(restore->from, old_dir, name, now->length, 0, &old_ino, &old_type);

	if (ret <= 0 || (old_type == DT_DIR) != (now->type == DT_DIR))
		return ret < 0 ? ret : 0;
	ret = base_is_better(restore, dir, name, now, old_ino);
	if (ret)
		return ret < 0 ? ret : 0;
	if (old_type != DT_DIR)
		return keeps(restore, now->ino, old_ino);
	ret = clear_dir(restore, now->ino, old_ino);
	return ret < 0 ? ret : 1;
}

/* First what isn't wanted goes, everywhere: so that it's known what is needed when the rest is made. */
static int clear_dir(struct restore *restore, uint64_t dir, uint64_t old_dir)
{
	struct names now CLEANUP(names_clear) = { 0 };
	int ret = names_take(&now, restore->db, dir, GEN_NEWEST);

	for (size_t i = 0; ret >= 0 && i < now.list.count; i++) {
		const struct name *name = &now.list.items[i];

		ret = clear_name(restore, dir, old_dir, name_bytes(&now, name), name);
		if (ret == 0)
			ret = drop(restore, dir, name_bytes(&now, name), name->length, name->ino);
	}
	return ret < 0 ? ret : 0;
}

/* ---- what comes ---- */

/* The base's node of that name when it's gone: it may come back. 0 = none. */
static int find_gone(struct restore *restore, uint64_t dir, const char *name, size_t length, uint64_t *ret)
{
	uint64_t base = 0, parent;
	bool gone = false;
	int found = rows_name_get(restore->db, dir, name, length, 0, &base, NULL);

	*ret = 0;
	if (found > 0)
		found = rows_node_parent(restore->db, base, GEN_NEWEST, &parent, &gone);
	if (found > 0 && gone)
		*ret = base;
	return found < 0 ? found : 0;
}

static int walk(struct db *db, const char *path, uint64_t *ret_ino, uint32_t *ret_type)
{
	uint64_t ino = ROOT_INO;
	int found = 1;

	*ret_type = DT_DIR;
	while (found > 0 && *(path += strspn(path, "/"))) {
		size_t length = strcspn(path, "/");

		found = rows_name_get(db, ino, path, length, GEN_NEWEST, &ino, ret_type);
		path += length;
	}
	*ret_ino = ino;
	return found;
}

/* Another name of the same file that is here already, as it was: then this one is a link to it. *ret 0 =
 * none. */
static int find_linked(struct restore *restore, uint64_t old_ino, uint64_t *ret)
{
	struct links names CLEANUP(links_clear) = { 0 };
	int found = rows_names_of(restore->from, old_ino, GEN_NEWEST, links_keep, &names);

	*ret = 0;
	for (size_t i = 0; found == 0 && *ret == 0 && i < names.list.count; i++) {
		const struct link_name *name = &names.list.items[i];
		struct text path AUTO_TEXT = { 0 };
		uint64_t ino = 0;
		uint32_t type;

		found = rows_path_of_name(restore->from, name->parent, link_name_bytes(&names, name),
					  name->length, GEN_NEWEST, &path);
		if (found == 0)
			found = walk(restore->db, path.data, &ino, &type);
		if (found > 0)
			found = type == DT_DIR ? 0 : keeps(restore, ino, old_ino);
		if (found > 0) {
			*ret = ino;
			found = 0;
		}
	}
	return found;
}

static int link_to(struct restore *restore, uint64_t ino)
{
	struct node node CLEANUP(node_clear) = { 0 };
	int ret = get_node(restore->db, ino, GEN_NEWEST, &node);

	if (ret < 0)
		return ret;
	node.attr.nlink++;
	node.attr.ctime_ns = restore->now_ns;
	return put_node(restore, &node);
}

/* Gives it back as the base has it, if that's how it was, or makes a new one. */
static int make_node(struct restore *restore, uint64_t dir, const char *name, size_t length, struct node *old,
		     uint64_t *ret_ino)
{
	struct node base CLEANUP(node_clear) = { 0 };
	uint64_t old_ino = old->attr.ino, ino;
	int ret = find_gone(restore, dir, name, length, &ino);

	if (ret == 0 && ino)
		ret = get_node(restore->db, ino, 0, &base);
	if (ret < 0)
		return ret;
	if (ino == 0 || !same_file(&base, old))
		ino = restore->next_ino++;
	node_count(&restore->counts, old, 1);
	*ret_ino = ino;
	ret = remember(restore, old_ino, ino);
	return ret < 0 ? ret : put_old(restore, ino, old, 1, dir);
}

static int make_file(struct restore *restore, uint64_t dir, const char *name, size_t length, uint64_t old_ino)
{
	struct node old CLEANUP(node_clear) = { 0 };
	uint64_t ino = ino_map_get(&restore->now_of, old_ino);
	uint32_t type;
	int ret = get_node(restore->from, old_ino, 0, &old);

	type = old.attr.mode >> 12;
	if (ret == 0 && ino == 0 && old.attr.nlink > 1)
		ret = find_linked(restore, old_ino, &ino);
	if (ret == 0)
		ret = ino ? link_to(restore, ino) : make_node(restore, dir, name, length, &old, &ino);
	return ret < 0 ? ret : put_name(restore, dir, name, length, ino, type);
}

/* Its row is still to be put. */
static int make_dir(struct restore *restore, uint64_t dir, const char *name, size_t length, uint64_t *ret)
{
	uint64_t ino;
	uint32_t type = 0;
	int err = find_gone(restore, dir, name, length, &ino);

	if (err == 0 && ino)
		err = rows_name_get(restore->db, dir, name, length, 0, &ino, &type);
	if (err < 0)
		return err;
	*ret = type == DT_DIR ? ino : restore->next_ino++;
	return put_name(restore, dir, name, length, *ret, DT_DIR);
}

/* The directory's own row: all that it had is in it by now. made_in: it has none; 0: it was there. */
static int settle_dir(struct restore *restore, uint64_t dir, uint64_t old_dir, struct names *names,
		      uint64_t made_in)
{
	struct node now CLEANUP(node_clear) = { 0 }, old CLEANUP(node_clear) = { 0 };
	uint32_t nlink = 2;
	int ret = get_node(restore->from, old_dir, 0, &old);

	vec_each (&names->list, listed)
		nlink += listed->type == DT_DIR;
	if (ret == 0 && !made_in)
		ret = get_node(restore->db, dir, GEN_NEWEST, &now);
	if (ret < 0 || (!made_in && now.attr.nlink == nlink && same_facts(&now, &old)))
		return ret;
	return put_old(restore, dir, &old, nlink, made_in ? made_in : now.parent);
}

static int fill_dir(struct restore *restore, uint64_t dir, uint64_t old_dir, uint64_t made_in);

static int fill_name(struct restore *restore, uint64_t dir, const char *name, const struct name *old)
{
	uint64_t ino;
	uint32_t type;
	int found = rows_name_get(restore->db, dir, name, old->length, GEN_NEWEST, &ino, &type);

	if (found < 0)
		return found;
	if (old->type != DT_DIR)
		return found ? 0 : make_file(restore, dir, name, old->length, old->ino);
	if (found)
		return fill_dir(restore, ino, old->ino, 0);
	found = make_dir(restore, dir, name, old->length, &ino);
	return found < 0 ? found : fill_dir(restore, ino, old->ino, dir);
}

static int fill_dir(struct restore *restore, uint64_t dir, uint64_t old_dir, uint64_t made_in)
{
	struct names old CLEANUP(names_clear) = { 0 };
	int ret = names_take(&old, restore->from, old_dir, 0);

	vec_each (&old.list, listed)
		if (ret == 0)
			ret = fill_name(restore, dir, name_bytes(&old, listed), listed);
	return ret < 0 ? ret : settle_dir(restore, dir, old_dir, &old, made_in);
}

/* ---- the path ---- */

/* A directory that isn't restored itself got or lost a name. */
static int note_change(struct restore *restore, uint64_t dir, int subdirs, bool is_new)
{
	struct node node CLEANUP(node_clear) = { 0 };
	int ret = get_node(restore->db, dir, GEN_NEWEST, &node);

	if (ret < 0)
		return ret;
	node.attr.nlink += (uint32_t)subdirs;
	if (!is_new)
		node.attr.mtime_ns = node.attr.ctime_ns = restore->now_ns;
	return put_node(restore, &node);
}

struct step {
	uint64_t dir, old_dir; /* here and in the session */
	bool is_new;
};

/* Goes one directory down, and makes it where it's gone. */
static int step_down(struct restore *restore, struct step *step, const char *name, size_t length)
{
	struct node old CLEANUP(node_clear) = { 0 };
	uint64_t old_ino, ino, parent = step->dir;
	uint32_t old_type, type;
	bool was_new = step->is_new;
	int found = rows_name_get(restore->from, step->old_dir, name, length, 0, &old_ino, &old_type);

	if (found <= 0 || old_type != DT_DIR)
		return found < 0 ? found : -ENOENT;
	found = rows_name_get(restore->db, step->dir, name, length, GEN_NEWEST, &ino, &type);
	*step = (struct step){ ino, old_ino, false };
	if (found)
		return found < 0 ? found : type == DT_DIR ? 0 : -ENOTDIR;
	found = get_node(restore->from, old_ino, 0, &old);
	if (found == 0)
		found = make_dir(restore, parent, name, length, &step->dir);
	if (found == 0)
		found = put_old(restore, step->dir, &old, 2, parent);
	step->is_new = true;
	return found < 0 ? found : note_change(restore, parent, 1, was_new);
}

static int restore_name(struct restore *restore, const struct step *step, const char *name, size_t length)
{
	struct name old = { .length = length };
	uint64_t ino;
	uint32_t type = 0;
	int subdirs, ret = rows_name_get(restore->from, step->old_dir, name, length, 0, &old.ino, &old.type);
	int found =
	    ret > 0 ? rows_name_get(restore->db, step->dir, name, length, GEN_NEWEST, &ino, &type) : 0;

	if (ret <= 0 || found < 0)
		return ret < 0 ? ret : found < 0 ? found : -ENOENT;
	subdirs = (old.type == DT_DIR) - (found && type == DT_DIR);
	ret = 0;
	if (found && subdirs == 0 && type == DT_DIR) {
		ret = clear_dir(restore, ino, old.ino);
		return ret < 0 ? ret : fill_dir(restore, ino, old.ino, 0);
	}
	if (found && subdirs == 0)
		ret = keeps(restore, ino, old.ino);
	if (ret)
		return ret < 0 ? ret : 0;
	if (found)
		ret = drop(restore, step->dir, name, length, ino);
	if (ret == 0)
		ret = fill_name(restore, step->dir, name, &old);
	return ret < 0 ? ret : note_change(restore, step->dir, subdirs, step->is_new);
}

static int restore_path(struct restore *restore, const char *path)
{
	struct step step = { ROOT_INO, ROOT_INO, false };
	int ret = 0;

	path += strspn(path, "/");
	if (!*path) {
		ret = clear_dir(restore, ROOT_INO, ROOT_INO);
		return ret < 0 ? ret : fill_dir(restore, ROOT_INO, ROOT_INO, 0);
	}
	while (ret == 0) {
		size_t length = strcspn(path, "/");
		const char *rest = path + length + strspn(path + length, "/");

		if (length > NAME_LIMIT)
			return -ENOENT;
		if (!*rest)
			return restore_name(restore, &step, path, length);
		ret = step_down(restore, &step, path, length);
		path = rest;
	}
	return ret;
}

/* ---- the transaction ---- */

static int compare_inos(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void sort_touched(struct restore *restore)
{
	uint64_t *inos;
	size_t kept = 0;

	vec_each (&restore->names.list, name)
		touch(restore, name->parent); /* mostly known; without it the directory is laid out later */
	if (restore->touched.count == 0)
		return;
	inos = restore->touched.items;
	qsort(inos, restore->touched.count, sizeof *inos, compare_inos);
	for (size_t i = 1; i < restore->touched.count; i++)
		if (inos[i] != inos[kept])
			inos[++kept] = inos[i];
	restore->touched.count = kept + 1;
}

/* What the directories cost by the rows as they are. */
static void reckon(struct restore *restore)
{
	struct tree *tree = restore->tree;

	vec_each (&restore->touched, ino)
		dir_costs_suspect_any(tree, *ino);
	if (dir_costs_reckon(tree) < 0)
		dir_costs_distrust(tree);
}

static void set_counters(struct tree *tree, const struct node_counts *counts, uint64_t next_ino)
{
	tree->next_ino = next_ino;
	WITH_LOCK(&tree->account);
	tree->counts = *counts;
}

/* Needs both locks. */
static int change_rows(struct restore *restore, const char *path)
{
	struct tree *tree = restore->tree;
	struct node_counts counts = tree->counts, after = counts;
	uint64_t next_ino = tree->next_ino, before = tree_predicted_locked(tree);
	int ret = restore_path(restore, path);

	sort_touched(restore);
	if (ret == 0) {
		node_counts_add(&after, &restore->counts);
		set_counters(tree, &after, restore->next_ino);
		tree->costs.rows_only = true; /* memory follows when they are committed */
		reckon(restore);
		tree->costs.rows_only = false;
		ret = tree_check_room(tree, before);
	}
	if (ret == 0)
		ret = tree_flush_locked(tree);
	if (ret < 0) {
		db_rollback(&tree->db);
		set_counters(tree, &counts, next_ino);
		tree->stored_counts = counts;
		tree->stored_next_ino = next_ino;
		reckon(restore);
	}
	return ret;
}

static int restore_rows(struct restore *restore, struct tree *past, const char *path)
{
	struct tree *tree = restore->tree;
	int ret;

	WITH_LOCK(&tree->lock);
	WITH_LOCK(&past->lock);
	ret = tree_flush_locked(tree);
	if (ret == 0)
		ret = tree_growth_begin(tree);
	if (ret < 0)
		return ret;
	restore->next_ino = tree->next_ino;
	db_allow_spill(&tree->db, true);
	db_reads_begin(&past->db);
	ret = change_rows(restore, path);
	db_reads_end(&past->db);
	db_allow_spill(&tree->db, false);
	return ret;
}

static int restore_all(struct restore *restore, struct tree *past, const char *path)
{
	struct tree *tree = restore->tree;
	int ret;

	WITH_WRITE_LOCK(&tree->freeze);
	if (tree->frozen)
		return -EBUSY;
	ret = restore_rows(restore, past, path);
	if (ret < 0)
		return ret;
	ret = generation_settle(tree);
	{
		WITH_LOCK(&tree->lock);
		reckon(restore);
	}
	if (ret < 0) /* memory doesn't know what the rows say now */
		tree->broken = ret;
	return ret;
}

/* The kernel keeps its own idea of a known file's size (writeback cache): it has to forget each name of a
 * file that changed, and so the file. */
static void tell(struct restore *restore, uint64_t known, const struct discard_sink *sink)
{
	struct links changed CLEANUP(links_clear) = { 0 };

	vec_each (&restore->touched, ino)
		if (*ino < known && ino_map_get(&restore->old_of, *ino))
			links_add(&changed, restore->tree, *ino);
	vec_each (&restore->names.list, name)
		sink->name(sink->self, name->parent, link_name_bytes(&restore->names, name), name->length);
	vec_each (&changed.list, name)
		sink->name(sink->self, name->parent, link_name_bytes(&changed, name), name->length);
	vec_each (&restore->touched, ino)
		if (*ino < known)
			sink->inode(sink->self, *ino);
}

int restore_staged(struct tree *tree, struct tree *past, const char *path, const struct discard_sink *sink)
{
	struct restore restore CLEANUP(
	    restore_clear) = { .tree = tree, .db = &tree->db, .from = &past->db, .now_ns = tree_now_ns() };
	uint64_t known = tree_next_ino(tree);
	int ret = restore_all(&restore, past, path);

	/* Even after a failure: to forget too much does no harm. */
	if (sink)
		tell(&restore, known, sink);
	return ret;
}
