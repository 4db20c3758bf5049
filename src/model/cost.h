/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the next session will take up on the medium: an upper bound that is kept up to date entry by entry. */
#pragma once

#include "model/node.h"

/* Bytes of directory records (ISO 9660 + Rock Ridge, Joliet), path tables and UDF-free metadata that one name
 * of one node adds. */
uint64_t cost_name(size_t name_length);
/* Bytes that a node adds beyond its names: attributes, symlink target, and for a directory its own sectors.
 */
uint64_t cost_node(const struct node *node);
/* Sectors of body that the next session must carry for a regular file: none when it lies on the disc already.
 */
uint64_t cost_body(const struct node *node);
/* Sectors of a whole session with that many bytes of metadata and sectors of bodies: descriptors, MD5 tags,
 * padding. */
uint64_t cost_session(uint64_t metadata_bytes, uint64_t body_sectors);
/* Sectors to be kept for a session after that one, without bodies. */
uint64_t cost_further(uint64_t metadata_bytes);
