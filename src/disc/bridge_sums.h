/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sums of what libisofs' own don't cover in a session with a UDF bridge (bridge.h): its front, its
 * directories (those of Joliet lie behind libisofs' sum), its tail. They stand in the last sector but one of
 * the session. It begins with an anchor of UDF, as the one behind it: 7-Zip wants anchors and zeroes there
 *and nothing else. Numbers are little-endian:
 *
 *	0    anchor (ECMA-167 3/10.2)
 *	512  "DISCFS UDF SUM 1"
 *	528  sector where the session begins
 *	532  of the front, the directories and the tail, each in turn:
 *		0    first sector
 *		4    how many
 *		8    SHA-256 over the SHA-256 of each of its pieces
 *		40   of each piece the first 4 bytes of its SHA-256; 112 places
 *	1996 zeroes
 *	2016 SHA-256 of all before
 *
 * A piece is as many sectors as it takes for 112 of them to be enough, so that a damage can be told by its
 * place. The anchor in the last sector follows from the rest. Sector 256 of a medium is rewritten with each
 * session: where it lies in a front, and isn't that session's own anchor, it counts as zeroes. */
#pragma once

#include "base/bytes.h"
#include "base/reason.h"
#include "disc/udf_record.h"

#define BRIDGE_PIECES	 112u
#define BRIDGE_PIECE_SUM 4u
#define BRIDGE_SUM	 32u /* SHA-256 */
#define BRIDGE_SUMS_BACK 2u  /* so far before the session's end */

enum bridge_range { RANGE_FRONT, RANGE_DIRS, RANGE_TAIL, BRIDGE_RANGES };

struct range_sums {
	uint32_t first, sectors;
	uint8_t sum[BRIDGE_SUM];
	uint8_t pieces[BRIDGE_PIECES][BRIDGE_PIECE_SUM];
};

struct bridge_sums {
	uint32_t start; /* of the session */
	struct range_sums ranges[BRIDGE_RANGES];
};

/* at: the sector where it will stand. 0 or -EIO. */
int bridge_sums_put(const struct bridge_sums *sums, uint32_t at, uint8_t ret[SECTOR]);
/* block: what stands in sector at. False: it's no such record, or makes no sense there. */
bool bridge_sums_get(const uint8_t *block, uint64_t at, struct bridge_sums *ret);

/* Sectors of a piece, at least 1. */
uint32_t range_sums_step(const struct range_sums *sums);

/* Fills the sums of a range, sector by sector. */
struct range_summing {
	struct range_sums *sums; /* borrowed; says how many sectors will come */
	void *piece, *all;
	uint32_t at; /* of them have come */
	bool failed;
};

/* Close it always. 0 or -ENOMEM. */
int range_summing_open(struct range_summing *summing, struct range_sums *sums, struct reason *why);
/* lba: where the block stands. What comes too much fails it. */
void range_summing_add(struct range_summing *summing, uint64_t lba, const uint8_t *block);
/* False: not all have come. */
bool range_summing_end(struct range_summing *summing);
void range_summing_close(struct range_summing *summing);
