/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/acl.h"

#include "base/vec.h"

#include <errno.h>
#include <string.h>

#define KERNEL_VERSION 2u
#define KERNEL_HEADER  4u
#define KERNEL_ENTRY   8u
#define KERNEL_NO_ID   0xffffffffu
#define ENTRY_CAP      8192u

/* AAIP entry byte: type in the high half, then "has a qualifier", r, w, x. */
#define AAIP_QUALIFIER 0x08u
#define AAIP_SWITCH    8u /* type: from here on it's the default list */
#define AAIP_TRANSLATE 0u /* type: a name for an id, not an entry */

static const struct acl_tag {
	uint16_t kernel;
	uint8_t aaip;
	bool has_id;
} tags[] = {
	{ 0x01, 1, false }, /* the owner */
	{ 0x02, 10, true }, /* a user */
	{ 0x04, 3, false }, /* the owning group */
	{ 0x08, 12, true }, /* a group */
	{ 0x10, 5, false }, /* mask */
	{ 0x20, 6, false }, /* others */
};
#define TAGS (sizeof tags / sizeof tags[0])

struct acl_entry {
	uint16_t tag;
	uint16_t perm;
	uint32_t id;
	size_t place; /* in the list */
};

struct acl_list {
	struct acl_entry *items;
	size_t count;
	size_t room;
};

static void acl_list_clear(struct acl_list *list)
{
	vec_clear(list);
}

static int compare_entries(const void *left, const void *right)
{
	const struct acl_entry *a = (const struct acl_entry *)left;
	const struct acl_entry *b = (const struct acl_entry *)right;

	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* The kernel demands an order by tag. Users and groups stay in theirs: the order in which they were set. */
static int pack_kernel(struct acl_list *list, struct blob *ret)
{
	AUTO_FREE uint8_t *data = malloc(KERNEL_HEADER + list->count * KERNEL_ENTRY);
	uint8_t *at = data;

	if (!data)
		return -ENOMEM;
	if (list->count == 0)
		return 0;
	qsort(list->items, list->count, sizeof *list->items, compare_entries);
	put_le32(at, KERNEL_VERSION);
	at += KERNEL_HEADER;
	vec_each (list, entry) {
		put_le32(at, (uint32_t)entry->tag | (uint32_t)entry->perm << 16);
		put_le32(at + 4, entry->id);
		at += KERNEL_ENTRY;
	}
	return blob_set(ret, data, (size_t)(at - data));
}

/* The id of an entry: records of up to 127 bytes, most significant byte first. Moves *at behind it. */
static bool take_id(const uint8_t *value, size_t length, size_t *at, uint32_t *ret)
{
	bool more = true;

	*ret = 0;
	while (more) {
		size_t count;

		if (*at >= length)
			return false;
		count = value[*at] & 0x7fu;
		more = value[*at] & 0x80u;
		(*at)++;
		if (count > length - *at)
			return false;
		for (size_t i = 0; i < count; i++)
			*ret = *ret << 8 | value[*at + i];
		*at += count;
	}
	return true;
}

static int add_entry(struct acl_list *list, uint8_t head, uint32_t id)
{
	for (size_t i = 0; i < TAGS; i++) {
		struct acl_entry *entry;

		if (tags[i].aaip != head >> 4)
			continue;
		if (list->count >= ENTRY_CAP)
			return -EINVAL;
		entry = vec_push(list);
		if (!entry)
			return -ENOMEM;
		*entry = (struct acl_entry){ tags[i].kernel, head & 7u, tags[i].has_id ? id : KERNEL_NO_ID,
					     list->count };
		return 0;
	}
	return 0; /* a type of some later version: readers shall skip it */
}

int acl_from_aaip(const uint8_t *value, size_t length, struct blob *ret_access, struct blob *ret_default)
{
	CLEANUP(acl_list_clear) struct acl_list access = { 0 };
	CLEANUP(acl_list_clear) struct acl_list fallback = { 0 };
	struct acl_list *list = &access;
	int got = 0;

	for (size_t at = 0; at < length && got == 0;) {
		uint8_t head = value[at++];
		uint32_t id = KERNEL_NO_ID;

		if ((head & AAIP_QUALIFIER) && !take_id(value, length, &at, &id))
			return -EINVAL;
		if (head >> 4 == AAIP_SWITCH)
			list = &fallback;
		else if (head >> 4 != AAIP_TRANSLATE)
			got = add_entry(list, head, id);
	}
	if (got == 0)
		got = pack_kernel(&access, ret_access);
	if (got == 0)
		got = pack_kernel(&fallback, ret_default);
	return got;
}

/* at: room for 7 bytes. Returns the bytes used, 0 for an unknown tag. */
static size_t put_entry(uint8_t *at, uint16_t tag, uint16_t perm, uint32_t id)
{
	for (size_t i = 0; i < TAGS; i++) {
		uint8_t head = (uint8_t)(tags[i].aaip << 4 | (perm & 7u));
		size_t count = id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1;

		if (tags[i].kernel != tag)
			continue;
		if (!tags[i].has_id) {
			at[0] = head;
			return 1;
		}
		at[0] = head | AAIP_QUALIFIER;
		at[1] = (uint8_t)count;
		for (size_t j = 0; j < count; j++)
			at[2 + j] = (uint8_t)(id >> (8 * (count - 1 - j)));
		return 2 + count;
	}
	return 0;
}

static int put_list(const struct blob *list, uint8_t **at)
{
	if (list->length < KERNEL_HEADER || get_le32(list->data) != KERNEL_VERSION ||
	    (list->length - KERNEL_HEADER) % KERNEL_ENTRY != 0)
		return -EINVAL;
	for (size_t from = KERNEL_HEADER; from < list->length; from += KERNEL_ENTRY) {
		uint32_t word = get_le32(list->data + from);
		size_t used =
		    put_entry(*at, (uint16_t)word, (uint16_t)(word >> 16), get_le32(list->data + from + 4));

		if (used == 0)
			return -EINVAL;
		*at += used;
	}
	return 0;
}

int acl_to_aaip(const struct blob *access, const struct blob *fallback, struct blob *ret)
{
	AUTO_FREE uint8_t *data = malloc(access->length + fallback->length + 1);
	uint8_t *at = data;
	int got = 0;

	if (!data)
		return -ENOMEM;
	if (access->length)
		got = put_list(access, &at);
	if (got == 0 && fallback->length) {
		*at++ = AAIP_SWITCH << 4 | 1;
		got = put_list(fallback, &at);
	}
	return got ? got : blob_set(ret, data, (size_t)(at - data));
}
