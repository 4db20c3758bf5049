/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file systems a session carries, and reading the tree of one of them. */
#pragma once

#include "disc/iso_read.h"
#include "disc/udf_volume.h"

/* What the session that starts there has, as a set: its descriptors are read, not its trees. UDF that isn't
 * supported or damaged doesn't count. 0 or -EIO. */
int formats_probe(const struct source *source, uint64_t start, uint32_t *ret, struct reason *why);
/* The tree of format (enum tree_format; FORMAT_AUTO: the richest, which is Rock Ridge, else UDF, else Joliet,
 * else plain ISO 9660). Otherwise as iso_read_tree. */
int formats_read_tree(const struct source *source, uint64_t session, uint64_t limit, uint32_t format,
		      const struct tree_sink *sink, void *self, struct verb_imported *ret,
		      struct reason *why);
