/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/medium.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CAPACITY_LIMIT UINT32_MAX /* block addresses on a disc are 32 bits wide */

const struct medium_profile medium_profiles[] = {
	{ "cd", 359847, "CD-R, 80 minutes" },
	{ "dvd", 2295104, "DVD+R" },
	{ "dvd-dl", 4173824, "DVD+R DL, two layers" },
	{ "bd", 12219392, "BD-R" },
	{ "bd-dl", 24438784, "BD-R DL, two layers" },
	{ "bd-xl", 48878592, "BD-R XL" },
	{ NULL, 0, NULL },
};

const struct medium_profile *medium_find(const char *name)
{
	for (const struct medium_profile *at = medium_profiles; at->name; at++)
		if (strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

void medium_mark_write(const struct medium_mark *mark, uint8_t *block)
{
	memset(block, 0, SECTOR);
	snprintf((char *)block, SECTOR, "discfs medium 1\nprofile %s\ncapacity %" PRIu64 "\nid %s\n",
		 mark->profile, mark->capacity, mark->id);
}

bool medium_mark_read(const uint8_t *block, struct medium_mark *ret)
{
	struct medium_mark mark = { 0 };
	uint8_t again[SECTOR];
	char text[128], digits[11];

	memcpy(text, block, sizeof text - 1);
	text[sizeof text - 1] = '\0';
	if (sscanf(text, "discfs medium 1\nprofile %15[a-z0-9-]\ncapacity %10[0-9]\nid %39[0-9a-f-]\n",
		   mark.profile, digits, mark.id) != 3)
		return false;
	mark.capacity = strtoull(digits, NULL, 10);
	if (!mark.capacity || mark.capacity > CAPACITY_LIMIT)
		return false;
	/* sscanf takes any white space: only what we would have written counts. */
	medium_mark_write(&mark, again);
	if (memcmp(again, block, SECTOR) != 0)
		return false;
	*ret = mark;
	return true;
}
