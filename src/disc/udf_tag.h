/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts that all UDF descriptors share: tag, checksums, numbers, times. ECMA-167 is cited by part and
 * clause of its third edition, UDF by the clause of revision 2.60. No I/O. */
#pragma once

#include "base/bytes.h"
#include "model/udf_ident.h"

/* ECMA-167 3/7.2.1 and 4/7.2.1. */
enum udf_tag {
	UDF_TAG_PRIMARY = 1,
	UDF_TAG_ANCHOR = 2,
	UDF_TAG_POINTER = 3, /* to the next extent of the volume descriptor sequence */
	UDF_TAG_USE = 4,     /* implementation use volume descriptor */
	UDF_TAG_PARTITION = 5,
	UDF_TAG_LOGICAL = 6,
	UDF_TAG_UNALLOCATED = 7,
	UDF_TAG_TERMINATOR = 8,
	UDF_TAG_INTEGRITY = 9,
	UDF_TAG_FILE_SET = 256,
	UDF_TAG_NAME = 257,	  /* file identifier descriptor */
	UDF_TAG_ALLOCATION = 258, /* allocation extent descriptor */
	UDF_TAG_INDIRECT = 259,
	UDF_TAG_FILE = 261,
	UDF_TAG_ATTRIBUTES = 262, /* extended attribute header descriptor */
	UDF_TAG_SPACE_BITMAP = 264,
	UDF_TAG_EXTENDED_FILE = 266
};

#define UDF_TAG_LENGTH	   16u
#define UDF_IMPLEMENTATION "*discfs" /* in what this program writes, UDF 2.1.5 */
#define UDF_TIME_LENGTH	   12u

/* Is there a tag whose checksum is right, and whose CRC is that of the bytes behind it? Returns its
 * identifier, 0 for none. room: bytes from the tag's first on. */
uint32_t udf_tag_read(const uint8_t *data, size_t room);
/* The block number that the tag says it stands at. */
uint32_t udf_tag_location(const uint8_t *data);
/* ECMA-167 1/7.3, in nanoseconds since 1970; 0 for what can't be a time. */
int64_t udf_time(const uint8_t *at);
/* ECMA-167 1/7.4: is that the identifier of an entity? */
bool udf_entity_is(const uint8_t *entity, const char *identifier);
