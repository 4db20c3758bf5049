/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_attr.h"

#include "base/vec.h"
#include "disc/acl.h"
#include "model/node.h"
#include "model/xattr_set.h"

#include <errno.h>
#include <string.h>

#define ACL_ACCESS    "system.posix_acl_access"
#define ACL_DEFAULT   "system.posix_acl_default"
#define OWN_NAMESPACE "isofs."
#define MD5_INDEX     "isofs.cx"
#define FILLER	      "isofs.pd"

/* What libisofs hands out and takes: parallel arrays. */
struct attr_arrays {
	size_t count;
	char **names;
	size_t *lengths;
	char **values;
};

static void dispose_read(struct attr_arrays *arrays)
{
	iso_node_get_attrs(NULL, &arrays->count, &arrays->names, &arrays->lengths, &arrays->values, 1 << 15);
}

static int keep_acl(const char *value, size_t length, struct blob *ret)
{
	CLEANUP(blob_clear) struct blob access = { 0 };
	CLEANUP(blob_clear) struct blob fallback = { 0 };
	int got = acl_from_aaip((const uint8_t *)value, length, &access, &fallback);

	if (got == 0 && access.length)
		got = xattr_set_put(ret, ACL_ACCESS, access.data, access.length);
	if (got == 0 && fallback.length)
		got = xattr_set_put(ret, ACL_DEFAULT, fallback.data, fallback.length);
	return got;
}

/* "namespace.name", as every attribute on Linux. */
static bool name_is_legal(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && dot > name && dot[1] != '\0';
}

int iso_attr_read(IsoNode *node, struct blob *ret)
{
	CLEANUP(dispose_read) struct attr_arrays arrays = { 0 };
	int worst = 0;

	blob_clear(ret);
	if (iso_node_get_attrs(node, &arrays.count, &arrays.names, &arrays.lengths, &arrays.values, 1) < 0)
		return -EINVAL;
	for (size_t i = 0; i < arrays.count; i++) {
		int got;

		if (strncmp(arrays.names[i], OWN_NAMESPACE, strlen(OWN_NAMESPACE)) == 0)
			continue;
		if (arrays.names[i][0] == '\0')
			got = keep_acl(arrays.values[i], arrays.lengths[i], ret);
		else if (!name_is_legal(arrays.names[i]))
			got = -EINVAL;
		else
			got = xattr_set_put(ret, arrays.names[i], arrays.values[i], arrays.lengths[i]);
		if (got == -ENOMEM)
			return got;
		if (got < 0)
			worst = -EINVAL;
	}
	return worst;
}

/* Names are copied (they need a NUL), values are borrowed. */
struct attr_list {
	char **names;
	char **values;
	size_t *lengths;
	size_t count;
};

static void dispose_list(struct attr_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	free(list->values);
	free(list->lengths);
}

static int list_add(struct attr_list *list, const char *name, size_t name_length, const uint8_t *value,
		    size_t length)
{
	char *copy = strndup(name, name_length);

	if (!copy)
		return -ENOMEM;
	list->names[list->count] = copy;
	/* libisofs takes char *, and only reads. */
	memcpy(&list->values[list->count], &value, sizeof value);
	list->lengths[list->count] = length;
	list->count++;
	return 0;
}

static bool is_named(const struct xattr_view *view, const char *name)
{
	return view->name_length == strlen(name) && memcmp(view->name, name, view->name_length) == 0;
}

static int list_fill(struct attr_list *list, const struct blob *set, struct blob *acl)
{
	CLEANUP(blob_clear) struct blob access = { 0 };
	CLEANUP(blob_clear) struct blob fallback = { 0 };
	struct xattr_view view;
	int got = 0;

	for (size_t at = 0; got == 0 && xattr_set_next(set, &at, &view);) {
		if (is_named(&view, ACL_ACCESS))
			got = blob_set(&access, view.value, view.value_length);
		else if (is_named(&view, ACL_DEFAULT))
			got = blob_set(&fallback, view.value, view.value_length);
		else
			got = list_add(list, view.name, view.name_length, view.value, view.value_length);
	}
	if (got == 0 && (access.length || fallback.length))
		got = acl_to_aaip(&access, &fallback, acl);
	if (got == 0 && acl->length)
		got = list_add(list, "", 0, acl->data, acl->length);
	return got;
}

int iso_attr_write(IsoNode *node, const struct blob *set, uint32_t md5_index, uint32_t filler)
{
	CLEANUP(dispose_list) struct attr_list list = { 0 };
	CLEANUP(blob_clear) struct blob acl = { 0 };
	AUTO_FREE uint8_t *filling = calloc(1, filler + 1);
	size_t room = xattr_set_count(set) + 2;
	uint8_t index[4];
	int got;

	if (set->length > XATTR_SET_LIMIT)
		return -E2BIG;
	if (set->length == 0 && md5_index == 0 && filler == 0)
		return 0;
	list.names = calloc(room, sizeof *list.names);
	list.values = calloc(room, sizeof *list.values);
	list.lengths = calloc(room, sizeof *list.lengths);
	if (!filling || !list.names || !list.values || !list.lengths)
		return -ENOMEM;
	got = list_fill(&list, set, &acl);
	put_be32(index, md5_index);
	if (got == 0 && md5_index)
		got = list_add(&list, MD5_INDEX, strlen(MD5_INDEX), index, sizeof index);
	/* libisofs can't decode a list that ends with an attribute without a value. */
	if (filler == 0 && list.count > 0 && list.lengths[list.count - 1] == 0)
		filler = 1;
	if (got == 0 && filler)
		got = list_add(&list, FILLER, strlen(FILLER), filling, filler);
	if (got < 0)
		return got;
	got = iso_node_set_attrs(node, list.count, list.names, list.lengths, list.values, 1 | 8);
	return got == (int)ISO_OUT_OF_MEM ? -ENOMEM : got < 0 ? -EINVAL : 0;
}
