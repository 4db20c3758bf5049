/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_read.h"

#include "base/vec.h"
#include "disc/iso_attr.h"
#include "disc/iso_import.h"
#include "disc/iso_links.h"
#include "disc/iso_sums.h"
#include "disc/own_sums.h"
#include "disc/volume.h"
#include "model/xattr_set.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct reading {
	const struct source *source;
	const struct tree_sink *sink;
	void *self;
	struct iso_import import;
	struct iso_sums sums;
	VEC(struct iso_entry) entries;
	uint64_t *inos;	 /* by entry; 0 = not sent yet */
	uint32_t *names; /* by entry: how many names its file has; counted at the leader */
	uint64_t next_ino;
	uint64_t limit;
	uint32_t warnings;
	uint64_t losses;
	bool is_ours; /* the session was written by this program */
	struct reason *why;
};

static void reading_clear(struct reading *reading)
{
	vec_clear(&reading->entries);
	free(reading->inos);
	free(reading->names);
	iso_sums_close(&reading->sums);
	iso_import_close(&reading->import);
}

static void warn(void *self, const char *text)
{
	struct reading *reading = (struct reading *)self;

	if (reading->warnings++ < 100)
		reading->sink->warning(reading->self, text);
}

static void tell_lost(void *self, const char *text)
{
	struct reading *reading = (struct reading *)self;

	reading->losses++;
	reading->sink->lost(reading->self, text);
}

static int tell_doubt(void *self, const char *text)
{
	struct reading *reading = (struct reading *)self;

	return reading->sink->doubt ? reading->sink->doubt(reading->self, text) : 0;
}

static void warn_node(struct reading *reading, IsoNode *node, const char *what)
{
	AUTO_FREE char *path = iso_tree_get_node_path(node);
	char text[400];

	snprintf(text, sizeof text, "%.300s: %s", path ? path : "?", what);
	warn(reading, text);
}

