/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts back the blocks that libisofs reserves behind a directory and then doesn't write.
 *
 * libisofs 1.5.4 counts the padding at the end of a block of a continuation area (Rock Ridge: long names,
 * symlink targets) twice, in susp_calc_nm_sl_al(). Where such an area fills several blocks, the layout
 * therefore may have more blocks for a directory than are written: all that follows comes out too early,
 * while every address, in records, path tables, head and checksum tags, is the layout's. So the layout is
 * what has to become true: the missing blocks are inserted, as zeroes, behind the continuation area of the
 * directory that they were reserved for. Nothing refers to them.
 *
 * That never fails, since no directory is handed to libisofs of which it would write more than it reserves.
 * In reserving as in writing a field goes where the one before it ended, or to the next sector; what is
 * reserved is padded once more behind a name and a target, so it's never less, if it begins no earlier. Three
 * things would break that, and all are kept away from libisofs: the attributes of the root and of symlinks
 * (model/layout: the filler), and targets that don't come to one sector (model/target).
 *
 * No I/O, no libisofs: blocks in memory. Every number read from them is checked. */
#pragma once

#include "base/bytes.h"
#include "base/reason.h"

/* Addresses by the layout, in sectors of the medium. A session consists of descriptors, the directories in
 * pre-order, both path tables, the block of the tree's checksum tag, and what's none of our business here. */
struct tree_bounds {
	uint32_t start; /* of the session */
	uint32_t root;	/* its first directory */
	uint32_t paths; /* path table of type L: right behind the last directory */
	uint32_t tag;	/* the tree's checksum tag, right behind the path table of type M */
};

/* descriptor: the primary volume descriptor of the session at start. 0, or -EIO where it can't be as said
 * above. */
int tree_bounds_read(const uint8_t *descriptor, uint32_t start, struct tree_bounds *ret, struct reason *why);
/* data: the first count blocks of the session as libisofs wrote them, the path tables included. Returns count
 * + missing blocks by malloc, or -EIO where it isn't exactly so that missing blocks fill the gaps, -ENOMEM.
 */
int tree_mend(const struct tree_bounds *bounds, const uint8_t *data, uint32_t count, uint32_t missing,
	      uint8_t **ret, struct reason *why);
