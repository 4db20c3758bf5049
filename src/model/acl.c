/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/acl.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#define HEADER sizeof(struct posix_acl_xattr_header)
#define ENTRY  sizeof(struct posix_acl_xattr_entry)

static size_t acl_count(size_t length)
{
	return length < HEADER ? 0 : (length - HEADER) / ENTRY;
}

static uint8_t *entry_at(const void *acl, size_t index)
{
	return (uint8_t *)(uintptr_t)acl + HEADER + index * ENTRY;
}

static unsigned entry_tag(const uint8_t *entry)
{
	return entry[0] | (unsigned)entry[1] << 8;
}

static unsigned entry_perm(const uint8_t *entry)
{
	return entry[2] | (unsigned)entry[3] << 8;
}

static void entry_set_perm(uint8_t *entry, unsigned perm)
{
	entry[2] = (uint8_t)perm;
	entry[3] = 0;
}

static uint8_t *find_tag(const void *acl, size_t length, unsigned tag)
{
	for (size_t i = 0; i < acl_count(length); i++)
		if (entry_tag(entry_at(acl, i)) == tag)
			return entry_at(acl, i);
	return NULL;
}

/* The entry that stands for the mode's group bits. */
static uint8_t *group_class(const void *acl, size_t length)
{
	uint8_t *mask = find_tag(acl, length, ACL_MASK);

	return mask ? mask : find_tag(acl, length, ACL_GROUP_OBJ);
}

static bool tag_known(unsigned tag)
{
	return tag == ACL_USER_OBJ || tag == ACL_USER || tag == ACL_GROUP_OBJ || tag == ACL_GROUP ||
	       tag == ACL_MASK || tag == ACL_OTHER;
}

bool acl_valid(const void *acl, size_t length)
{
	unsigned last = 0;
	bool named = false;

	if (length < HEADER || (length - HEADER) % ENTRY || get_le32(acl) != POSIX_ACL_XATTR_VERSION)
		return false;
	for (size_t i = 0; i < acl_count(length); i++) {
		const uint8_t *entry = entry_at(acl, i);
		unsigned tag = entry_tag(entry);
		bool many = tag == ACL_USER || tag == ACL_GROUP;

		if (!tag_known(tag) || entry_perm(entry) > 7 || tag < last || (tag == last && !many))
			return false;
		last = tag;
		named |= many;
	}
	return find_tag(acl, length, ACL_USER_OBJ) && find_tag(acl, length, ACL_GROUP_OBJ) &&
	       find_tag(acl, length, ACL_OTHER) && (!named || find_tag(acl, length, ACL_MASK));
}

uint32_t acl_mode(const void *acl, size_t length, bool *ret_minimal)
{
	*ret_minimal = acl_count(length) == 3;
	return entry_perm(find_tag(acl, length, ACL_USER_OBJ)) << 6 |
	       entry_perm(group_class(acl, length)) << 3 | entry_perm(find_tag(acl, length, ACL_OTHER));
}

void acl_set_mode(void *acl, size_t length, uint32_t mode)
{
	entry_set_perm(find_tag(acl, length, ACL_USER_OBJ), mode >> 6 & 7);
	entry_set_perm(group_class(acl, length), mode >> 3 & 7);
	entry_set_perm(find_tag(acl, length, ACL_OTHER), mode & 7);
}

uint32_t acl_inherit(void *acl, size_t length, uint32_t mode)
{
	bool minimal;

	acl_set_mode(acl, length, mode & acl_mode(acl, length, &minimal));
	return acl_mode(acl, length, &minimal);
}
