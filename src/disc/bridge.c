/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/bridge.h"

#include "disc/bridge_base.h"
#include "model/udf_ident.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT_MOST (SECTOR - 176u) /* bytes of it in a file entry, ECMA-167 4/14.9 */

static const struct plan_node *node_of(const struct bridge *bridge, uint32_t node)
{
	return &bridge->plan->nodes.items[node];
}

static bool is_dir(const struct bridge *bridge, uint32_t node)
{
	return S_ISDIR(node_of(bridge, node)->node.attr.mode);
}

/* The identifier of a name. Returns its length. */
static size_t ident_of(const struct bridge *bridge, uint32_t name, uint8_t ret[UDF_IDENT_MOST],
		       bool *ret_changed)
{
	const char *text = bridge->plan->names.items[name].name;

	return udf_ident(text, strlen(text), bridge->another ? bridge->another[name] : 0, ret, ret_changed);
}

/* ---- planning ---- */

/* 7-Zip refuses a volume with anything but files and directories. Targets that have no room in a file entry,
 * which has to hold them here, are left out in any case. */
static void leave_out(struct bridge *bridge)
{
	uint8_t content[CONTENT_MOST];

	for (uint32_t i = 0; i < bridge->plan->nodes.count; i++) {
		const struct node *node = &node_of(bridge, i)->node;

		if (!bridge->links ? !S_ISREG(node->attr.mode) && !S_ISDIR(node->attr.mode)
				   : S_ISLNK(node->attr.mode) &&
					 !udf_record_target(node->target.data, node->target.length, content,
							    sizeof content))
			bridge->fate[i] = FATE_LEFT_OUT;
	}
}

/* The identifiers of a directory by a hash of theirs, open addressing; 0 = free. */
struct idents {
	uint64_t *slots;
	size_t room; /* a power of two */
};

static void idents_clear(struct idents *idents)
{
	free(idents->slots);
}

/* False: it's there already, or another one of the same hash. */
static bool idents_add(struct idents *idents, const uint8_t *ident, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	size_t slot;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ ident[i]) * UINT64_C(0x100000001b3);
	hash |= 1;
	for (slot = hash & (idents->room - 1); idents->slots[slot]; slot = (slot + 1) & (idents->room - 1))
		if (idents->slots[slot] == hash)
			return false;
	idents->slots[slot] = hash;
	return true;
}

static bool has_changed_names(const struct bridge *bridge, uint32_t dir)
{
	bool changed = false;

	for (uint32_t i = 0; !changed && i < plan_index_count(&bridge->index, dir); i++) {
		uint8_t ident[UDF_IDENT_MOST];

		(void)ident_of(bridge, plan_index_at(&bridge->index, dir, i), ident, &changed);
	}
	return changed;
}

/* Names that are recorded otherwise get a CRC, so two of them are the same once in a blue moon. But then each
 * would hide the other. What is recorded as it is comes first, and stays. */
static int tell_apart(struct bridge *bridge, uint32_t dir, struct reason *why)
{
	CLEANUP(idents_clear) struct idents idents = { .room = 16 };
	uint32_t count = plan_index_count(&bridge->index, dir);
	uint8_t ident[UDF_IDENT_MOST];

	if (!has_changed_names(bridge, dir))
		return 0;
	while (idents.room < 2 * (size_t)count)
		idents.room *= 2;
	idents.slots = calloc(idents.room, sizeof *idents.slots);
	if (!bridge->another)
		bridge->another = calloc(bridge->plan->names.count, sizeof *bridge->another);
	if (!idents.slots || !bridge->another)
		return reason_set(why, ENOMEM, "out of memory");
	for (int turn = 0; turn < 2; turn++)
		for (uint32_t i = 0; i < count; i++) {
			uint32_t name = plan_index_at(&bridge->index, dir, i);
			bool changed;
			size_t length = ident_of(bridge, name, ident, &changed);

			if (changed != (turn == 1))
				continue;
			while (!idents_add(&idents, ident, length) && turn == 1) {
				bridge->another[name]++;
				length = ident_of(bridge, name, ident, &changed);
			}
		}
	return 0;
}

static int measure_dir(struct bridge *bridge, uint32_t dir, struct reason *why)
{
	uint64_t bytes = udf_fid_bytes(0);
	int got = tell_apart(bridge, dir, why);

	for (uint32_t i = 0; got == 0 && i < plan_index_count(&bridge->index, dir); i++) {
		uint32_t name = plan_index_at(&bridge->index, dir, i);
		uint8_t ident[UDF_IDENT_MOST];
		bool changed;

		if (bridge->fate[bridge->plan->names.items[name].node] == FATE_LEFT_OUT)
			continue;
		bytes += udf_fid_bytes(ident_of(bridge, name, ident, &changed));
	}
	if (got == 0 && bytes > UINT32_MAX)
		got = reason_set(why, EFBIG, "a directory has more names than UDF can hold");
	bridge->bytes[dir] = (uint32_t)bytes;
	return got;
}

