/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/tree_name.h"

#include "disc/udf_name.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { AT_NAME_LENGTH = 32, AT_NAME = 33, NM_NAME = 5 };
#define UNITS_OF_16 16u /* UDF's mark of what Joliet has without one */

static size_t put(char *ret, size_t used, const uint8_t *from, size_t length)
{
	if (length > TREE_NAME_ROOM - 1 - used)
		length = TREE_NAME_ROOM - 1 - used;
	memcpy(ret + used, from, length);
	return used + length;
}

static size_t rock_ridge(const uint8_t *record, char *ret)
{
	size_t at = AT_NAME + record[AT_NAME_LENGTH] + (record[AT_NAME_LENGTH] % 2 == 0), used = 0;

	for (; at + 4 <= record[0] && record[at + 2] >= 4 && at + record[at + 2] <= record[0];
	     at += record[at + 2])
		if (record[at] == 'N' && record[at + 1] == 'M' && record[at + 2] >= NM_NAME)
			used = put(ret, used, record + at + NM_NAME, record[at + 2] - NM_NAME);
	return used;
}

static size_t joliet_name(const uint8_t *record, char *ret)
{
	uint8_t name[TREE_NAME_ROOM + 1] = { UNITS_OF_16 };

	memcpy(name + 1, record + AT_NAME, record[AT_NAME_LENGTH]);
	return udf_name(name, 1u + record[AT_NAME_LENGTH], ret);
}

static size_t plain(const uint8_t *record, char *ret)
{
	size_t used = put(ret, 0, record + AT_NAME, record[AT_NAME_LENGTH]);

	for (size_t i = 0; i < used; i++)
		ret[i] = (char)tolower((unsigned char)ret[i]);
	return used;
}

void tree_name(const uint8_t *record, bool joliet, char ret[TREE_NAME_ROOM])
{
	size_t length = joliet ? joliet_name(record, ret) : rock_ridge(record, ret);

	if (!length)
		length = plain(record, ret);
	ret[length] = '\0';
	if (!joliet)
		ret[strcspn(ret, ";")] = '\0';
	if (!ret[0])
		snprintf(ret, TREE_NAME_ROOM, "?");
}
