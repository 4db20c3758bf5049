/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the sessions before one are: what each session of ours on a medium with a head says of that.
 *
 * The application use of its primary volume descriptor (ECMA-119 8.4.32, 512 bytes that are ours) holds the
 * record, and so does the head, which is a copy of the newest descriptor: whatever is destroyed of one
 * session, the others are found without it. Numbers are little-endian:
 *
 *	 0  "DISCFS LINEAGE 1"
 *	16  number of the session, from 1
 *	20  sector where it begins
 *	24  sector where a copy of the disc's first descriptors begins; 0: there's none
 *	28  how many sectors the copy has
 *	32  how many addresses follow
 *	36  where the sessions before it begin, the newest first; as many as fit
 *	496 the first 16 bytes of the SHA-256 of all before
 *
 * Where the first session begins at sector 0 (genisoimage and mkisofs make such), the head takes the place of
 * its descriptors. The first session of ours brings a copy of them along: in its system area (6.2.1: its
 * content is open), from its second sector on. A UDF bridge (bridge.h) uses more of the head: such a session
 * has a copy of all 16 sectors, in the part of its front that is left free. */
#pragma once

#include "disc/source.h"

#define LINEAGE_BYTES	   512u
#define LINEAGE_OFFSET	   883u /* of a primary volume descriptor */
#define LINEAGE_BEFORE	   115u
#define LINEAGE_COPY_MOST  16u	/* sectors of a copy: from 16 on */
#define LINEAGE_AREA_AT	   1u	/* sector of a session, where a copy in its system area begins */
#define LINEAGE_AREA_COUNT 14u	/* the last one of a system area is spoken for */
#define LINEAGE_FRONT_AT   240u /* and one in the front of a bridge, before its anchor at 256 */

struct lineage {
	uint32_t number;
	uint64_t start;
	uint64_t copy;
	uint32_t copied;
	uint32_t count;
	uint64_t before[LINEAGE_BEFORE];
};

/* What a new session is to carry. */
struct lineage_load {
	uint8_t record[LINEAGE_BYTES];
	uint32_t copied; /* sectors, 0: none is needed */
	uint8_t copy[LINEAGE_COPY_MOST * SECTOR];
};

/* 0 or -EIO. */
int lineage_put(const struct lineage *lineage, uint8_t ret[LINEAGE_BYTES]);
/* descriptor: SECTOR bytes. False: it says nothing that makes sense. */
bool lineage_get(const uint8_t *descriptor, struct lineage *ret);
/* Of the session that is to begin at start, by what is on the medium now; blank: nothing. bridge: it's one. 0
 * or -errno. */
int lineage_make(const struct source *source, bool blank, uint64_t start, bool bridge,
		 struct lineage_load *ret, struct reason *why);
/* The head as it was, by a copy: HEAD_BYTES. What isn't in the copy was never changed. */
int lineage_read_copy(const struct source *source, uint64_t copy, uint32_t copied, uint8_t *ret,
		      struct reason *why);
