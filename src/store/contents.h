/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which bodies may hold the same bytes: what is staged, and what the base has, or had before sessions
 * replaced it, by size and by digest. Needs the tree's lock. */
#pragma once

#include "store/digest.h"
#include "model/node.h"
#include "store/db.h"

/* Each body of generation gen, with an inode number in [from, to), that isn't empty and no zisofs stream. map
 * is borrowed, and base too: what the base has of the same inode, NULL where it has none or one of another
 * size. A nonzero return ends it and is returned. */
typedef int contents_staged_fn(void *self, uint64_t ino, uint64_t size, const struct extent_map *map,
			       const struct extent_map *base);
int contents_staged(struct db *db, uint32_t gen, uint64_t from, uint64_t to, contents_staged_fn *entry,
		    void *self);

/* 1 = the base has a body of that size, 0 = none, or -errno. */
int contents_base_has(struct db *db, uint64_t size);
/* Inode numbers of nodes that are no more, but whose content is on the disc, begin there. */
#define CONTENTS_FORMER (UINT64_MAX / 2 + 1)
/* Like rows_node_get; of a former body: what is known of it. */
int contents_node(struct db *db, uint64_t ino, uint32_t gen, struct node *ret);
/* A body of the base, or a former one; map is borrowed. */
struct contents_old {
	uint64_t ino;
	const struct extent_map *map;
	bool has_md5;
	bool has_sha256; /* kept from a time when it was read */
	uint8_t md5[MD5_BYTES], sha256[SHA256_BYTES];
};
typedef int contents_old_fn(void *self, const struct contents_old *old);
/* Each body of that size that can be referred to where it lies, and with that md5 as the disc records it
 * (NULL: with any or none). */
int contents_base(struct db *db, uint64_t size, const uint8_t *md5, contents_old_fn *entry, void *self);
/* The same of those that have none recorded. */
int contents_base_unsummed(struct db *db, uint64_t size, contents_old_fn *entry, void *self);
/* Each body of the base that the disc records no sum of and that lies in one piece: where, and what was kept
 * of it (NULL: nothing). */
typedef int contents_unsummed_fn(void *self, uint64_t ino, uint64_t lba, uint64_t size,
				 const uint8_t *sha256);
int contents_unsummed(struct db *db, contents_unsummed_fn *entry, void *self);
/* Keeps what was computed of a body of the base. */
int contents_keep(struct db *db, uint64_t ino, const uint8_t sha256[SHA256_BYTES]);
