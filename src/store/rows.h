/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single rows of the tree's tables: names with their whiteouts, nodes with everything in them. Needs the
 * tree's lock. */
#pragma once

#include "store/db.h"
#include "model/node.h"

#define GEN_NEWEST UINT32_MAX

/* The name as seen in generations up to gen. 1 = found, 0 = no such name (or whited out), or -errno. */
int rows_name_get(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen,
		  uint64_t *ret_ino, uint32_t *ret_type);
/* Adds or replaces the name in generation gen. */
int rows_name_put(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen, uint64_t ino,
		  uint32_t type);
/* The name as it is now, like rows_name_get; and whether a generation below gen has it too, so that only a
 * whiteout (a name with ino 0) makes it go. */
int rows_name_place(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen,
		    uint64_t *ret_ino, bool *ret_covers);
/* Removes the row of generation gen only: what lower generations say shows again. */
int rows_name_delete(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen);
/* Each name of a directory as seen up to gen, in byte order, with the generation that gave it. entry's
 * nonzero return ends it and is returned. */
typedef int rows_name_fn(void *self, const char *name, size_t length, uint64_t ino, uint32_t type,
			 uint32_t gen);
int rows_name_list(struct db *db, uint64_t parent, uint32_t gen, rows_name_fn *entry, void *self);
/* Each name that the base has for a node. entry's nonzero return ends it and is returned. */
typedef int rows_place_fn(void *self, uint64_t parent, const char *name, size_t length);
int rows_base_names(struct db *db, uint64_t ino, rows_place_fn *entry, void *self);
/* 1 = the directory has a child, 0 = it's empty, or -errno. */
int rows_has_child(struct db *db, uint64_t parent);

/* Reads a node as seen up to gen into an empty ret. 1 = found, 0 = none, or -errno. */
int rows_node_get(struct db *db, uint64_t ino, uint32_t gen, struct node *ret, uint32_t *ret_gen);
int rows_node_attr(struct db *db, uint64_t ino, struct node_attr *ret);
int rows_node_put(struct db *db, const struct node *node, uint32_t gen);
int rows_node_delete(struct db *db, uint64_t ino, uint32_t gen);
/* 1 = a row of a generation below gen exists, 0 = none, or -errno. */
int rows_node_below(struct db *db, uint64_t ino, uint32_t gen);
/* The same for a generation above gen. */
int rows_node_above(struct db *db, uint64_t ino, uint32_t gen);
/* The directory that a directory's row as seen up to gen names, and whether it's gone. 1 = found, 0 = none,
 * or -errno. */
int rows_node_parent(struct db *db, uint64_t ino, uint32_t gen, uint64_t *ret_parent, bool *ret_gone);
/* Each staged node row. node is the callback's to take from. */
typedef int rows_node_fn(void *self, struct node *node, uint32_t gen);
int rows_node_staged(struct db *db, rows_node_fn *entry, void *self);

/* The content of each regular file that isn't gone, as seen up to gen, with inode numbers in [from, to); in
 * no order. map is borrowed. */
typedef int rows_body_fn(void *self, uint64_t ino, uint64_t size, const struct extent_map *map);
int rows_bodies(struct db *db, uint64_t from, uint64_t to, uint32_t gen, rows_body_fn *entry, void *self);

/* Each name of a node as seen up to gen, in no order. entry's nonzero return ends it and is returned. */
typedef int rows_link_fn(void *self, uint64_t parent, const char *name, size_t length);
int rows_names_of(struct db *db, uint64_t ino, uint32_t gen, rows_link_fn *entry, void *self);

/* The path of a node as seen up to gen, without a leading slash; "" for the root. Follows the first name
 * found. 0, -ENOENT when no name leads there, or -errno. */
struct text;
int rows_path(struct db *db, uint64_t ino, uint32_t gen, struct text *ret);
/* The path of the name under a parent. */
int rows_path_of_name(struct db *db, uint64_t parent, const char *name, size_t length, uint32_t gen,
		      struct text *ret);
