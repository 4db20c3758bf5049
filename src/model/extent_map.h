/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extent map: which bytes of a file's content come from where.
 *
 * Invariants: extents are sorted by offset, don't overlap, have length > 0; two neighbours that continue each
 * other in file and source are one extent. What no extent covers is a hole (reads as zeroes). All numbers are
 * bytes. No thread rule of its own: the owner locks. */
#pragma once

#include "base/bytes.h"

enum extent_kind {
	EXTENT_DISC =
	    1, /* origin: byte address on the medium, a multiple of SECTOR for a file's first byte there */
	EXTENT_SPOOL = 2 /* origin: byte address in the spool file */
};

struct extent {
	uint64_t offset; /* in the file */
	uint64_t length; /* > 0 */
	uint64_t origin; /* of the first byte, in the source */
	enum extent_kind kind;
};

struct extent_map {
	struct extent *items; /* owned */
	size_t count;
	size_t room;
};

void extent_map_clear(struct extent_map *map);
/* Replaces ret by a copy. 0 or -ENOMEM (ret unchanged). */
int extent_map_copy(const struct extent_map *map, struct extent_map *ret);
/* Index of the first extent that ends after offset; count if there's none. */
size_t extent_map_find(const struct extent_map *map, uint64_t offset);
/* Makes room, so that the next extent_map_set or extent_map_punch can't fail. 0 or -ENOMEM. */
int extent_map_prepare(struct extent_map *map);
/* Makes [offset, offset+length) come from the given source, replacing what was there. 0 or -ENOMEM
 * (unchanged). */
int extent_map_set(struct extent_map *map, const struct extent *extent);
/* Makes [offset, offset+length) a hole. length may reach beyond the end. 0 or -ENOMEM (unchanged). */
int extent_map_punch(struct extent_map *map, uint64_t offset, uint64_t length);

/* Piece by piece: fills ret with the part of the content at offset, at most length (> 0) bytes long; kind 0
 * is a hole. ret->length > 0 always. */
void extent_map_piece(const struct extent_map *map, uint64_t offset, uint64_t length, struct extent *ret);

/* True when every byte of [0, size) comes from the disc in sections that ISO 9660 can reference in place:
 * each starts at a sector's start, and all but the last are whole sectors. At most 100 sections: Linux isofs
 * reads no more. An empty file is not on the disc. */
bool extent_map_is_on_disc(const struct extent_map *map, uint64_t size);
/* True when both say the same of every byte. */
bool extent_map_equal(const struct extent_map *a, const struct extent_map *b);
/* An order in which maps stand next to those that are equal to them: -1, 0 or 1. */
int extent_map_compare(const struct extent_map *a, const struct extent_map *b);
/* Bytes that come from anywhere: the rest of the content are holes. */
uint64_t extent_map_stored(const struct extent_map *map);
/* The same of the stored form below. */
uint64_t extent_map_packed_stored(const void *data, size_t length);
/* Bytes that come from the spool. */
uint64_t extent_map_spooled(const struct extent_map *map);

/* The stored form: per extent 8 bytes offset, 8 length, 8 origin with the kind in the top byte,
 * little-endian. */
#define EXTENT_PACKED 24
int extent_map_pack(const struct extent_map *map, struct blob *ret);
/* Checks order, overlap and wrapping. 0, -EINVAL on damaged bytes, or -ENOMEM. */
int extent_map_unpack(const void *data, size_t length, struct extent_map *ret);
