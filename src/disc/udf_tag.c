/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_tag.h"

#include "model/node.h"

#include <string.h>
#include <time.h>

/* Tag, ECMA-167 3/7.2. */
enum { AT_CHECKSUM = 4, AT_CRC = 8, AT_CRC_LENGTH = 10, AT_LOCATION = 12 };

#define ZONE_UNKNOWN (-2047)

uint32_t udf_tag_read(const uint8_t *data, size_t room)
{
	uint32_t length;
	uint8_t sum = 0;

	if (room < UDF_TAG_LENGTH)
		return 0;
	for (size_t i = 0; i < UDF_TAG_LENGTH; i++)
		sum = (uint8_t)(sum + (i == AT_CHECKSUM ? 0 : data[i]));
	length = get_le16(data + AT_CRC_LENGTH);
	if (sum != data[AT_CHECKSUM] || length > room - UDF_TAG_LENGTH)
		return 0;
	/* A length of 0: nothing is covered, and the CRC says nothing. */
	if (length && udf_crc(data + UDF_TAG_LENGTH, length) != get_le16(data + AT_CRC))
		return 0;
	return get_le16(data);
}

uint32_t udf_tag_location(const uint8_t *data)
{
	return get_le32(data + AT_LOCATION);
}

static bool time_is_sensible(const struct tm *tm)
{
	return tm->tm_year >= 1 && tm->tm_year <= 9999 && tm->tm_mon >= 1 && tm->tm_mon <= 12 &&
	       tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_hour < 24 && tm->tm_min < 60 &&
	       tm->tm_sec < 60;
}

int64_t udf_time(const uint8_t *at)
{
	int kind = at[1] >> 4, zone = (int)(get_le16(at) & 0xfff);
	struct tm tm = { .tm_year = (int16_t)get_le16(at + 2),
			 .tm_mon = at[4],
			 .tm_mday = at[5],
			 .tm_hour = at[6],
			 .tm_min = at[7],
			 .tm_sec = at[8] };
	int64_t seconds, fraction = 0, most = INT64_MAX / NS_PER_SEC - 1;

	if (!time_is_sensible(&tm))
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = (int64_t)timegm(&tm);
	if (zone >= 0x800)
		zone -= 0x1000;
	/* Kind 1 is local time with minutes from UTC, kind 0 UTC itself. */
	if (kind == 1 && zone != ZONE_UNKNOWN && zone >= -1440 && zone <= 1440)
		seconds -= (int64_t)zone * 60;
	if (at[9] < 100 && at[10] < 100 && at[11] < 100)
		fraction = at[9] * INT64_C(10000000) + at[10] * INT64_C(100000) + at[11] * INT64_C(1000);
	seconds = seconds > most ? most : seconds < -most ? -most : seconds;
	return seconds * NS_PER_SEC + fraction;
}

bool udf_entity_is(const uint8_t *entity, const char *identifier)
{
	size_t length = strlen(identifier);

	return memcmp(entity + 1, identifier, length) == 0 && (length == 23 || entity[1 + length] == 0);
}