static int push_fresh(struct bridge *bridge, uint32_t node, struct reason *why)
{
	uint32_t *at = vec_push(&bridge->fresh);

	if (!at)
		return reason_set(why, ENOMEM, "out of memory");
	*at = node;
	bridge->sectors += 1 + (uint32_t)sectors_of(bridge->bytes[node]);
	return 0;
}

/* Directories first, then files as directories list them: a reader goes over the disc once. */
static int queue_fresh(struct bridge *bridge, struct reason *why)
{
	uint32_t nodes = (uint32_t)bridge->plan->nodes.count;
	int got = 0;

	for (uint32_t i = 0; got == 0 && i < nodes; i++)
		if (is_dir(bridge, i) && bridge->fate[i] == FATE_FRESH)
			got = push_fresh(bridge, i, why);
	for (uint32_t dir = 0; got == 0 && dir < nodes; dir++)
		for (uint32_t i = 0; got == 0 && i < plan_index_count(&bridge->index, dir); i++) {
			uint32_t name = plan_index_at(&bridge->index, dir, i);
			uint32_t node = bridge->plan->names.items[name].node;

			if (bridge->fate[node] == FATE_FRESH && !is_dir(bridge, node) &&
			    node_of(bridge, node)->first_name == name)
				got = push_fresh(bridge, node, why);
		}
	return got;
}

static void count_nodes(struct bridge *bridge)
{
	for (uint32_t i = 0; i < bridge->plan->nodes.count; i++)
		if (is_dir(bridge, i))
			bridge->facts.dirs++;
		else if (bridge->fate[i] != FATE_LEFT_OUT)
			bridge->facts.files++;
}

