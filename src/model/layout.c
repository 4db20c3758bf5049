/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/layout.h"

#include "model/acl.h"
#include "model/cost.h"
#include "model/target.h"
#include "model/udf_ident.h"
#include "model/xattr_set.h"

#include <errno.h>
#include <string.h>

/* SUSP and Rock Ridge (SUSP 1.12 5, RRIP 1.12 4.1): bytes of fields. */
#define PX_TF_BYTES  (44u + 26u)
#define PN_BYTES     20u
#define NM_BYTES     5u /* and the name */
#define ZF_BYTES     16u
#define CE_BYTES     28u
#define SP_BYTES     7u
#define ER_BYTES     182u
#define FIELD_MOST   255u
#define FIELD_HEAD   5u
#define RECORD_FIXED 33u  /* ECMA-119 9.1, without the name */
#define RECORD_MOST  254u /* an even number of bytes */
#define DOTS	     (2u * 34u)
#define PATH_RECORD  8u /* ECMA-119 9.4, without the name */
#define SECTION_NEW  0xfffff800u
/* More than a symlink's record has room for besides "." as its name. */
#define LINK_ATTRIBUTES (RECORD_MOST - (RECORD_FIXED + 3) - PX_TF_BYTES)
#define FILE_SINGLE	0xffffffffu /* up to here libisofs writes one section */

/* ---- facts of a node ---- */

static bool is_reference(const struct node *node)
{
	return extent_map_is_on_disc(&node->map, node->attr.size);
}

static uint32_t sections_of(const struct node *node)
{
	uint64_t size = node->attr.size, count = 0;

	if (!S_ISREG(node->attr.mode))
		return 1;
	if (!is_reference(node))
		return size > FILE_SINGLE
			   ? (uint32_t)((size - FILE_SINGLE + SECTION_NEW - 1) / SECTION_NEW + 1)
			   : 1;
	for (uint64_t done = 0; done < size; count++) {
		struct extent piece;

		extent_map_piece(&node->map, done, min_u64(size - done, SECTION_NEW), &piece);
		done += piece.length;
	}
	return (uint32_t)count;
}

/* An attribute in components of at most 255 bytes (AAIP 2.0), each with a head of two. */
static uint64_t components(uint64_t length)
{
	return length + 2 * (length ? (length + 254) / 255 : 1);
}

/* The known name spaces take a byte. */
static uint64_t attribute_name(const char *name, size_t length)
{
	static const char *const spaces[] = { "system.", "user.", "isofs.", "trusted.", "security." };

	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (length >= strlen(spaces[i]) && memcmp(name, spaces[i], strlen(spaces[i])) == 0)
			return components(length - strlen(spaces[i]) + 1);
	return components(length);
}