static bool name_is_legal(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	return length > 0 && length <= NAME_LIMIT && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static const char *why_unusable(IsoNode *node)
{
	if (!name_is_legal(iso_node_get_name(node)))
		return "left out: its name can't be used";
	if (iso_node_get_type(node) != LIBISO_SYMLINK)
		return NULL;
	return iso_symlink_get_dest((IsoSymlink *)node)[0] ? NULL : "left out: a symbolic link to nothing";
}

/* ---- collecting the entries ---- */

static int fill_sections(struct reading *reading, struct iso_entry *entry)
{
	AUTO_FREE struct iso_file_section *sections = NULL;
	IsoFile *file = (IsoFile *)entry->node;
	unsigned int fs;
	dev_t device;
	ino_t serial = 0;
	int count = 0;

	iso_stream_get_id(iso_file_get_stream(file), &fs, &device, &serial);
	entry->serial = (uint64_t)serial;
	if (iso_file_get_old_image_sections(file, &count, &sections, 0) < 0)
		return reason_set(reading->why, ENOMEM, "out of memory");
	for (int i = 0; i < count; i++)
		entry->size += sections[i].size;
	if (count > 0 && entry->size)
		entry->lba = sections[0].block;
	return 0;
}

/* Of a damaged disc: is all of its content within what the disc records? */
static bool within_disc(struct reading *reading, IsoNode *node)
{
	AUTO_FREE struct iso_file_section *sections = NULL;
	AUTO_FREE char *path = NULL;
	char text[400];
	int count = 0;
	bool within = true;

	if (!reading->sink->lost || iso_node_get_type(node) != LIBISO_FILE ||
	    iso_file_get_old_image_sections((IsoFile *)node, &count, &sections, 0) < 0)
		return true;
	for (int i = 0; i < count; i++)
		within =
		    within && (sections[i].size == 0 ||
			       range_within(sections[i].block, sectors_of(sections[i].size), reading->limit));
	if (within)
		return true;
	path = iso_tree_get_node_path(node);
	snprintf(text, sizeof text, "%.300s: its content is said to lie beyond the end of the disc",
		 path ? path : "?");
	tell_lost(reading, text);
	return false;
}

static int add_entry(struct reading *reading, IsoNode *node, uint32_t parent)
{
	struct iso_entry *entry = vec_push(&reading->entries);

	if (!entry || reading->entries.count >= UINT32_MAX)
		return reason_set(reading->why, ENOMEM, "out of memory");
	*entry = (struct iso_entry){ .node = node, .parent = parent, .lba = NO_EXTENT };
	entry->is_dir = iso_node_get_type(node) == LIBISO_DIR;
	return iso_node_get_type(node) == LIBISO_FILE ? fill_sections(reading, entry) : 0;
}

/* Where genisoimage keeps directories that are too deep for ISO 9660. libisofs puts them back in their
 * places, and the empty shelf is left. Sessions of our own have none: a directory of that name is somebody's.
 */
static bool is_empty_shelf(const struct reading *reading, uint32_t parent, IsoNode *node)
{
	const char *name = iso_node_get_name(node);

	if (parent != 0 || reading->is_ours || iso_node_get_type(node) != LIBISO_DIR)
		return false;
	if (strcmp(name, "rr_moved") != 0 && strcmp(name, ".rr_moved") != 0)
		return false;
	return iso_dir_get_children_count((IsoDir *)node) == 0;
}

/* Depth was limited when the tree was built. */
static int collect_dir(struct reading *reading, IsoDir *dir, uint32_t index)
{
	IsoDirIter *iter = NULL;
	IsoNode *node;
	int got = 0;

	if (iso_dir_get_children(dir, &iter) < 0)
		return reason_set(reading->why, ENOMEM, "out of memory");
	while (got == 0 && iso_dir_iter_next(iter, &node) == 1) {
		uint32_t own = (uint32_t)reading->entries.count;
		const char *unusable = why_unusable(node);

		if (unusable) {
			warn_node(reading, node, unusable);
			continue;
		}
		if (is_empty_shelf(reading, index, node) || !within_disc(reading, node))
			continue;
		got = add_entry(reading, node, index);
		if (got == 0 && iso_node_get_type(node) == LIBISO_DIR)
			got = collect_dir(reading, (IsoDir *)node, own);
	}
	iso_dir_iter_free(iter);
	return got;
}

/* In a damaged tree names are taken for files of their own where that can't be told. */
static int find_links(struct reading *reading)
{
	struct reason why = { 0 };
	int got = iso_links_find(reading->entries.items, (uint32_t)reading->entries.count, reading->source,
				 reading->import.session, &why);

	if (got == -EIO && reading->sink->lost)
		return 0;
	return got < 0 ? reason_set(reading->why, -got, "%s", why.text) : 0;
}

static int collect_tree(struct reading *reading)
{
	IsoDir *root = iso_image_get_root(reading->import.image);
	int got = add_entry(reading, (IsoNode *)root, 0);

	if (got == 0)
		got = collect_dir(reading, root, 0);
	if (got == 0)
		got = find_links(reading);
	if (got < 0)
		return got;
	reading->inos = calloc(reading->entries.count, sizeof *reading->inos);
	reading->names = calloc(reading->entries.count, sizeof *reading->names);
	if (!reading->inos || !reading->names)
		return reason_set(reading->why, ENOMEM, "out of memory");
	vec_each (&reading->entries, entry)
		reading->names[entry->leader]++;
	return 0;
}

/* ---- sending one of them ---- */

static int send_xattrs(struct reading *reading, IsoNode *node)
{
	CLEANUP(blob_clear) struct blob set = { 0 };
	struct xattr_view view;
	int got = iso_attr_read(node, &set);

	if (got == -ENOMEM)
		return got;
	if (got < 0)
		warn_node(reading, node, "some of its extended attributes are damaged");
	got = 0;
	for (size_t at = 0; got == 0 && xattr_set_next(&set, &at, &view);) {
		struct verb_xattr xattr = { view.name, view.name_length, view.value, view.value_length };

		got = reading->sink->xattr(reading->self, &xattr);
	}
	return got;
}

static int send_extent(struct reading *reading, IsoNode *node, uint64_t lba, uint64_t offset, uint64_t length)
{
	struct extent extent = { offset, length, lba * SECTOR, EXTENT_DISC };
	AUTO_FREE char *path = NULL;

	if (range_within(lba, sectors_of(length), reading->limit))
		return reading->sink->extent(reading->self, &extent);
	path = iso_tree_get_node_path(node);
	return reason_set(reading->why, EIO,
			  "%.200s: its content is recorded at sectors %" PRIu64 "..%" PRIu64
			  " but the medium ends at %" PRIu64 ": truncated or damaged",
			  path ? path : "a file", lba, lba + sectors_of(length) - 1, reading->limit);
}

static int send_sections(struct reading *reading, IsoNode *node)
{
	AUTO_FREE struct iso_file_section *sections = NULL;
	uint64_t offset = 0;
	int count = 0, got = 0;

	if (iso_file_get_old_image_sections((IsoFile *)node, &count, &sections, 0) < 0)
		return reason_set(reading->why, ENOMEM, "out of memory");
	for (int i = 0; got == 0 && i < count; i++) {
		if (sections[i].size)
			got = send_extent(reading, node, sections[i].block, offset, sections[i].size);
		offset += sections[i].size;
	}
	return got;
}

static int send_catalog(struct reading *reading, IsoNode *node, uint64_t size)
{
	AUTO_FREE char *content = NULL;
	IsoBoot *catalog = NULL;
	uint32_t lba = 0;
	off_t recorded = 0;

	if (size == 0 ||
	    iso_image_get_bootcat(reading->import.image, &catalog, &lba, &content, &recorded) != 1)
		return 0;
	return send_extent(reading, node, lba, 0, size);
}

/* The payload of a SUSP ZF entry (zisofs_format.txt), rebuilt from what libisofs tells of it. 0 when node
 * isn't compressed. */
static size_t make_zf(IsoNode *node, uint8_t ret[12])
{
	IsoStream *stream = iso_file_get_stream((IsoFile *)node);
	uint8_t algorithm[2], number;
	uint64_t size;
	int type, log2;

	if (iso_stream_get_zisofs_par(stream, &type, algorithm, &number, &log2, 0) != 1)
		return 0;
	size = (uint64_t)iso_stream_get_size(stream);
	memcpy(ret, algorithm, 2);
	ret[2] = algorithm[0] == 'P' ? 6 : 4; /* header of 24 or 16 bytes */
	ret[3] = (uint8_t)log2;
	put_le32(ret + 4, (uint32_t)size);
	if (algorithm[0] == 'P')
		put_le32(ret + 8, (uint32_t)(size >> 32));
	else
		put_be32(ret + 8, (uint32_t)size);
	return 12;
}

static uint64_t catalog_size(struct reading *reading)
{
	AUTO_FREE char *content = NULL;
	IsoBoot *catalog = NULL;
	uint32_t lba = 0;
	off_t size = 0;

	return iso_image_get_bootcat(reading->import.image, &catalog, &lba, &content, &size) == 1
		   ? (uint64_t)size
		   : 0;
}

static void fill_attr(struct reading *reading, const struct iso_entry *entry, struct node_attr *ret)
{
	IsoNode *node = entry->node;

	*ret = (struct node_attr){
		.mode = iso_node_get_mode(node) & (S_IFMT | 07777),
		.uid = iso_node_get_uid(node),
		.gid = iso_node_get_gid(node),
		.nlink = entry->is_dir ? 2 : reading->names[entry->leader],
		.atime_ns = (int64_t)iso_node_get_atime(node) * NS_PER_SEC,
		.mtime_ns = (int64_t)iso_node_get_mtime(node) * NS_PER_SEC,
		.ctime_ns = (int64_t)iso_node_get_ctime(node) * NS_PER_SEC,
	};
	if (iso_node_get_type(node) == LIBISO_FILE)
		ret->size = entry->size;
	else if (iso_node_get_type(node) == LIBISO_BOOT)
		ret->size = catalog_size(reading);
	if (S_ISBLK(ret->mode) || S_ISCHR(ret->mode))
		ret->rdev = iso_special_get_dev((IsoSpecial *)node);
}

static int send_body(struct reading *reading, const struct iso_entry *entry, const struct verb_node *node)
{
	int got = send_xattrs(reading, entry->node);

	if (got == 0 && iso_node_get_type(entry->node) == LIBISO_FILE)
		got = send_sections(reading, entry->node);
	if (got == 0 && iso_node_get_type(entry->node) == LIBISO_BOOT)
		got = send_catalog(reading, entry->node, node->attr.size);
	return got;
}

static int send_entry(struct reading *reading, uint32_t index)
{
	const struct iso_entry *entry = &reading->entries.items[index];
	uint8_t md5[MD5_LENGTH], zf[12];
	struct verb_node node = { .again = entry->leader != index };
	int got;

	fill_attr(reading, entry, &node.attr);
	if (!node.again)
		reading->inos[index] = ++reading->next_ino;
	node.attr.ino = reading->inos[entry->leader];
	if (index > 0) {
		node.parent = reading->inos[entry->parent];
		node.name = iso_node_get_name(entry->node);
		node.name_length = strlen(node.name);
	}
	if (iso_node_get_type(entry->node) == LIBISO_SYMLINK) {
		const char *target = iso_symlink_get_dest((IsoSymlink *)entry->node);

		node.target = (const uint8_t *)target;
		node.target_length = strlen(target);
		node.attr.size = node.target_length;
	}
	if (iso_node_get_type(entry->node) == LIBISO_FILE) {
		if (iso_sums_find(&reading->sums, reading->import.image, (IsoFile *)entry->node, md5))
			node.md5 = md5;
		node.zf_length = make_zf(entry->node, zf);
		node.zf = node.zf_length ? zf : NULL;
	}
	got = reading->sink->node(reading->self, &node);
	return got || node.again ? got : send_body(reading, entry, &node);
}

/* Without sums that agree, the directories themselves must show that they're whole. */
static int check_dirs(struct reading *reading)
{
	struct iso_import *import = &reading->import;
	enum iso_trees tree = iso_import_tree(import);
	struct tree_faults *faults = &import->faults[tree];
	int got = reading->sink->lost ? 0 : iso_import_check(import, tree, reading->why);

	vec_each (&faults->items, fault) {
		if (got < 0)
			return got;
		if (fault->kind == TREE_ODD)
			got = tell_doubt(reading, fault->text);
		else if (reading->sink->lost)
			tell_lost(reading, fault->text);
		else
			return reason_set(reading->why, EIO, "%s", fault->text);
	}
	return got < 0 ? got : 0;
}

int iso_read_check_root(const struct source *source, uint64_t session, uint64_t limit,
			const struct tree_sink *sink, void *self, struct reason *why)
{
	int got =
	    tree_check_root(source, session, limit ? min_u64(limit, source->sectors) : source->sectors, why);

	return got == 0 && sink->doubt
		   ? sink->doubt(self,
				 "the first directory of its tree of ISO 9660 is damaged: another tree is "
				 "shown, which can lack names, owners and modes")
		   : (got < 0 ? got : 0);
}

/* The sums of a session that was just written are compared when all of it is known. */
static int check_tree(struct reading *reading, uint64_t session)
{
	struct iso_sums *sums = &reading->sums;
	int got;

	if (reading->sink->own)
		return 0;
	got = iso_sums_open(sums, reading->source, reading->import.inner, reading->import.image, tell_doubt,
			    reading, reading->why);
	if (got < 0 || sums->tree == ISO_SUMS_GOOD)
		return got;
	if (reading->import.format == FORMAT_JOLIET)
		got = iso_read_check_root(reading->source, session, reading->import.medium.limit,
					  reading->sink, reading->self, reading->why);
	return got < 0 ? got : check_dirs(reading);
}

int iso_read_start(struct reason *why)
{
	char severity[] = "FAILURE";

	iso_lib_charsets();
	return iso_lib_start(severity, why);
}

int iso_read_tree(const struct source *source, uint64_t session, uint64_t limit, uint32_t format,
		  const struct tree_sink *sink, void *self, struct verb_imported *ret, struct reason *why)
{
	CLEANUP(reading_clear)
	struct reading reading = { .source = source, .sink = sink, .self = self, .why = why };
	struct volume volume;
	const char *label;
	int got = volume_read_either(source, session, &volume, why);

	reading.is_ours = got > 0 && volume.ours;
	reading.limit = limit ? min_u64(limit, source->sectors) : source->sectors;
	if (limit && sink->lost) /* what is cut off is EIO when it's read */
		reading.limit = limit;
	if (got >= 0 && sink->lost)
		got = iso_import_open_partly(&reading.import, source, session, limit, format, warn, tell_lost,
					     &reading, why);
	else if (got >= 0)
		got = iso_import_open(&reading.import, source, session, limit, format, warn, &reading, why);
	if (got == 0)
		got = check_tree(&reading, session);
	if (got == 0)
		got = collect_tree(&reading);
	for (uint32_t i = 0; got == 0 && i < reading.entries.count; i++)
		got = send_entry(&reading, i);
	if (got == 0 && sink->own)
		got = own_sums_check(source, reading.import.inner, reading.import.image, why);
	if (got < 0)
		return reason_set(why, -got, "the import broke off: %s", strerror(-got));
	label = iso_image_get_volume_id(reading.import.image);
	*ret = (struct verb_imported){ .nodes = reading.next_ino,
				       .format = reading.import.format,
				       .warnings = reading.warnings };
	snprintf(ret->label, sizeof ret->label, "%s", label ? label : "");
	return 0;
}
