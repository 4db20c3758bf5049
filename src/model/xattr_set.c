/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/xattr_set.h"

#include "model/acl.h"

#include <errno.h>
#include <string.h>

#define ENTRY_HEADER	5u /* name length, value length */
#define NAME_BYTES_MAX	255u
#define VALUE_BYTES_MAX 65536u

int xattr_name_check(const char *name)
{
	static const char *const spaces[] = { "user.", "trusted.", "security." };

	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (strncmp(name, spaces[i], strlen(spaces[i])) == 0)
			return name[strlen(spaces[i])] ? 0 : -EINVAL;
	return strcmp(name, ACL_ACCESS) == 0 || strcmp(name, ACL_DEFAULT) == 0 ? 0 : -EOPNOTSUPP;
}

bool xattr_set_next(const struct blob *set, size_t *at, struct xattr_view *ret)
{
	struct xattr_view view;
	const uint8_t *entry;

	if (!range_within(*at, ENTRY_HEADER, set->length))
		return false;
	entry = set->data + *at;
	view.name_length = entry[0];
	view.value_length = get_le32(entry + 1);
	view.name = (const char *)entry + ENTRY_HEADER;
	view.value = entry + ENTRY_HEADER + view.name_length;
	if (!view.name_length || view.value_length > VALUE_BYTES_MAX ||
	    !range_within(*at + ENTRY_HEADER, view.name_length + view.value_length, set->length))
		return false;
	*at += ENTRY_HEADER + view.name_length + view.value_length;
	*ret = view;
	return true;
}

static bool set_find(const struct blob *set, const char *name, size_t length, size_t *ret_start,
		     struct xattr_view *ret)
{
	struct xattr_view view;
	size_t at = 0;

	for (size_t start = 0; xattr_set_next(set, &at, &view); start = at)
		if (view.name_length == length && memcmp(view.name, name, length) == 0) {
			*ret_start = start;
			*ret = view;
			return true;
		}
	return false;
}

static int view_compare(const void *a, const void *b)
{
	const struct xattr_view *left = a, *right = b;

	if (left->name_length != right->name_length)
		return left->name_length < right->name_length ? -1 : 1;
	return memcmp(left->name, right->name, left->name_length);
}

bool xattr_set_valid(const struct blob *set)
{
	AUTO_FREE struct xattr_view *views = NULL;
	struct xattr_view view;
	size_t at = 0, count = 0;

	while (xattr_set_next(set, &at, &view))
		if (memchr(view.name, '\0', view.name_length))
			return false;
		else
			count++;
	if (at != set->length)
		return false;
	if (count < 2)
		return true;
	views = reallocarray(NULL, count, sizeof *views);
	if (!views)
		return false;
	at = 0;
	for (size_t i = 0; i < count; i++)
		xattr_set_next(set, &at, &views[i]);
	qsort(views, count, sizeof *views, view_compare);
	for (size_t i = 1; i < count; i++)
		if (view_compare(&views[i - 1], &views[i]) == 0)
			return false;
	return true;
}

size_t xattr_set_count(const struct blob *set)
{
	struct xattr_view view;
	size_t count = 0;

	for (size_t at = 0; xattr_set_next(set, &at, &view);)
		count++;
	return count;
}

bool xattr_set_find(const struct blob *set, const char *name, struct xattr_view *ret)
{
	size_t start;

	return set_find(set, name, strlen(name), &start, ret);
}

static void set_cut(struct blob *set, size_t start, const struct xattr_view *view)
{
	size_t length = ENTRY_HEADER + view->name_length + view->value_length;

	memmove(set->data + start, set->data + start + length, set->length - start - length);
	set->length -= length;
	if (!set->length)
		blob_clear(set);
}

int xattr_set_put(struct blob *set, const char *name, const void *value, size_t length)
{
	size_t name_length = strlen(name), start;
	size_t entry = ENTRY_HEADER + name_length + length;
	struct xattr_view old;
	uint8_t *grown;

	if (!name_length || name_length > NAME_BYTES_MAX)
		return -ERANGE;
	if (length > VALUE_BYTES_MAX)
		return -E2BIG;
	grown = realloc(set->data, set->length + entry);
	if (!grown)
		return -ENOMEM;
	set->data = grown;
	grown += set->length;
	grown[0] = (uint8_t)name_length;
	put_le32(grown + 1, (uint32_t)length);
	memcpy(grown + ENTRY_HEADER, name, name_length);
	if (length)
		memcpy(grown + ENTRY_HEADER + name_length, value, length);
	/* The old one goes once the new one is certain; the search can't see the new one yet. */
	if (set_find(set, name, name_length, &start, &old)) {
		set->length += entry;
		set_cut(set, start, &old);
		return 0;
	}
	set->length += entry;
	return 0;
}

int xattr_set_remove(struct blob *set, const char *name)
{
	struct xattr_view view;
	size_t start;

	if (!set_find(set, name, strlen(name), &start, &view))
		return -ENODATA;
	set_cut(set, start, &view);
	return 0;
}

bool xattr_set_equal(const struct blob *a, const struct blob *b)
{
	struct xattr_view left, right;
	size_t at = 0, start;

	/* Equal sets have equal lengths, and names are unique: so one direction is enough. */
	if (a->length != b->length)
		return false;
	while (xattr_set_next(a, &at, &left)) {
		if (!set_find(b, left.name, left.name_length, &start, &right))
			return false;
		if (left.value_length != right.value_length ||
		    memcmp(left.value, right.value, left.value_length))
			return false;
	}
	return at == a->length;
}
