/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_tree.h"

#include "disc/iso_attr.h"
#include "disc/iso_boot.h"
#include "model/layout.h"

#include <errno.h>
#include <string.h>

struct building {
	struct body_context *context;
	const struct plan *plan;
	IsoImage *image;
	IsoNode **references; /* by number - 1; each a reference of ours until it's in the tree */
	uint32_t reference_count;
	IsoDir **dirs; /* by node; borrowed from the tree */
	struct reason *why;
};

static void building_clear(struct building *building)
{
	for (uint32_t i = 0; building->references && i < building->reference_count; i++)
		if (building->references[i])
			iso_node_unref(building->references[i]);
	free(building->references);
	free(building->dirs);
}

static int no_memory(const struct building *building)
{
	return reason_set(building->why, ENOMEM, "out of memory");
}

static int refused(const struct building *building, uint32_t node, int code)
{
	char path[300];

	plan_path(building->plan, node, path, sizeof path);
	return iso_lib_failed(code, path, building->why);
}

/* Moves the imported records out of the image's root. */
static int take_references(struct building *building, const struct synth *synth)
{
	IsoDirIter *iter = NULL;
	IsoNode *node;
	int code = iso_dir_get_children(iso_image_get_root(building->image), &iter);

	if (code < 0)
		return no_memory(building);
	while (iso_dir_iter_next(iter, &node) == 1) {
		uint32_t number = synth_number(iso_node_get_name(node));

		code = iso_dir_iter_take(iter);
		if (code < 0)
			break;
		if (number == 0 || number > synth->records || building->references[number - 1])
			iso_node_unref(node);
		else
			building->references[number - 1] = node;
	}
	iso_dir_iter_free(iter);
	for (uint32_t i = 0; code >= 0 && i < synth->records; i++)
		if (!building->references[i])
			return reason_set(building->why, EIO,
					  "libisofs lost reference %u of %u to an old file", i + 1,
					  synth->records);
	return code < 0 ? iso_lib_failed(code, "the references to old files", building->why) : 0;
}

/* ---- one node ---- */

/* name: NULL for the root. */
static uint32_t filler_of(const struct node *node, const char *name)
{
	struct record_facts facts;

	record_facts_of(node, &facts);
	return name ? record_filler(&facts, strlen(name)) : root_filler(&facts);
}

static int set_attributes(const struct building *building, IsoNode *node, uint32_t index, const char *name,
			  uint32_t reference)
{
	const struct node *from = &building->plan->nodes.items[index].node;
	int got;

	iso_node_set_permissions(node, from->attr.mode & 07777);
	iso_node_set_uid(node, from->attr.uid);
	iso_node_set_gid(node, from->attr.gid);
	iso_node_set_atime(node, (time_t)(node_time_on_disc(from->attr.atime_ns) / NS_PER_SEC));
	iso_node_set_mtime(node, (time_t)(node_time_on_disc(from->attr.mtime_ns) / NS_PER_SEC));
	iso_node_set_ctime(node, (time_t)(node_time_on_disc(from->attr.ctime_ns) / NS_PER_SEC));
	got = iso_attr_write(node, &from->xattrs, reference && from->md5.length == MD5_LENGTH ? reference : 0,
			     filler_of(from, name));
	if (got < 0) {
		char path[300];

		return reason_set(building->why, -got, "%s: its extended attributes can't be recorded: %s",
				  plan_path(building->plan, index, path, sizeof path), strerror(-got));
	}
	return 0;
}

static int target_of(const struct node *node, char **ret)
{
	*ret = strndup((const char *)node->target.data, node->target.length);
	return *ret ? 0 : -ENOMEM;
}

static int add_reference(struct building *building, const struct plan_name *name, IsoDir *parent,
			 IsoNode **ret)
{
	const struct node *from = &building->plan->nodes.items[name->node].node;
	IsoNode *node = building->references[name->reference - 1];
	AUTO_FREE char *target = NULL;
	int code = iso_node_set_name(node, name->name);

	if (code >= 0 && S_ISLNK(from->attr.mode)) {
		if (target_of(from, &target) < 0)
			return no_memory(building);
		code = iso_symlink_set_dest((IsoSymlink *)node, target);
	}
	if (code >= 0)
		code = iso_dir_add_node(parent, node, ISO_REPLACE_NEVER);
	if (code < 0)
		return refused(building, name->node, code);
	building->references[name->reference - 1] = NULL; /* the tree owns it */
	*ret = node;
	return 0;
}

static int add_file(struct building *building, const struct plan_name *name, IsoDir *parent, IsoNode **ret)
{
	IsoStream *stream = NULL;
	IsoFile *file = NULL;
	int code;

	if (body_stream_new(building->context, name->node, &stream) < 0)
		return no_memory(building);
	code = iso_tree_add_new_file(parent, name->name, stream, &file);
	if (code < 0) {
		iso_stream_unref(stream);
		return refused(building, name->node, code);
	}
	*ret = (IsoNode *)file;
	return 0;
}

