/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names as the next session's UDF records them: OSTA compressed Unicode (UDF 1.02 2.1.1), which has 254 bytes
 * of 8 bits or 127 units of UTF-16. Pure rules, for the writer and for the reckoning of what it takes.
 *
 * What doesn't fit is cut in the manner of UDF 4.2.2.1: the begin, '#' and four digits of a CRC of the whole
 * name, and the extension where it's short. Bytes that aren't UTF-8 become '_', and the name gets such a CRC,
 * too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UDF_IDENT_MOST 255u

/* ECMA-167 1/7.2.6: x^16 + x^12 + x^5 + 1. */
uint16_t udf_crc(const uint8_t *data, size_t length);
/* The identifier of a name of 1..255 bytes, its compression included. another: 0, or the how-manieth way to
 * make it unlike others of its directory. Returns its length, 2..255; ret_changed: a reader sees another
 * name. */
size_t udf_ident(const char *name, size_t length, uint32_t another, uint8_t ret[UDF_IDENT_MOST],
		 bool *ret_changed);
/* A component of a symlink's target, uncut: 1..254 bytes of UTF-8. Returns its length with the compression, 0
 * where it has no room in 255 bytes; changed as above. */
size_t udf_ident_component(const char *text, size_t length, uint8_t ret[UDF_IDENT_MOST], bool *ret_changed);

/* Does a symlink's target fit into its file entry? Otherwise UDF goes without it. */
bool udf_target_fits(const char *target, size_t length);

#define UDF_FID_BYTES 38u /* of a file identifier descriptor without its identifier, ECMA-167 4/14.4 */

/* Bytes of a directory's descriptor with an identifier of that length; 0: its parent's. */
static inline uint32_t udf_fid_bytes(size_t ident)
{
	return (UDF_FID_BYTES + (uint32_t)ident + 3u) & ~3u;
}