int bridge_plan(struct bridge *bridge, const struct plan *plan, const struct source *source, uint64_t base,
		bool links, struct reason *why)
{
	size_t nodes = plan->nodes.count + 1;
	int got;

	*bridge = (struct bridge){ .plan = plan,
				   .links = links,
				   .sectors = 2, /* file set and terminator */
				   .icb = calloc(nodes, sizeof *bridge->icb),
				   .bytes = calloc(nodes, sizeof *bridge->bytes),
				   .fate = calloc(nodes, sizeof *bridge->fate) };
	if (!bridge->icb || !bridge->bytes || !bridge->fate || plan_index_make(&bridge->index, plan) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	leave_out(bridge);
	got = base != BRIDGE_NO_BASE ? bridge_inherit(bridge, source, base, why) : 0;
	for (uint32_t i = 0; got == 0 && i < plan->nodes.count; i++)
		if (is_dir(bridge, i) && bridge->fate[i] == FATE_FRESH)
			got = measure_dir(bridge, i, why);
	if (got == 0)
		got = queue_fresh(bridge, why);
	count_nodes(bridge);
	return got;
}

void bridge_close(struct bridge *bridge)
{
	plan_index_clear(&bridge->index);
	iso_sections_clear(&bridge->sections);
	vec_clear(&bridge->fresh);
	blob_clear(&bridge->ahead);
	free(bridge->icb);
	free(bridge->bytes);
	free(bridge->fate);
	free(bridge->another);
	*bridge = (struct bridge){ 0 };
}

int bridge_place(struct bridge *bridge, uint32_t start, uint32_t tail, struct reason *why)
{
	uint32_t at = tail + 2;

	if (tail > UINT32_MAX - bridge->sectors)
		return reason_set(why, EFBIG, "the session ends where UDF has no addresses any more");
	vec_each (&bridge->fresh, node) {
		bridge->icb[*node] = at;
		at += 1 + (uint32_t)sectors_of(bridge->bytes[*node]);
	}
	bridge->facts.start = start;
	bridge->facts.file_set = tail;
	bridge->facts.root = bridge->icb[0];
	return 0;
}

int bridge_locate(struct bridge *bridge, const uint8_t *data, uint32_t blocks, uint32_t start, uint32_t root,
		  uint32_t root_length, struct reason *why)
{
	return iso_sections_find(data, blocks, start, root, root_length, &bridge->index, &bridge->sections,
				 why);
}

/* ---- recording ---- */

static uint32_t id_of(const struct bridge *bridge, uint32_t node)
{
	return node ? bridge->icb[node] : 0;
}

/* ECMA-167 4/14.9.6: the names that lead to it, a subdirectory's name for its parent among them. */
static uint32_t links_of(const struct bridge *bridge, uint32_t node)
{
	uint32_t links = 1;

	if (!is_dir(bridge, node))
		return node_of(bridge, node)->names;
	for (uint32_t i = 0; i < plan_index_count(&bridge->index, node); i++) {
		uint32_t name = plan_index_at(&bridge->index, node, i);

		links += is_dir(bridge, bridge->plan->names.items[name].node);
	}
	return links;
}

/* Descriptors of one section; used: bytes of those before. */
static int put_section(struct bridge *bridge, uint32_t lba, uint32_t length, uint8_t *block, uint32_t from,
		       uint32_t *used, struct reason *why)
{
	while (length) {
		uint32_t part = length < UDF_EXTENT_MOST ? length : UDF_EXTENT_MOST;

		if (from + *used + 8 > SECTOR)
			return reason_set(why, EFBIG,
					  "a file lies in more pieces than a file entry of UDF can hold: "
					  "commit with -o formats=iso,joliet");
		udf_record_extent(lba, part, block + from + *used);
		*used += 8;
		lba += part / SECTOR;
		length -= part;
	}
	return 0;
}

static int put_extents(struct bridge *bridge, uint32_t node, uint8_t *block, uint32_t from, uint32_t *used,
		       struct reason *why)
{
	const struct iso_sections *sections = &bridge->sections;
	int got = 0;

	if (is_dir(bridge, node))
		return put_section(bridge, bridge->icb[node] + 1, bridge->bytes[node], block, from, used,
				   why);
	for (uint32_t i = 0; got == 0 && i < sections->count[node]; i++) {
		const struct iso_section *section = &sections->list.items[sections->first[node] + i];

		got = put_section(bridge, section->lba, section->length, block, from, used, why);
	}
	return got;
}

static int put_entry(struct bridge *bridge, uint32_t node, uint8_t *block, struct reason *why)
{
	const struct node *from = &node_of(bridge, node)->node;
	uint8_t content[CONTENT_MOST];
	bool is_link = S_ISLNK(from->attr.mode);
	uint32_t used = is_link ? (uint32_t)udf_record_target(from->target.data, from->target.length, content,
							      sizeof content)
				: 0;
	struct udf_file file = { .attr = &from->attr,
				 .at = bridge->icb[node],
				 .id = id_of(bridge, node),
				 .links = links_of(bridge, node),
				 .size = is_link		    ? used
					 : is_dir(bridge, node)	    ? bridge->bytes[node]
					 : S_ISREG(from->attr.mode) ? from->attr.size
								    : 0,
				 .embedded = is_link };
	uint32_t at = udf_record_file(&file, block);
	int got = 0;

	if (is_link)
		memcpy(block + at, content, used);
	else
		got = put_extents(bridge, node, block, at, &used, why);
	udf_record_file_end(bridge->icb[node], used, block);
	return got;
}

static uint32_t parent_of(const struct bridge *bridge, uint32_t node)
{
	return node ? bridge->plan->names.items[node_of(bridge, node)->first_name].parent : 0;
}

/* A directory's content. ret: as many bytes as it takes. */
static void put_names(struct bridge *bridge, uint32_t dir, uint8_t *ret)
{
	uint32_t first = bridge->icb[dir] + 1, parent = parent_of(bridge, dir);
	uint32_t used =
	    udf_record_name(first, bridge->icb[parent], id_of(bridge, parent), true, NULL, 0, ret);

	for (uint32_t i = 0; i < plan_index_count(&bridge->index, dir); i++) {
		uint32_t name = plan_index_at(&bridge->index, dir, i);
		uint32_t node = bridge->plan->names.items[name].node;
		uint8_t ident[UDF_IDENT_MOST];
		size_t length;
		bool changed;

		if (bridge->fate[node] == FATE_LEFT_OUT)
			continue;
		length = ident_of(bridge, name, ident, &changed);
		used += udf_record_name(first + used / SECTOR, bridge->icb[node], id_of(bridge, node),
					is_dir(bridge, node), ident, length, ret + used);
	}
}

/* What comes next: the file set, then node by node. */
static int make_ahead(struct bridge *bridge, struct reason *why)
{
	bool first = bridge->given_sectors == 0;
	uint32_t node = first ? 0 : bridge->fresh.items[bridge->next];
	size_t bytes = first ? 2 * SECTOR : SECTOR + sectors_of(bridge->bytes[node]) * SECTOR;
	AUTO_FREE uint8_t *data = calloc(1, bytes);
	int got = 0;

	if (!data)
		return reason_set(why, ENOMEM, "out of memory");
	if (first) {
		udf_record_file_set(&bridge->facts, data);
	} else {
		bridge->next++;
		got = put_entry(bridge, node, data, why);
		if (got == 0 && is_dir(bridge, node))
			put_names(bridge, node, data + SECTOR);
	}
	blob_clear(&bridge->ahead);
	bridge->ahead = (struct blob){ TAKE(data), bytes };
	bridge->given = 0;
	return got;
}

int bridge_next(struct bridge *bridge, uint8_t ret[SECTOR], struct reason *why)
{
	int got = bridge->given == bridge->ahead.length ? make_ahead(bridge, why) : 0;

	if (got < 0)
		return got;
	memcpy(ret, bridge->ahead.data + bridge->given, SECTOR);
	bridge->given += SECTOR;
	bridge->given_sectors++;
	return 0;
}