static int add_symlink(struct building *building, const struct plan_name *name, IsoDir *parent, IsoNode **ret)
{
	AUTO_FREE char *target = NULL;
	IsoSymlink *link = NULL;
	int code;

	if (target_of(&building->plan->nodes.items[name->node].node, &target) < 0)
		return no_memory(building);
	code = iso_tree_add_new_symlink(parent, name->name, target, &link);
	*ret = (IsoNode *)link;
	return code < 0 ? refused(building, name->node, code) : 0;
}

static int add_other(struct building *building, const struct plan_name *name, IsoDir *parent, IsoNode **ret)
{
	const struct node_attr *attr = &building->plan->nodes.items[name->node].node.attr;
	IsoSpecial *special = NULL;
	IsoDir *dir = NULL;
	int code;

	if (S_ISDIR(attr->mode)) {
		code = iso_tree_add_new_dir(parent, name->name, &dir);
		building->dirs[name->node] = dir;
		*ret = (IsoNode *)dir;
	} else {
		code = iso_tree_add_new_special(parent, name->name, attr->mode, attr->rdev, &special);
		*ret = (IsoNode *)special;
	}
	return code < 0 ? refused(building, name->node, code) : 0;
}

/* A name that is nothing but the beginning of a UTF-8 sequence: libisofs' conversion for Joliet leaves
 * nothing of it and gives up. Other bytes that aren't UTF-8 become "_" there; Rock Ridge carries all of them
 * as they are. */
static bool is_lost_in_joliet(const char *name)
{
	uint16_t units[NAME_JOLIET_MOST];

	return name_to_joliet(name, strlen(name), true, units) == 0;
}

static int add_name(struct building *building, const struct plan_name *name)
{
	const struct plan_node *at = &building->plan->nodes.items[name->node];
	IsoDir *parent = building->dirs[name->parent];
	IsoNode *node = NULL;
	int got;

	if (!parent)
		return reason_set(building->why, EINVAL, "the plan names a file before its directory");
	if (name->reference)
		got = add_reference(building, name, parent, &node);
	else if (S_ISREG(at->node.attr.mode))
		got = add_file(building, name, parent, &node);
	else if (S_ISLNK(at->node.attr.mode))
		got = add_symlink(building, name, parent, &node);
	else
		got = add_other(building, name, parent, &node);
	if (got < 0)
		return got;
	if (is_lost_in_joliet(name->name))
		iso_node_set_hidden(node, LIBISO_HIDE_ON_JOLIET);
	return set_attributes(building, node, name->node, name->name, name->reference ? at->reference : 0);
}

/* ---- all of them ---- */

/* libisofs keeps a directory's children in a sorted list and looks for the place from its start: names that
 * come in descending order find it at once. Directories come in the plan's order, so parents come first. */
static int compare_names(const void *left, const void *right)
{
	const struct plan_name *a = *(const struct plan_name *const *)left;
	const struct plan_name *b = *(const struct plan_name *const *)right;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	return strcmp(b->name, a->name);
}

static int add_names(struct building *building)
{
	const struct plan *plan = building->plan;
	AUTO_FREE const struct plan_name **sorted = calloc(plan->names.count + 1, sizeof *sorted);
	int got = 0;

	if (!sorted)
		return no_memory(building);
	for (size_t i = 0; i < plan->names.count; i++)
		sorted[i] = &plan->names.items[i];
	qsort(sorted, plan->names.count, sizeof *sorted, compare_names);
	for (size_t i = 0; got == 0 && i < plan->names.count; i++)
		got = add_name(building, sorted[i]);
	return got;
}

int iso_tree_build(IsoImage *image, const struct synth *synth, struct body_context *context,
		   struct reason *why)
{
	CLEANUP(building_clear)
	struct building building = {
		.context = context,
		.plan = context->plan,
		.image = image,
		.why = why,
		.reference_count = synth->records,
	};
	int got;

	building.references = calloc(synth->records + 1, sizeof(IsoNode *));
	building.dirs = calloc(context->plan->nodes.count, sizeof(IsoDir *));
	if (!building.references || !building.dirs)
		return no_memory(&building);
	got = take_references(&building, synth);
	if (got < 0)
		return got;
	building.dirs[0] = iso_image_get_root(image);
	got = set_attributes(&building, (IsoNode *)building.dirs[0], 0, NULL, 0);
	if (got == 0)
		got = add_names(&building);
	return got < 0 ? got : iso_boot_attach(image, context->plan, building.references, why);
}
