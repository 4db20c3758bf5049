/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The extended attributes of one node, packed as they are stored and sent.
 *
 * Packed: per attribute 1 byte name length, 4 bytes value length (little-endian), name (no NUL), value. Names
 * carry their namespace ("user.x", "security.capability"). POSIX ACLs are stored in the kernel's binary form
 * under "system.posix_acl_access" and "system.posix_acl_default". */
#pragma once

#include "base/bytes.h"

/* One attribute while walking; pointers into the packed bytes. */
struct xattr_view {
	const char *name; /* not NUL-terminated */
	size_t name_length;
	const uint8_t *value;
	size_t value_length;
};

/* Whether a file may have an attribute of that name: FUSE hands on any, a disc has the name spaces of
 * xattr(7), and "isofs." is libisofs' own. 0, -EOPNOTSUPP (another name space), -EINVAL (nothing behind it).
 */
int xattr_name_check(const char *name);
/* Steps through a packed set: *at starts at 0. False at the end or at damaged bytes. */
bool xattr_set_next(const struct blob *set, size_t *at, struct xattr_view *ret);
/* True when the bytes are a well-formed set without duplicate or empty names. */
bool xattr_set_valid(const struct blob *set);
size_t xattr_set_count(const struct blob *set);
bool xattr_set_find(const struct blob *set, const char *name, struct xattr_view *ret);
/* Adds or replaces. 0, -ENOMEM, -E2BIG (value over 64 KiB), -ERANGE (name over 255). */
int xattr_set_put(struct blob *set, const char *name, const void *value, size_t length);
/* 0, -ENODATA or -ENOMEM. */
int xattr_set_remove(struct blob *set, const char *name);
/* True when both hold the same names with the same values, in any order. */
bool xattr_set_equal(const struct blob *a, const struct blob *b);
