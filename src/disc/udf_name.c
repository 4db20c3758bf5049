/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_name.h"

#include "disc/udf_tag.h"
#include "model/node.h"

#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xfffdu
#define CUT_MARK    5u /* '#' and four digits */

/* UDF 2.1.1: the first byte tells bits a character; 254 and 255 are those of deleted names. */
static unsigned bytes_each(uint8_t compression)
{
	switch (compression) {
	case 8:
	case 254:
		return 1;
	case 16:
	case 255:
		return 2;
	}
	return 0;
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

static uint32_t get_unit(const uint8_t *at, unsigned bytes)
{
	return bytes == 1 ? at[0] : (uint32_t)at[0] << 8 | at[1];
}

/* The character at *at, which moves on. */
static uint32_t take_character(const uint8_t *recorded, size_t length, unsigned bytes, size_t *at)
{
	uint32_t unit = get_unit(recorded + *at, bytes), next;

	*at += bytes;
	if (is_low(unit))
		return REPLACEMENT;
	if (!is_high(unit))
		return unit;
	if (length - *at < bytes)
		return REPLACEMENT;
	next = get_unit(recorded + *at, bytes);
	if (!is_low(next))
		return REPLACEMENT;
	*at += bytes;
	return 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
}

static size_t put_utf8(uint32_t character, char ret[4])
{
	if (character < 0x80) {
		ret[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		ret[0] = (char)(0xc0 | character >> 6);
		ret[1] = (char)(0x80 | (character & 63));
		return 2;
	}
	if (character < 0x10000) {
		ret[0] = (char)(0xe0 | character >> 12);
		ret[1] = (char)(0x80 | (character >> 6 & 63));
		ret[2] = (char)(0x80 | (character & 63));
		return 3;
	}
	ret[0] = (char)(0xf0 | character >> 18);
	ret[1] = (char)(0x80 | (character >> 12 & 63));
	ret[2] = (char)(0x80 | (character >> 6 & 63));
	ret[3] = (char)(0x80 | (character & 63));
	return 4;
}

/* As many whole characters as fit. *ret_whole: all of them did. */
static size_t decode(const uint8_t *recorded, size_t length, bool escape, char *ret, size_t room,
		     bool *ret_whole)
{
	unsigned bytes = length ? bytes_each(recorded[0]) : 0;
	size_t used = 0;

	*ret_whole = true;
	for (size_t at = 1; bytes && at < length && length - at >= bytes;) {
		uint32_t character = take_character(recorded, length, bytes, &at);
		char utf8[4];
		size_t size;

		if (escape && (character == '/' || character == 0))
			character = '_';
		size = put_utf8(character, utf8);
		if (size > room - used) {
			*ret_whole = false;
			break;
		}
		memcpy(ret + used, utf8, size);
		used += size;
	}
	return used;
}

size_t udf_name(const uint8_t *recorded, size_t length, char *ret)
{
	size_t used;
	bool whole;

	used = decode(recorded, length, true, ret, NAME_LIMIT, &whole);
	if (!whole) {
		used = decode(recorded, length, true, ret, NAME_LIMIT - CUT_MARK, &whole);
		/* As UDF 4.2.2.1 does with names that an operating system can't show whole. */
		snprintf(ret + used, CUT_MARK + 1, "#%04X", udf_crc(recorded + 1, length - 1));
		used += CUT_MARK;
	}
	if (used <= 2 && memcmp(ret, "..", used) == 0)
		memset(ret, '_', used);
	ret[used] = '\0';
	return used;
}

size_t udf_text(const uint8_t *recorded, size_t length, char *ret, size_t room)
{
	bool whole;
	size_t used = decode(recorded, length, true, ret, room, &whole);

	return whole ? used : 0;
}

void udf_dstring(const uint8_t *field, size_t size, char *ret, size_t room)
{
	size_t length = field[size - 1], used;
	bool whole;

	used = decode(field, length < size ? length : size - 1, false, ret, room - 1, &whole);
	ret[used] = '\0';
}
