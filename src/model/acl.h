/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX ACLs in the kernel's binary form: what file systems owe the kernel (acl(5), linux/posix_acl_xattr.h).
 *
 * A FUSE server with posix_acl has to keep mode bits and access ACL in step and to inherit default ACLs
 * itself. */
#pragma once

#include "base/bytes.h"

#define ACL_ACCESS  "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* True when the bytes are a valid ACL: version 2, entries in order, none twice, a mask where one is needed.
 */
bool acl_valid(const void *acl, size_t length);
/* The mode's permission bits that an access ACL stands for: owner, mask (or group), other. *ret_minimal: it
 * says nothing beyond these nine bits and needn't be kept. acl: valid. */
uint32_t acl_mode(const void *acl, size_t length, bool *ret_minimal);
/* Writes the nine bits of a new mode into an access ACL (chmod). acl: valid. */
void acl_set_mode(void *acl, size_t length, uint32_t mode);
/* Takes from an ACL's owner, mask or group, and other what mode doesn't grant, for a new node that inherits
 * it; returns the resulting nine bits. acl: valid, a copy of the parent's default ACL. */
uint32_t acl_inherit(void *acl, size_t length, uint32_t mode);
