/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/cost.h"

/* ISO 9660 record: 33 fixed + a mangled name of at most 31+3 (ECMA-119 9.1), Rock Ridge PX 44, TF 26, NM 5 +
 * name (RRIP 4.1), CE 28; Joliet: 34 + 2 bytes a character, at most 206; and 16 bytes of MD5 and AAIP index
 * (8+12). Records don't cross sectors: up to an eighth of each is lost. */
#define RECORD_FIXED (33 + 34 + 44 + 26 + 5 + 28 + 34 + 16 + 20)
#define SESSION_FIXED                                                                                        \
	(32 + 64 + 150) /* descriptors, path tables' and tables' remainders, padding; sectors                \
			 */

/* A track on CD is 4 s long at least (MMC-5 4.2.3.6), and all sessions end at a multiple of 32; a CD track
 * may have two sectors behind it that can't be read. */
#define SESSION_LEAST (320 + 32)

uint64_t cost_name(size_t name_length)
{
	uint64_t joliet = 2 * (uint64_t)(name_length > 103 ? 103 : name_length);

	return (RECORD_FIXED + name_length + joliet) * 9 / 8;
}

/* A continuation area that would cross a sector's end begins with the next sector: what was left of the one
 * before is lost, and that can be as much as it is long itself. */
static uint64_t continued(uint64_t bytes)
{
	return bytes + (bytes < SECTOR ? bytes : SECTOR);
}

uint64_t cost_node(const struct node *node)
{
	uint64_t bytes = 0;

	if (node->xattrs.length)
		bytes += continued(node->xattrs.length + node->xattrs.length / 32 + 64);
	if (node->target.length)
		bytes += continued(node->target.length * 5 / 4 + 32); /* SL components, RRIP 4.1.3 */
	if (S_ISDIR(node->attr.mode)) /* "." and ".." in two trees, four path tables, a partly filled last
					 sector each */
		bytes += 2 * SECTOR + 4 * 64;
	if (node->attr.size > 0xFFFFF800u) /* one more record a section of 4 GiB, in both trees */
		bytes += node->attr.size / 0xFFFFF800u * 2 * (RECORD_FIXED + 255);
	return bytes;
}

uint64_t cost_body(const struct node *node)
{
	if (!S_ISREG(node->attr.mode) || extent_map_is_on_disc(&node->map, node->attr.size))
		return 0;
	return sectors_of(node->attr.size);
}

uint64_t cost_session(uint64_t metadata_bytes, uint64_t body_sectors)
{
	return SESSION_FIXED + sectors_of(metadata_bytes) + body_sectors;
}

uint64_t cost_further(uint64_t metadata_bytes)
{
	return max_u64(cost_session(metadata_bytes, 0), SESSION_LEAST);
}
