/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_sections.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Offsets in a directory record, ECMA-119 9.1. */
enum { AT_EXTENT = 2, AT_LENGTH = 10, AT_FLAGS = 25, AT_NAME_LENGTH = 32, AT_NAME = 33 };
#define FLAG_DIR 0x02u

struct iso_dir {
	uint32_t lba, length;
	uint32_t node;
};

struct search {
	const uint8_t *data;
	uint32_t blocks, start;
	const struct plan_index *index;
	struct iso_sections *ret;
	VEC(struct iso_dir) dirs; /* still to be read */
	size_t names;		  /* found */
	struct reason *why;
};

static void search_clear(struct search *search)
{
	vec_clear(&search->dirs);
}

/* Bytes of a sector and what follows it, or NULL. */
static const uint8_t *at_sector(const struct search *search, uint32_t lba, uint64_t length)
{
	uint64_t from = (uint64_t)lba - search->start;

	return lba >= search->start && range_within(from, sectors_of(length), search->blocks)
		   ? search->data + from * SECTOR
		   : NULL;
}

struct rr_name {
	char text[NAME_LIMIT + 1];
	size_t length;
	bool whole;
};

static bool add_part(struct rr_name *name, const uint8_t *entry)
{
	size_t length = entry[2] - 5u;

	if (name->whole)
		return true;
	if (entry[2] < 5 || length > NAME_LIMIT - name->length)
		return false;
	memcpy(name->text + name->length, entry + 5, length);
	name->length += length;
	name->whole = !(entry[4] & 1); /* NM, RRIP 4.1.4: it goes on in the next one */
	return true;
}

/* One system use area; *ret_ce: where it goes on, NULL: nowhere. */
static bool take_area(struct rr_name *name, const uint8_t *area, size_t length, const uint8_t **ret_ce)
{
	*ret_ce = NULL;
	for (size_t at = 0; at + 4 <= length && area[at + 2] >= 4 && area[at + 2] <= length - at;
	     at += area[at + 2]) {
		const uint8_t *entry = area + at;

		if (entry[0] == 'N' && entry[1] == 'M' && !add_part(name, entry))
			return false;
		if (entry[0] == 'C' && entry[1] == 'E' && entry[2] >= 28)
			*ret_ce = entry;
	}
	return true;
}

/* The name of Rock Ridge; areas are followed until it's whole. */
static bool read_name(const struct search *search, const uint8_t *record, struct rr_name *ret)
{
	size_t skip = AT_NAME + record[AT_NAME_LENGTH] + (record[AT_NAME_LENGTH] % 2 == 0);
	const uint8_t *area = record + skip, *ce = NULL;
	size_t length = record[0] > skip ? record[0] - skip : 0;

	*ret = (struct rr_name){ 0 };
	for (unsigned hops = 0; hops < 64; hops++) {
		uint32_t offset;

		if (!take_area(ret, area, length, &ce))
			return false;
		if (ret->whole || !ce)
			return ret->whole;
		offset = get_le32(ce + 12);
		length = get_le32(ce + 20);
		area = length <= SECTOR && offset <= SECTOR
			   ? at_sector(search, get_le32(ce + 4), offset + length)
			   : NULL;
		if (!area)
			return false;
		area += offset;
	}
	return false;
}

static int take_section(struct search *search, const uint8_t *record, uint32_t node)
{
	struct iso_section *section;
	struct iso_sections *ret = search->ret;

	if (get_le32(record + AT_LENGTH) == 0)
		return 0;
	if (ret->count[node] == 0)
		ret->first[node] = (uint32_t)ret->list.count;
	section = vec_push(&ret->list);
	if (!section)
		return reason_set(search->why, ENOMEM, "out of memory");
	*section = (struct iso_section){ get_le32(record + AT_EXTENT), get_le32(record + AT_LENGTH) };
	ret->count[node]++;
	return 0;
}

static int push_dir(struct search *search, const uint8_t *record, uint32_t node)
{
	struct iso_dir *dir = vec_push(&search->dirs);

	if (!dir)
		return reason_set(search->why, ENOMEM, "out of memory");
	*dir = (struct iso_dir){ get_le32(record + AT_EXTENT), get_le32(record + AT_LENGTH), node };
	return 0;
}

