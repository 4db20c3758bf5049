/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX ACLs: the kernel's binary form (posix_acl_xattr.h, version 2) to and from AAIP 2.0's. */
#pragma once

#include "base/bytes.h"

/* AAIP holds both lists in one value. 0 (a list that isn't there is left empty), -EINVAL, -ENOMEM. */
int acl_from_aaip(const uint8_t *value, size_t length, struct blob *ret_access, struct blob *ret_default);
/* Either may be empty. 0, -EINVAL (not an ACL), -ENOMEM. ret empty: both lists were empty. */
int acl_to_aaip(const struct blob *access, const struct blob *fallback, struct blob *ret);
