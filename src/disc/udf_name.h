/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names as UDF records them (OSTA compressed Unicode, UDF 2.1.1 and 6.4), made UTF-8. No I/O. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UDF_NAME_ROOM 256u

/* Identifier of a file or directory: never "", ".", "..", with '/' or NUL, or longer than 255 bytes: such
 * characters become '_', halves of surrogate pairs U+FFFD, and what is too long is cut and gets a '#' and
 * four digits. Returns its length, 0 where nothing is recorded or the compression isn't known. ret:
 * UDF_NAME_ROOM. */
size_t udf_name(const uint8_t *recorded, size_t length, char *ret);
/* A component of a symlink's target: as above, but not cut. Returns the length; room bytes at most, or 0. */
size_t udf_text(const uint8_t *recorded, size_t length, char *ret, size_t room);
/* A dstring (ECMA-167 1/7.2.12) of a field of that size, cut between characters where it doesn't fit into
 * room bytes with its NUL. */
void udf_dstring(const uint8_t *field, size_t size, char *ret, size_t room);
