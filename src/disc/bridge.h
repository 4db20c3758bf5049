/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The UDF 1.02 file system beside ISO 9660 in a session: the same files at the same places, for readers that
 * don't know Rock Ridge. A session at S:
 *
 *	S       S+16            S+32       S+64       S+256 S+288
 *	+-------+---------------+----------+----------+-----+----------------+----------------+----+------+-----+
 *	| empty | descriptors,  | volume   | integ-   | an- | libisofs' part | file set, file | 0… | sums |
 *an- | |       | recognition   | sequence | rity     | chor| as it made it  | entries, names |    |      |
 *chor|
 *	+-------+---------------+----------+----------+-----+----------------+----------------+----+------+-----+
 *	 \___________________ the front ___________________/                  \____ the tail _____/
 *
 * libisofs' part is a session of its own, with its checksums; the descriptors at S+16 are copies of its own,
 * so that S is where the session begins for all who look for one. The front and the tail have sums in the
 * last sector but one: bridge_sums.h.
 *
 * What the base session has in such a bridge, and what didn't change since, is inherited: a file by its file
 * entry, a directory below which nothing changed with all there is below it. Then ".." of an inherited
 * directory leads to its parent as it was; readers go by the path instead.
 *
 * Steps: bridge_plan, then bridge_place once the place of the tail is known, then bridge_locate once libisofs
 * has written its directories; then bridge_front, and bridge_next for each sector of the tail. */
#pragma once

#include "disc/iso_sections.h"
#include "disc/source.h"
#include "disc/udf_record.h"

struct bridge {
	const struct plan *plan;
	struct plan_index index;
	struct iso_sections sections;
	struct udf_facts facts;
	bool links;		/* symbolic links go in, and devices and their like */
	uint32_t *icb;		/* by node: sector of its file entry; 0: none yet, or left out */
	uint32_t *bytes;	/* by node: of a directory's content */
	uint8_t *fate;		/* by node: enum bridge_fate */
	uint32_t *another;	/* by name, see udf_ident; NULL: all 0 */
	VEC(uint32_t) fresh;	/* nodes in the order in which they're recorded */
	uint32_t sectors;	/* of the tail */
	size_t next;		/* in fresh */
	struct blob ahead;	/* what was made of it and isn't given out yet */
	size_t given;		/* bytes of ahead */
	uint32_t given_sectors; /* of the tail */
};

enum bridge_fate { FATE_FRESH, FATE_INHERITED, FATE_LEFT_OUT };

#define BRIDGE_NO_BASE UINT64_MAX
/* base: start of the base session, whose bridge may be inherited from. plan must outlive it.
 * Close it always. 0, -EFBIG, -ENOMEM. */
int bridge_plan(struct bridge *bridge, const struct plan *plan, const struct source *source, uint64_t base,
		bool links, struct reason *why);
void bridge_close(struct bridge *bridge);
/* tail: its first sector. Then bridge->facts lacks end, time_ns, label and set. 0 or -EFBIG. */
int bridge_place(struct bridge *bridge, uint32_t start, uint32_t tail, struct reason *why);
/* As iso_sections_find. */
int bridge_locate(struct bridge *bridge, const uint8_t *data, uint32_t blocks, uint32_t start, uint32_t root,
		  uint32_t root_length, struct reason *why);
/* The next sector of the tail. 0, -EFBIG or -ENOMEM. */
int bridge_next(struct bridge *bridge, uint8_t ret[SECTOR], struct reason *why);
