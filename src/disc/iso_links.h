/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which entries of an imported tree are names of one file.
 *
 * What writers record (measured on xorriso 1.5.4 and genisoimage 1.1.11):
 *  - libisofs with hard links on: RRIP 1.12, PX carries a serial number; the names of one file share it.
 * Files that merely have the same content or the same extent have different numbers. The numbers decide alone
 * then.
 *  - genisoimage, and libisofs with hard links off: PX has no serial number (libisofs then invents one for
 * each entry), but its link count is that of the file. Names of one file share the extent and all attributes.
 * Merging identical contents (genisoimage -duplicates-once, libisofs' own) makes extents shared as well, with
 * a link count of 1. So: same extent, same size, mode, owners and modification time, and a record of that
 * extent says that it has several links. Empty files have no extent of their own: their links can't be known
 * and aren't restored. */
#pragma once

#include "disc/iso_lib.h"

#define NO_EXTENT UINT32_MAX

struct iso_entry {
	IsoNode *node; /* borrowed */
	uint64_t size; /* as recorded: sum of the sections */
	uint64_t serial;
	uint32_t parent; /* index */
	uint32_t
	    leader; /* index of the entry with the first name of the same file; its own where there's none */
	uint32_t lba; /* of the first section; NO_EXTENT where nothing is recorded */
	bool is_dir;
};

/* Sets leader in each. volume: start of the session in force, for a look at the records themselves. */
int iso_links_find(struct iso_entry *entries, uint32_t count, const struct source *source, uint64_t volume,
		   struct reason *why);