static int take_record(struct search *search, const uint8_t *record, uint32_t dir, uint32_t *last)
{
	const struct plan *plan = search->index->plan;
	bool is_dir = record[AT_FLAGS] & FLAG_DIR;
	struct rr_name name;
	uint32_t found, node;

	if (record[AT_NAME_LENGTH] == 1 && record[AT_NAME] <= 1) /* "." and ".." */
		return 0;
	found = read_name(search, record, &name) ? plan_index_find(search->index, dir, name.text) : NO_NAME;
	node = found == NO_NAME ? 0 : plan->names.items[found].node;
	if (found == NO_NAME || is_dir != (S_ISDIR(plan->nodes.items[node].node.attr.mode) != 0))
		return reason_set(search->why, EIO,
				  "libisofs has recorded a name that isn't in the plan: '%.100s'", name.text);
	search->names += found != *last; /* a large file has several records */
	*last = found;
	if (is_dir)
		return push_dir(search, record, node);
	/* Of several names of a file the first one tells. */
	if (!S_ISREG(plan->nodes.items[node].node.attr.mode) || plan->nodes.items[node].first_name != found)
		return 0;
	return take_section(search, record, node);
}

static int take_dir(struct search *search, const struct iso_dir *dir)
{
	const uint8_t *data = at_sector(search, dir->lba, dir->length);
	uint32_t last = NO_NAME;
	int got = 0;

	if (!data)
		return reason_set(search->why, EIO,
				  "libisofs has put a directory at sector %" PRIu32 ", where none can be",
				  dir->lba);
	for (size_t at = 0; got == 0 && at < dir->length;) {
		size_t left = SECTOR - at % SECTOR, length = data[at];

		if (length == 0) {
			at += left;
			continue;
		}
		if (length > left || length < AT_NAME + 1 || data[at + AT_NAME_LENGTH] > length - AT_NAME)
			return reason_set(search->why, EIO, "libisofs has recorded a bad directory record");
		got = take_record(search, data + at, dir->node, &last);
		at += length;
	}
	return got;
}

static int check_lengths(const struct search *search)
{
	const struct plan *plan = search->index->plan;
	const struct iso_sections *ret = search->ret;

	for (uint32_t i = 0; i < plan->nodes.count; i++) {
		const struct node_attr *attr = &plan->nodes.items[i].node.attr;
		uint64_t length = 0;
		char path[300];

		if (!S_ISREG(attr->mode))
			continue;
		for (uint32_t j = 0; j < ret->count[i]; j++)
			length += ret->list.items[ret->first[i] + j].length;
		if (length != attr->size)
			return reason_set(search->why, EIO,
					  "%s: libisofs has recorded %" PRIu64 " bytes of %" PRIu64,
					  plan_path(plan, i, path, sizeof path), length, attr->size);
	}
	return 0;
}

int iso_sections_find(const uint8_t *data, uint32_t blocks, uint32_t start, uint32_t root,
		      uint32_t root_length, const struct plan_index *index, struct iso_sections *ret,
		      struct reason *why)
{
	CLEANUP(search_clear)
	struct search search = {
		.data = data, .blocks = blocks, .start = start, .index = index, .ret = ret, .why = why
	};
	const struct plan *plan = index->plan;
	struct iso_dir *first = vec_push(&search.dirs);
	int got = 0;

	*ret = (struct iso_sections){ .first = calloc(plan->nodes.count + 1, sizeof *ret->first),
				      .count = calloc(plan->nodes.count + 1, sizeof *ret->count) };
	if (!first || !ret->first || !ret->count)
		return reason_set(why, ENOMEM, "out of memory");
	*first = (struct iso_dir){ root, root_length, 0 };
	while (got == 0 && search.dirs.count) {
		struct iso_dir dir = search.dirs.items[--search.dirs.count];

		got = take_dir(&search, &dir);
	}
	if (got == 0 && search.names != plan->names.count)
		got = reason_set(why, EIO, "libisofs has recorded %zu names of %zu", search.names,
				 plan->names.count);
	return got < 0 ? got : check_lengths(&search);
}

void iso_sections_clear(struct iso_sections *sections)
{
	vec_clear(&sections->list);
	free(sections->first);
	free(sections->count);
	*sections = (struct iso_sections){ 0 };
}
