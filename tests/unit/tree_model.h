/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simplest tree that does what ours should: lists of names and nodes in memory. Paths by inode, no I/O.
 */
#pragma once

#include "store.h"

#include "model/xattr_set.h"

#include <linux/fs.h>

struct model_node {
	uint64_t ino;
	uint32_t mode;
	size_t size;
	uint8_t *data;
	int xattr; /* value of user.x; 0 = none */
};

struct model_name {
	uint64_t parent, ino;
	char name[4];
};

struct model {
	VEC(struct model_node) nodes;
	VEC(struct model_name) names;
};

static inline void model_clear(struct model *model)
{
	vec_each (&model->nodes, node)
		free(node->data);
	vec_clear(&model->nodes);
	vec_clear(&model->names);
}

static inline void model_copy(struct model *from, struct model *to)
{
	model_clear(to);
	vec_each (&from->nodes, node) {
		struct model_node *copy = vec_push(&to->nodes);

		*copy = *node;
		copy->data = malloc(node->size + 1);
		if (node->size)
			memcpy(copy->data, node->data, node->size);
	}
	vec_each (&from->names, name)
		*vec_push(&to->names) = *name;
}

static inline struct model_node *model_node(struct model *model, uint64_t ino)
{
	vec_each (&model->nodes, node)
		if (node->ino == ino)
			return node;
	return NULL;
}

static inline struct model_name *model_find(struct model *model, uint64_t parent, const char *name)
{
	vec_each (&model->names, at)
		if (at->parent == parent && strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

static inline unsigned model_links(struct model *model, uint64_t ino)
{
	unsigned count = 0;

	vec_each (&model->names, at)
		count += at->ino == ino;
	return count;
}

static inline bool model_is_dir(struct model *model, uint64_t ino)
{
	return S_ISDIR(model_node(model, ino)->mode);
}

static inline bool model_is_empty(struct model *model, uint64_t dir)
{
	vec_each (&model->names, at)
		if (at->parent == dir)
			return false;
	return true;
}

/* Is ino the directory itself or below it? */
static inline bool model_is_below(struct model *model, uint64_t ino, uint64_t dir)
{
	while (ino != dir && ino != ROOT_INO) {
		uint64_t parent = ROOT_INO;

		vec_each (&model->names, at)
			if (at->ino == ino)
				parent = at->parent;
		ino = parent;
	}
	return ino == dir;
}

static inline void model_add_node(struct model *model, uint64_t ino, uint32_t mode)
{
	*vec_push(&model->nodes) = (struct model_node){ .ino = ino, .mode = mode, .data = malloc(1) };
}

static inline void model_add_name(struct model *model, uint64_t parent, const char *name, uint64_t ino)
{
	struct model_name *at = vec_push(&model->names);

	*at = (struct model_name){ .parent = parent, .ino = ino };
	snprintf(at->name, sizeof at->name, "%s", name);
}

/* Takes a name away, and the node with its last one. Returns true when the node went. */
static inline bool model_remove(struct model *model, struct model_name *name)
{
	uint64_t ino = name->ino;
	struct model_node *node = model_node(model, ino);

	*name = model->names.items[--model->names.count];
	if (model_links(model, ino))
		return false;
	free(node->data);
	*node = model->nodes.items[--model->nodes.count];
	return true;
}

static inline void model_resize(struct model_node *node, size_t size)
{
	node->data = realloc(node->data, size + 1);
	if (size > node->size)
		memset(node->data + node->size, 0, size - node->size);
	node->size = size;
}

static inline void model_check_node(struct model *model, struct store *store, const struct model_node *node)
{
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct xattr_view view;
	struct node_attr attr;
	struct inode *inode;
	uint8_t *data;
	char digits[16] = "";

	assert_int_equal(tree_attr(store->tree, node->ino, &attr), 0);
	assert_int_equal(attr.mode, node->mode);
	assert_int_equal(attr.size, node->size);
	assert_int_equal(tree_xattrs(store->tree, node->ino, &set), 0);
	assert_int_equal(xattr_set_find(&set, "user.x", &view), node->xattr != 0);
	if (node->xattr) {
		snprintf(digits, sizeof digits, "%d", node->xattr);
		assert_int_equal(view.value_length, strlen(digits));
		assert_memory_equal(view.value, digits, view.value_length);
	}
	if (!S_ISREG(node->mode))
		return;
	assert_int_equal(tree_get(store->tree, node->ino, &inode), 0);
	data = malloc(node->size + 1);
	assert_int_equal(body_read(store->tree, inode, data, node->size + 1, 0), node->size);
	if (node->size)
		assert_memory_equal(data, node->data, node->size);
	free(data);
	tree_put(store->tree, inode);
}

struct model_listing {
	struct model *model;
	uint64_t dir;
	char last[8];
	size_t count;
};

static inline int model_check_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	struct model_listing *listing = (struct model_listing *)self;
	char word[8] = "";
	const struct model_name *at;

	assert_true(length < sizeof word);
	memcpy(word, name, length);
	assert_true(strcmp(listing->last, word) < 0);
	memcpy(listing->last, word, sizeof word);
	at = model_find(listing->model, listing->dir, word);
	assert_non_null(at);
	assert_int_equal(at->ino, ino);
	assert_int_equal(model_node(listing->model, ino)->mode >> 12, type);
	listing->count++;
	return 0;
}

/* The tree shows what the model holds: no more, no less. */
static inline void model_check(struct model *model, struct store *store)
{
	size_t names = 0;

	vec_each (&model->nodes, node) {
		struct model_listing listing = { .model = model, .dir = node->ino };

		model_check_node(model, store, node);
		if (S_ISDIR(node->mode))
			assert_int_equal(tree_list(store->tree, node->ino, model_check_name, &listing), 0);
		names += listing.count;
	}
	assert_int_equal(names, model->names.count);
}

/* Makes the model what the tree shows. */
struct model_reading {
	struct model *model;
	uint64_t dir;
};

static inline int model_read_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	struct model_reading *reading = (struct model_reading *)self;
	char word[4] = "";

	memcpy(word, name, length < sizeof word ? length : sizeof word - 1);
	if (!model_node(reading->model, ino))
		model_add_node(reading->model, ino, type << 12);
	model_add_name(reading->model, reading->dir, word, ino);
	return 0;
}

static inline void model_read_node(struct store *store, struct model_node *node)
{
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct xattr_view view;
	struct node_attr attr;
	struct inode *inode;
	char digits[16] = "";

	assert_int_equal(tree_attr(store->tree, node->ino, &attr), 0);
	node->mode = attr.mode;
	assert_int_equal(tree_xattrs(store->tree, node->ino, &set), 0);
	if (xattr_set_find(&set, "user.x", &view)) {
		memcpy(digits, view.value, view.value_length);
		node->xattr = atoi(digits);
	}
	model_resize(node, attr.size);
	if (!S_ISREG(node->mode))
		return;
	assert_int_equal(tree_get(store->tree, node->ino, &inode), 0);
	assert_int_equal(body_read(store->tree, inode, node->data, attr.size, 0), attr.size);
	tree_put(store->tree, inode);
}

static inline void model_read(struct model *model, struct store *store)
{
	model_clear(model);
	model_add_node(model, ROOT_INO, S_IFDIR);
	for (size_t i = 0; i < model->nodes.count; i++) {
		struct model_reading reading = { .model = model, .dir = model->nodes.items[i].ino };

		model_read_node(store, &model->nodes.items[i]);
		if (S_ISDIR(model->nodes.items[i].mode))
			assert_int_equal(tree_list(store->tree, reading.dir, model_read_name, &reading), 0);
	}
}
