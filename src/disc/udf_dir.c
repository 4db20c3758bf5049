/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_dir.h"

#include "disc/udf_tag.h"

#include <errno.h>
#include <string.h>

/* File identifier descriptor, ECMA-167 4/14.4. */
enum { AT_CHARACTERISTICS = 18, AT_NAME_LENGTH = 19, AT_ICB = 20, AT_USE_LENGTH = 36, AT_REST = 38 };

#define IS_HIDDEN  0x01u
#define IS_DELETED 0x04u
#define IS_PARENT  0x08u

/* Kinds of path components, ECMA-167 4/14.16.1. */
enum { COMPONENT_OTHER_ROOT = 1, COMPONENT_ROOT, COMPONENT_PARENT, COMPONENT_SELF, COMPONENT_NAME };

static bool is_padding(const uint8_t *at, size_t left)
{
	for (size_t i = 0; i < left; i++)
		if (at[i])
			return false;
	return true;
}

int udf_dir_next(const struct blob *content, size_t *at, struct udf_entry *ret, struct reason *why)
{
	while (*at < content->length) {
		const uint8_t *fid = content->data + *at;
		size_t left = content->length - *at, size;
		uint32_t characteristics;

		if (left < UDF_TAG_LENGTH && is_padding(fid, left))
			return 0;
		if (left < AT_REST || udf_tag_read(fid, left) != UDF_TAG_NAME)
			return reason_set(why, EBADMSG, "its entry at byte %zu is damaged", *at);
		size = AT_REST + get_le16(fid + AT_USE_LENGTH) + fid[AT_NAME_LENGTH];
		if (size > left)
			return reason_set(why, EBADMSG, "its entry at byte %zu is cut off", *at);
		*at += min_u64(round_up(size, 4), left);
		characteristics = fid[AT_CHARACTERISTICS];
		if (characteristics & (IS_DELETED | IS_PARENT))
			continue;
		ret->hidden = characteristics & IS_HIDDEN;
		ret->icb_length = get_le32(fid + AT_ICB) & 0x3fffffff;
		ret->icb = (struct udf_address){ get_le32(fid + AT_ICB + 4), get_le16(fid + AT_ICB + 8) };
		ret->name_length =
		    udf_name(fid + AT_REST + get_le16(fid + AT_USE_LENGTH), fid[AT_NAME_LENGTH], ret->name);
		return 1;
	}
	return 0;
}

void udf_dir_skip(const struct blob *content, size_t *at)
{
	do
		*at = min_u64(*at + 4, content->length);
	while (*at < content->length &&
	       (content->length - *at < AT_REST ||
		udf_tag_read(content->data + *at, content->length - *at) != UDF_TAG_NAME));
}

/* What a component puts behind *used bytes. False: no room, or not a component. */
static bool put_component(const uint8_t *at, char *ret, size_t room, size_t *used)
{
	char text[1024];
	size_t length = 0;

	switch (at[0]) {
	case COMPONENT_OTHER_ROOT:
	case COMPONENT_ROOT:
		*used = 0;
		if (room < 1)
			return false;
		ret[(*used)++] = '/';
		return true;
	case COMPONENT_PARENT:
		length = 2;
		memcpy(text, "..", length);
		break;
	case COMPONENT_SELF:
		length = 1;
		memcpy(text, ".", length);
		break;
	case COMPONENT_NAME:
		length = udf_text(at + 4, at[1], text, sizeof text);
		break;
	}
	if (length == 0 || room - *used < length + 1)
		return false;
	if (*used && ret[*used - 1] != '/')
		ret[(*used)++] = '/';
	memcpy(ret + *used, text, length);
	*used += length;
	return true;
}

size_t udf_link_target(const struct blob *content, char *ret, size_t room)
{
	size_t used = 0;

	for (size_t at = 0; at < content->length;) {
		size_t left = content->length - at;

		if (left < 4 || content->data[at + 1] > left - 4 ||
		    !put_component(content->data + at, ret, room, &used))
			return 0;
		at += 4u + content->data[at + 1];
	}
	return used;
}
