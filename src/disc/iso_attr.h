/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extended attributes and ACLs of a libisofs node, to and from the packed form of model/xattr_set.h.
 *
 * AAIP stores an ACL as the value of an attribute with an empty name; the kernel and our database as
 * system.posix_acl_access and _default in the kernel's binary form. Both are numeric, so nothing is looked up
 * by name. libisofs' own attributes ("isofs.ca", "isofs.cx", …) are its bookkeeping of one session and never
 * leave here. */
#pragma once

#include "base/bytes.h"
#include "disc/iso_lib.h"

/* Replaces ret by what the node carries. 0, -ENOMEM, or -EINVAL when something in it is damaged (what can be
 * read was read). */
int iso_attr_read(IsoNode *node, struct blob *ret);
/* Gives the node exactly these. md5_index: number in the checksum array of the image that was imported, 0 =
 * none. filler: see model/layout.h; a list that ends with an attribute without a value gets one anyway. 0,
 * -ENOMEM, -E2BIG (more than XATTR_SET_LIMIT: libisofs couldn't read it back), -EINVAL. */
int iso_attr_write(IsoNode *node, const struct blob *set, uint32_t md5_index, uint32_t filler);
