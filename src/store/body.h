/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file's content: an extent map over spool and disc, read and written by bytes.
 *
 * Writing puts the bytes into the spool first and then into the map; the rows follow with the next flush.
 * Each function takes inode->io itself; the caller holds a reference. 0 or -errno unless said otherwise. */
#pragma once

#include "store/tree.h"

/* Reads up to length bytes; fewer only at the end of the file. Returns the count, or -EAGAIN when some of it
 * is on the disc and that is held (disc_reader.h), or -errno. */
int64_t body_read(struct tree *tree, struct inode *inode, void *data, size_t length, uint64_t offset);
/* Space comes back when the kernel has forgotten what was deleted, and with a sync: waits for it when there's
 * no room for so much else. No lock may be held. */
void body_make_room(struct tree *tree, uint64_t length);
/* Writes all of it: -ENOSPC where the medium or the spool has no room, -EFBIG. After a failure some of the
 * bytes may be there, none outside of the range. */
int body_write(struct tree *tree, struct inode *inode, const void *data, size_t length, uint64_t offset);
/* The same of pages that the kernel held: it knows when they were written, and tells it by itself, before or
 * after; the times stay. */
int body_write_late(struct tree *tree, struct inode *inode, const void *data, size_t length, uint64_t offset);
/* Copies by reference: both point to the same bytes in the spool or on the disc from then on, and nothing is
 * staged. At most length bytes; fewer at the end of the source. -EINVAL when ranges of one file overlap.
 * Returns the count or -errno. */
int64_t body_copy(struct tree *tree, struct inode *from, uint64_t from_offset, struct inode *to,
		  uint64_t offset, uint64_t length);
int body_truncate(struct tree *tree, struct inode *inode, uint64_t size);
/* Somebody opens the file for writing, or was the last to close it: then what came to lie behind refused
 * bytes that were added meanwhile goes too (store/lost.h). */
void body_opened(struct inode *inode);
void body_closed(struct tree *tree, struct inode *inode);
/* fallocate with FALLOC_FL_KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE or 0; others -EOPNOTSUPP. */
int body_allocate(struct tree *tree, struct inode *inode, int mode, uint64_t offset, uint64_t length);
/* lseek's SEEK_DATA or SEEK_HOLE: the position, or -ENXIO. */
int64_t body_seek(struct inode *inode, uint64_t offset, int whence);
/* Reads through a map that nobody changes, such as a frozen node's. Holes and what lies beyond the map are
 * zeroes. */
int body_read_map(struct tree *tree, const struct extent_map *map, void *data, size_t length,
		  uint64_t offset);
