/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/verify_udf.h"

#include "disc/udf_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECTION_MOST (UINT64_C(1) << 30)

struct collecting {
	struct udf_files *files;
	VEC(char *) paths;    /* by ino - 1: of directories */
	VEC(uint32_t) places; /* by ino - 1: 1 + index of a file's first name, 0: not a file */
	bool open;	      /* the newest of files is a new one: extents are its */
	uint64_t bytes;	      /* that it should have */
	int (*lost)(void *self, const char *text);
	void *self;
	struct reason *why;
};

static void collecting_clear(struct collecting *collecting)
{
	vec_each (&collecting->paths, path)
		free(*path);
	vec_clear(&collecting->paths);
	vec_clear(&collecting->places);
}

void udf_files_clear(struct udf_files *files)
{
	vec_each (&files->items, file) {
		free(file->path);
		free(file->sections);
	}
	vec_clear(&files->items);
}

static int no_memory(struct collecting *collecting)
{
	return reason_set(collecting->why, ENOMEM, "out of memory");
}

static char *make_path(const struct collecting *collecting, const struct verb_node *node)
{
	const char *parent = node->parent ? collecting->paths.items[node->parent - 1] : NULL;
	char *path = NULL;

	if (!node->parent)
		return strdup("");
	if (asprintf(&path, "%s/%.*s", parent ? parent : "", (int)node->name_length, node->name) < 0)
		return NULL;
	return path;
}

/* All of it lies in one row of sectors. */
static void close_file(struct collecting *collecting)
{
	struct udf_files *files = collecting->files;

	if (collecting->open && files->items.items[files->items.count - 1].size != collecting->bytes)
		files->items.items[files->items.count - 1].plain = false;
	collecting->open = false;
}

static int add_file(struct collecting *collecting, char **path)
{
	struct udf_body *file = vec_push(&collecting->files->items);

	if (!file)
		return no_memory(collecting);
	*file = (struct udf_body){ .path = TAKE(*path), .plain = true };
	return 0;
}

/* A further name of a file that came before. */
static int add_again(struct collecting *collecting, const struct verb_node *node, char **path)
{
	uint32_t place = collecting->places.items[node->attr.ino - 1];
	const struct udf_body *first;
	struct udf_body *file;

	if (!place)
		return 0;
	if (add_file(collecting, path) < 0)
		return -ENOMEM;
	file = &collecting->files->items.items[collecting->files->items.count - 1];
	first = &collecting->files->items.items[place - 1];
	file->sections = calloc(first->count + 1, sizeof *file->sections);
	if (!file->sections)
		return no_memory(collecting);
	if (first->count)
		memcpy(file->sections, first->sections, first->count * sizeof *file->sections);
	file->count = first->count;
	file->lba = first->lba;
	file->size = first->size;
	file->plain = first->plain;
	return 0;
}

static int take_node(void *self, const struct verb_node *node)
{
	struct collecting *collecting = (struct collecting *)self;
	AUTO_FREE char *path = make_path(collecting, node);
	char **dir;
	uint32_t *place;

	close_file(collecting);
	if (!path)
		return no_memory(collecting);
	if (node->again)
		return add_again(collecting, node, &path);
	dir = vec_push(&collecting->paths);
	place = vec_push(&collecting->places);
	if (!dir || !place)
		return no_memory(collecting);
	*dir = S_ISDIR(node->attr.mode) ? TAKE(path) : NULL;
	*place = 0;
	if (!S_ISREG(node->attr.mode))
		return 0;
	if (add_file(collecting, &path) < 0)
		return -ENOMEM;
	*place = (uint32_t)collecting->files->items.count;
	collecting->open = true;
	collecting->bytes = node->attr.size;
	return 0;
}

static int add_section(struct collecting *collecting, struct udf_body *file, uint64_t lba, uint64_t bytes)
{
	struct iso_file_section *grown = realloc(file->sections, (file->count + 1) * sizeof *file->sections);

	if (!grown)
		return no_memory(collecting);
	file->sections = grown;
	file->sections[file->count++] = (struct iso_file_section){ (uint32_t)lba, (uint32_t)bytes };
	return 0;
}

/* Content may lie beside a file's entry: such a sector is read, but its sum would be of other things. */
static int take_extent(void *self, const struct extent *extent)
{
	struct collecting *collecting = (struct collecting *)self;
	struct udf_body *file = &collecting->files->items.items[collecting->files->items.count - 1];
	uint64_t lba = extent->origin / SECTOR, within = extent->origin % SECTOR, left = extent->length;
	int got = 0;

	if (!collecting->open)
		return 0;
	if (file->count == 0)
		file->lba = lba;
	else if (lba != file->lba + sectors_of(file->size) || file->size % SECTOR)
		file->plain = false;
	file->plain = file->plain && within == 0;
	file->size += extent->length;
	left += within;
	while (got == 0 && left) {
		uint64_t bytes = min_u64(left, SECTION_MOST);

		got = add_section(collecting, file, lba, bytes);
		lba += bytes / SECTOR;
		left -= bytes;
	}
	return got;
}

static int take_xattr(void *self, const struct verb_xattr *xattr)
{
	return 0;
}

static int take_text(void *self, const char *text)
{
	return 0;
}

static int take_lost(void *self, const char *text)
{
	struct collecting *collecting = (struct collecting *)self;

	return collecting->lost(collecting->self, text);
}

int verify_udf_collect(const struct source *source, uint64_t session, struct udf_files *ret,
		       int (*lost)(void *self, const char *text), void *self, struct reason *why)
{
	static const struct tree_sink sink = { .node = take_node,
					       .xattr = take_xattr,
					       .extent = take_extent,
					       .warning = take_text,
					       .lost = take_lost,
					       .doubt = take_text };
	CLEANUP(collecting_clear)
	struct collecting collecting = { .files = ret, .lost = lost, .self = self, .why = why };
	struct verb_imported imported;
	/* what lies beyond the medium's end is known and can't be read */
	int got = udf_read_tree(source, session, UINT32_MAX, &sink, &collecting, &imported, why);

	close_file(&collecting);
	return got;
}
