/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/udf_ident.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ROOM_8	    254u /* characters behind the compression's byte */
#define ROOM_16	    127u
#define CRC_UNITS   5u
#define CRC_STEP    8u
#define EXTENSION   5u /* characters of one that is kept, without its dot */
#define UNITS	    255u
#define TARGET_MOST (2048u - 176u) /* ECMA-167 4/14.9 */
#define COMPONENT   4u		   /* ECMA-167 4/14.16.1, without the identifier */

/* What a byte, with so many zeroes behind it, makes of the sum. */
static uint16_t crc_table[CRC_STEP][256];

static void make_crc_table(void)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		uint32_t crc = byte << 8;

		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
		crc_table[0][byte] = (uint16_t)crc;
	}
	for (unsigned step = 1; step < CRC_STEP; step++)
		for (unsigned byte = 0; byte < 256; byte++) {
			uint16_t before = crc_table[step - 1][byte];

			crc_table[step][byte] = (uint16_t)(before << 8 ^ crc_table[0][before >> 8]);
		}
}

/* Eight bytes at once: a commit sums up a descriptor for each file, and verify does it again. */
uint16_t udf_crc(const uint8_t *data, size_t length)
{
	static pthread_once_t made = PTHREAD_ONCE_INIT;
	uint16_t crc = 0;

	pthread_once(&made, make_crc_table);
	for (; length >= CRC_STEP; length -= CRC_STEP, data += CRC_STEP)
		crc = crc_table[7][data[0] ^ crc >> 8] ^ crc_table[6][data[1] ^ (crc & 0xff)] ^
		      crc_table[5][data[2]] ^ crc_table[4][data[3]] ^ crc_table[3][data[4]] ^
		      crc_table[2][data[5]] ^ crc_table[1][data[6]] ^ crc_table[0][data[7]];
	for (; length; length--, data++)
		crc = (uint16_t)(crc << 8 ^ crc_table[0][crc >> 8 ^ *data]);
	return crc;
}

/* The character at text, and its bytes; 0: that's none (Unicode 3.9, table 3-7). */
static size_t take_utf8(const uint8_t *text, size_t length, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t bytes = text[0] < 0x80	? 1
		       : text[0] < 0xc2 ? 0
		       : text[0] < 0xe0 ? 2
		       : text[0] < 0xf0 ? 3
		       : text[0] < 0xf5 ? 4
					: 0;
	uint32_t character = bytes == 1 ? text[0] : text[0] & (0x7fu >> bytes);

	if (bytes == 0 || bytes > length)
		return 0;
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (text[i] & 0x3f);
	}
	if (character < least[bytes] || character > 0x10ffff || (character >= 0xd800 && character < 0xe000))
		return 0;
	*ret = character;
	return bytes;
}

struct units {
	uint16_t at[UNITS + 1];
	size_t count;
	bool wide;    /* one of them takes more than 8 bits */
	bool changed; /* bytes that aren't UTF-8 */
};

/* Names have at most 255 bytes, so at most as many units. */
static void to_units(const char *name, size_t length, struct units *ret)
{
	*ret = (struct units){ 0 };
	for (size_t at = 0; at < length && ret->count < UNITS;) {
		uint32_t character = '_';
		size_t bytes = take_utf8((const uint8_t *)name + at, length - at, &character);

		ret->changed = ret->changed || bytes == 0;
		ret->wide = ret->wide || character > 0xff;
		at += bytes ? bytes : 1;
		if (character >= 0x10000) {
			ret->at[ret->count++] = (uint16_t)(0xd800 + ((character - 0x10000) >> 10));
			character = 0xdc00 + ((character - 0x10000) & 0x3ff);
		}
		ret->at[ret->count++] = (uint16_t)character;
	}
}

static size_t room_of(const struct units *units)
{
	return units->wide ? ROOM_16 : ROOM_8;
}

static size_t pack(const struct units *units, uint8_t *ret)
{
	ret[0] = units->wide ? 16 : 8;
	for (size_t i = 0; i < units->count; i++)
		if (units->wide) {
			ret[1 + 2 * i] = (uint8_t)(units->at[i] >> 8);
			ret[2 + 2 * i] = (uint8_t)units->at[i];
		} else {
			ret[1 + i] = (uint8_t)units->at[i];
		}
	return 1 + units->count * (units->wide ? 2 : 1);
}

/* Units of a short extension at the end, with its dot; 0: there's none. */
static size_t extension_of(const struct units *units)
{
	for (size_t i = 1; i <= EXTENSION + 1 && i < units->count; i++)
		if (units->at[units->count - i] == '.')
			return i > 1 ? i : 0;
	return 0;
}

static void mark(struct units *units, uint16_t crc)
{
	struct units whole = *units;
	size_t extension = extension_of(units);
	size_t begin = units->count - extension, most = room_of(units) - CRC_UNITS - extension;
	char digits[CRC_UNITS + 1];

	begin = begin < most ? begin : most;
	/* Not between the halves of a surrogate pair. */
	if (begin && whole.at[begin - 1] >= 0xd800 && whole.at[begin - 1] < 0xdc00)
		begin--;
	snprintf(digits, sizeof digits, "#%04X", crc);
	units->count = begin;
	for (size_t i = 0; i < CRC_UNITS; i++)
		units->at[units->count++] = (uint16_t)digits[i];
	for (size_t i = extension; i > 0; i--)
		units->at[units->count++] = whole.at[whole.count - i];
}

size_t udf_ident(const char *name, size_t length, uint32_t another, uint8_t ret[UDF_IDENT_MOST],
		 bool *ret_changed)
{
	struct units units;

	to_units(name, length, &units);
	*ret_changed = units.changed || another || units.count > room_of(&units);
	if (*ret_changed)
		mark(&units, (uint16_t)(udf_crc((const uint8_t *)name, length) + another));
	return pack(&units, ret);
}

size_t udf_ident_component(const char *text, size_t length, uint8_t ret[UDF_IDENT_MOST], bool *ret_changed)
{
	struct units units;

	to_units(text, length, &units);
	*ret_changed = units.changed;
	return units.count > room_of(&units) ? 0 : pack(&units, ret);
}

bool udf_target_fits(const char *target, size_t length)
{
	size_t bytes = length && target[0] == '/' ? COMPONENT : 0;

	for (size_t at = 0, part; at < length; at += part + 1) {
		const char *slash = memchr(target + at, '/', length - at), *name = target + at;
		uint8_t ident[UDF_IDENT_MOST];
		bool changed, dots;
		size_t size = 0;

		part = slash ? (size_t)(slash - name) : length - at;
		dots = part <= 2 && memcmp(name, "..", part) == 0;
		if (part == 0)
			continue;
		if (!dots && part <= UNITS)
			size = udf_ident_component(name, part, ident, &changed);
		if (!dots && size == 0)
			return false;
		bytes += COMPONENT + size;
	}
	return bytes <= TARGET_MOST;
}
