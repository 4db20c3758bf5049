/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors of a UDF 1.02 volume, as the next session records them. ECMA-167 is cited by part and
 * clause, UDF by the clause of revision 1.02. No I/O; all addresses in sectors of the medium, since the
 * partition begins at 0.
 *
 * The volume can't be written to by others (ECMA-167 3/14.5.7): each session brings one of its own along,
 * with all its descriptors within its own sectors, and refers to what older sessions have. */
#pragma once

#include "base/bytes.h"
#include "model/node.h"

#define BRIDGE_SECTORS	 288u /* of a session before libisofs' part: what stands in them is in bridge.h */
#define BRIDGE_SEQUENCE	 32u  /* main volume descriptor sequence, from the session's start */
#define BRIDGE_RESERVE	 48u
#define BRIDGE_INTEGRITY 64u
#define BRIDGE_ANCHOR	 256u
#define RECOGNITION	 3u	     /* sectors of a volume recognition sequence */
#define UDF_EXTENT_MOST	 0x3ffff800u /* bytes of an extent, ECMA-167 4/14.14.1.1, whole sectors */

struct udf_facts {
	uint32_t start;	   /* of the session */
	uint32_t end;	   /* sectors of the volume: first behind the session */
	uint32_t file_set; /* where its descriptor is */
	uint32_t root;	   /* where the root's file entry is */
	uint32_t files, dirs;
	int64_t time_ns; /* of recording, since 1970 */
	char label[33];
	uint64_t set; /* a number that no other volume has */
};

/* BEA01, NSR02, TEA01 (ECMA-167 2/9.1, 3/9.1, 2/9.2). */
void udf_record_recognition(uint8_t blocks[RECOGNITION * SECTOR]);
/* ECMA-167 3/10.2, for the sector at. */
void udf_record_anchor(uint32_t at, uint32_t start, uint8_t block[SECTOR]);
/* Is that the anchor for sector at, of whatever volume? */
bool udf_record_is_anchor(const uint8_t *block, uint32_t at);
/* The sector that it's an anchor for; 0: it's none. */
uint32_t udf_record_anchor_at(const uint8_t *block);
/* Both volume descriptor sequences, the integrity sequence and the anchor of a session's first BRIDGE_SECTORS
 * sectors, which are zeroed there; the rest stays. */
void udf_record_volume(const struct udf_facts *facts, uint8_t *front);
/* File set descriptor and terminator: two sectors. */
void udf_record_file_set(const struct udf_facts *facts, uint8_t blocks[2 * SECTOR]);

/* A file entry without its allocation descriptors or content. */
struct udf_file {
	const struct node_attr *attr; /* its size counts for regular files */
	uint32_t at;		      /* where it is recorded */
	uint32_t id;		      /* 0: the root; else one that no other node has */
	uint32_t links;
	uint64_t size; /* bytes of content */
	bool embedded; /* the content follows in the entry itself */
};

/* Returns where the allocation descriptors, or the content, begin in the block; udf_record_file_end says how
 * long they are, and makes the tag. ECMA-167 4/14.9. */
uint32_t udf_record_file(const struct udf_file *file, uint8_t block[SECTOR]);
void udf_record_file_end(uint32_t at, uint32_t length, uint8_t block[SECTOR]);
/* A short_ad, ECMA-167 4/14.14.1. */
void udf_record_extent(uint32_t lba, uint32_t length, uint8_t ret[8]);

/* A file identifier descriptor (ECMA-167 4/14.4) in the sector at, of the node with that entry and id;
 * ident_length 0: its directory's parent. Returns its length. */
uint32_t udf_record_name(uint32_t at, uint32_t icb, uint32_t id, bool is_dir, const uint8_t *ident,
			 size_t ident_length, uint8_t *ret);
/* The content of a symbolic link, ECMA-167 4/14.16. Returns its length; 0: it doesn't fit into room, or a
 * component can't be recorded. */
size_t udf_record_target(const uint8_t *target, size_t length, uint8_t *ret, size_t room);