/* An ACL as AAIP holds it: a byte for each entry, and of a user or group a count and the bytes of the id. */
static uint64_t acl_bytes(const struct xattr_view *view)
{
	uint64_t bytes = 0;

	for (size_t at = 4; at + 8 <= view->value_length; at += 8) {
		uint32_t tag = get_le32(view->value + at) & 0xffff, id = get_le32(view->value + at + 4);

		bytes++;
		if (tag == 0x02 || tag == 0x08)
			bytes += 1 + (id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
	}
	return bytes;
}

static bool is_named(const struct xattr_view *view, const char *name)
{
	return view->name_length == strlen(name) && memcmp(view->name, name, view->name_length) == 0;
}

/* With "isofs.cx", the index of a file's MD5. *ret_ends_empty: see disc/iso_attr. */
static uint32_t attributes_of(const struct node *node, bool *ret_ends_empty)
{
	uint64_t bytes = 0, acl = 0;
	bool has_acl = false, ends_empty = false;
	bool reference = S_ISREG(node->attr.mode) && is_reference(node);
	struct xattr_view view;

	for (size_t at = 0; xattr_set_next(&node->xattrs, &at, &view);) {
		if (is_named(&view, ACL_ACCESS) || is_named(&view, ACL_DEFAULT)) {
			has_acl = true;
			acl += acl_bytes(&view) + is_named(&view, ACL_DEFAULT);
			continue;
		}
		bytes += attribute_name(view.name, view.name_length) + components(view.value_length);
		ends_empty = view.value_length == 0;
	}
	if (has_acl)
		bytes += components(0) + components(acl);
	if (S_ISREG(node->attr.mode) && (!reference || node->md5.length))
		bytes += components(3) + components(4);
	*ret_ends_empty = ends_empty && !has_acl && !(reference && node->md5.length);
	return (uint32_t)bytes;
}

void record_facts_of(const struct node *node, struct record_facts *ret)
{
	uint32_t mode = node->attr.mode;

	*ret = (struct record_facts){
		.is_dir = S_ISDIR(mode),
		.is_link = S_ISLNK(mode),
		.in_joliet = mode_is_plain(mode),
		.fixed = PX_TF_BYTES + (S_ISCHR(mode) || S_ISBLK(mode) ? PN_BYTES : 0),
		.sum = cost_sum(node),
		.compressed = S_ISREG(mode) && node->zf.length == 12 && is_reference(node),
		.sections = sections_of(node),
	};
	ret->attributes = attributes_of(node, &ret->ends_empty);
	if (!ret->is_link)
		return;
	ret->link_fields = (uint8_t)target_fields(node->target.data, node->target.length, ret->links);
	ret->not_in_udf = node_entry_of(node) == NODE_NO_ENTRY;
}

/* ---- the system use area of one record ---- */

/* The area that is being reckoned: what is used of the record, and of continuation areas by this record;
 * base: by those before it. */
struct area {
	uint64_t space, used;
	uint64_t continued, base;
	bool announced; /* room for the CE is counted */
	bool hops;	/* over the ends of sectors, as Linux wants it */
};

static void continue_field(struct area *area, uint64_t bytes)
{
	uint64_t at = area->continued + area->base;

	if (area->hops && (at + bytes + CE_BYTES - 1) / SECTOR != at / SECTOR)
		area->continued = round_up(at + CE_BYTES, SECTOR) - area->base;
	area->continued += bytes;
}

static void put_name(struct area *area, size_t length)
{
	if (area->used + NM_BYTES + length <= area->space) {
		area->used += NM_BYTES + length;
		return;
	}
	continue_field(area, NM_BYTES + length - (area->space - area->used - NM_BYTES));
	area->used = area->space;
}

static void put_link(struct area *area, const struct record_facts *facts)
{
	if (area->continued == 0 && facts->link_fields == 1 && area->used + facts->links[0] <= area->space) {
		area->used += facts->links[0];
		return;
	}
	for (size_t i = 0; i < facts->link_fields; i++)
		continue_field(area, facts->links[i]);
}

static void put_attributes(struct area *area, uint32_t bytes)
{
	uint64_t fields = (bytes + 249) / 250, total = bytes + fields * FIELD_HEAD;

	if (bytes == 0)
		return;
	if (area->continued == 0 && area->space - area->used >= total) {
		area->used += total;
		return;
	}
	for (uint64_t left = total; left > 0; left -= min_u64(left, FIELD_MOST))
		continue_field(area, min_u64(left, FIELD_MOST));
}

/* ---- what is filled up ---- */

/* What the filler takes besides its value's bytes. */
static uint32_t filler_bytes(uint32_t length)
{
	return length ? (uint32_t)(components(3) + components(length)) : 0;
}

static uint64_t continued_most(const struct record_facts *facts, size_t name_length, uint32_t attributes)
{
	uint64_t fields = (attributes + 249) / 250;
	uint64_t bytes = NM_BYTES + name_length + (facts->compressed ? ZF_BYTES : 0);
	uint64_t least = RECORD_MOST - round_up(RECORD_FIXED + NAME_ISO_MOST + 2, 2);

	if (attributes)
		bytes += attributes + fields * FIELD_HEAD;
	for (size_t i = 0; i < facts->link_fields; i++)
		bytes += facts->links[i];
	return facts->fixed + bytes <= least ? 0 : bytes;
}

uint32_t record_filler(const struct record_facts *facts, size_t name_length)
{
	uint32_t attributes = facts->attributes + filler_bytes(facts->ends_empty);

	if (facts->is_link && facts->attributes && facts->attributes < LINK_ATTRIBUTES &&
	    continued_most(facts, name_length, attributes) > 0)
		return LINK_ATTRIBUTES - facts->attributes;
	return facts->ends_empty;
}

/* Where the root's attributes end behind what tells readers of Rock Ridge, by the layout or as written. */
static uint64_t root_end(uint32_t attributes, bool written)
{
	struct area area = { .continued = written ? ER_BYTES : 0, .announced = true, .hops = true };

	/* "isofs.nt" and "isofs.ca", as libisofs gives them to the root */
	put_attributes(&area, attributes +
				  (uint32_t)(components(3) + components(4) + components(3) + components(20)));
	return area.continued + (written ? 0 : ER_BYTES);
}

uint32_t root_filler(const struct record_facts *self)
{
	uint32_t length = self->ends_empty;

	while (root_end(self->attributes + filler_bytes(length), false) <
	       root_end(self->attributes + filler_bytes(length), true))
		length++;
	return length;
}

uint64_t record_continued_most(const struct record_facts *facts, size_t name_length)
{
	uint32_t filler = record_filler(facts, name_length);

	return continued_most(facts, name_length, facts->attributes + filler_bytes(filler));
}

/* ---- one record ---- */

/* One try; false: it takes a continuation area, or one that begins with a sector. */
static bool try_fields(struct area *area, const struct record_facts *facts, size_t name_length,
		       uint32_t attributes)
{
	uint64_t prepad = area->hops ? round_up(area->base, SECTOR) - area->base : 0;

	if (area->announced)
		area->used += CE_BYTES;
	put_name(area, name_length);
	if (facts->is_link)
		put_link(area, facts);
	if (facts->compressed) {
		if (area->space - area->used < ZF_BYTES || area->continued)
			continue_field(area, ZF_BYTES);
		else
			area->used += ZF_BYTES;
	}
	if (area->continued && !area->announced)
		return false;
	/* libisofs counts the padding, though the fields have hopped over the sector's end by themselves. */
	area->continued += prepad;
	put_attributes(area, attributes);
	if (area->continued == 0 || area->hops)
		return true;
	return area->announced &&
	       area->base / SECTOR == (area->base + area->continued + CE_BYTES - 1) / SECTOR;
}

/* Bytes of the record; what continues is added to *base. */
static uint64_t record_bytes(const struct record_facts *facts, size_t iso_length, size_t name_length,
			     uint64_t *base)
{
	uint64_t head = round_up(RECORD_FIXED + iso_length + (facts->is_dir ? 0 : 2), 2);
	uint32_t attributes = facts->attributes + filler_bytes(record_filler(facts, name_length));
	struct area area;

	for (int attempt = 0; attempt < 3; attempt++) {
		area = (struct area){ .space = RECORD_MOST - head,
				      .used = facts->fixed,
				      .base = *base,
				      .announced = attempt > 0,
				      .hops = attempt > 1 };
		if (try_fields(&area, facts, name_length, attributes))
			break;
	}
	*base += area.continued;
	return head + round_up(area.used, 2);
}

/* ---- directories ---- */

void layout_clear(struct layout *layout)
{
	layout->iso.list.count = layout->iso.units.count = layout->iso.clashed = 0;
	layout->joliet.list.count = layout->joliet.units.count = layout->joliet.clashed = 0;
	layout->entries.count = 0;
}

void layout_free(struct layout *layout)
{
	labels_clear(&layout->iso);
	labels_clear(&layout->joliet);
	vec_clear(&layout->entries);
}

int layout_add(struct layout *layout, const char *name, size_t length, const struct record_facts *facts)
{
	uint32_t number = (uint32_t)layout->entries.count;
	struct layout_entry *entry = vec_push(&layout->entries);
	uint16_t label[NAME_JOLIET_MOST + 1];
	uint8_t ident[UDF_IDENT_MOST];
	bool changed;
	size_t units;
	int ret;

	if (!entry)
		return -ENOMEM;
	*entry = (struct layout_entry){ .facts = *facts,
					.length = (uint32_t)length,
					.fid = udf_fid_bytes(udf_ident(name, length, 0, ident, &changed)) };
	entry->lost = changed;
	units = name_to_iso(name, length, facts->is_dir, label);
	ret = labels_add(&layout->iso, label, units, facts->is_dir, number);
	units = facts->in_joliet ? name_to_joliet(name, length, facts->is_dir, label) : 0;
	if (ret == 0 && units)
		ret = labels_add(&layout->joliet, label, units, facts->is_dir, number);
	return ret;
}

/* Records don't cross the ends of sectors (ECMA-119 6.8.1.1). */
static uint64_t append(uint64_t used, uint64_t record)
{
	uint64_t left = SECTOR - used % SECTOR;

	return used + record + (record > left ? left : 0);
}

/* "." and "..": of the root, with what tells readers of Rock Ridge, and the attributes behind it. */
static uint64_t dots(const struct record_facts *self, bool is_root, uint64_t *continued)
{
	uint64_t bytes = round_up(PX_TF_BYTES + NM_BYTES, 2);

	if (!is_root)
		return DOTS + 2 * bytes;
	*continued = root_end(self->attributes + filler_bytes(root_filler(self)), false);
	return DOTS + bytes + round_up(PX_TF_BYTES + NM_BYTES + SP_BYTES + CE_BYTES, 2);
}

static void cost_iso(struct layout *layout, const struct record_facts *self, bool is_root,
		     struct dir_cost *ret)
{
	uint64_t continued = 0, used = dots(self, is_root, &continued);

	vec_each (&layout->iso.list, label) {
		const struct layout_entry *entry = &layout->entries.items[label->entry];

		for (uint32_t i = 0; i < entry->facts.sections; i++)
			used = append(used,
				      record_bytes(&entry->facts, label->length, entry->length, &continued));
		ret->sums += entry->facts.sum;
		if (label->is_dir)
			ret->iso_tables += round_up(PATH_RECORD + label->length, 2);
	}
	ret->iso = sectors_of(used);
	ret->continued = sectors_of(continued);
}

static void cost_joliet(struct layout *layout, struct dir_cost *ret)
{
	uint64_t used = DOTS;

	vec_each (&layout->joliet.list, label) {
		for (uint32_t i = 0; i < layout->entries.items[label->entry].facts.sections; i++)
			used = append(used, RECORD_FIXED + 1 + 2 * (uint64_t)label->length);
		if (label->is_dir)
			ret->joliet_tables += PATH_RECORD + 2 * (uint64_t)label->length;
	}
	ret->joliet = sectors_of(used);
}

/* Descriptors follow each other over the ends of sectors; the parent's comes first. */
static void cost_udf(struct layout *layout, struct dir_cost *ret)
{
	uint64_t bytes = udf_fid_bytes(0), links = 0;

	vec_each (&layout->entries, entry) {
		uint32_t fid = entry->facts.not_in_udf ? 0 : entry->fid;

		bytes += fid;
		links += entry->facts.in_joliet ? 0 : fid;
		ret->udf_lost_dirs += entry->lost && entry->facts.is_dir;
		ret->udf_lost += entry->lost && !entry->facts.is_dir;
	}
	ret->udf = 1 + sectors_of(bytes);
	ret->udf_linkless = 1 + sectors_of(bytes - links);
}

int layout_cost(struct layout *layout, const struct record_facts *self, bool is_root, struct dir_cost *ret)
{
	int got;

	layout->joliet.joliet = true;
	got = labels_settle(&layout->iso);
	if (got == 0)
		got = labels_settle(&layout->joliet);
	if (got < 0)
		return got;
	*ret = (struct dir_cost){ .clashed = layout->iso.clashed + layout->joliet.clashed };
	cost_iso(layout, self, is_root, ret);
	cost_joliet(layout, ret);
	cost_udf(layout, ret);
	return 0;
}

/* 16 empty sectors, two descriptors and Joliet's and their end, three MD5 tags (of the head, the tree, the
 * session), the sector that files without content point at. Of UDF what stands before, its file set
 * descriptor with its end, its sums, and the anchor in the last sector. */
uint64_t layout_fixed(const struct session_formats *formats, uint64_t sums)
{
	return 16 + 2 + formats->joliet + 3 + 1 + (sums + 2 + 127) / 128 + (formats->udf ? UDF_FRONT + 4 : 0);
}

/* Each path table is there in both byte orders, and begins with the root's record of 10 bytes. */
static uint64_t tables(uint64_t bytes)
{
	return 2 * sectors_of(10 + bytes);
}

uint64_t layout_sectors(const struct dir_cost *sum, const struct session_formats *formats)
{
	uint64_t sectors = sum->iso + sum->continued + tables(sum->iso_tables);

	if (formats->joliet)
		sectors += sum->joliet + tables(sum->joliet_tables);
	if (formats->udf)
		sectors += formats->udf_links ? sum->udf : sum->udf_linkless;
	return sectors;
}
