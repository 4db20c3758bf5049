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

/* Gaps: CD, lead-out 6,750 (first) or 2,250, lead-in 4,500 and pre-gap 150 (MMC-5 4.2.3.6.3); DVD-R, border
 * zones (from memory of libburn's doc/cookbook.txt and of drives); DVD+R, closure and intro zones; BD-R
 * sessions are adjacent. */
static const struct medium_kind kinds[] = {
	{ 0x08, "cd-rom", "CD-ROM", 0, 0 },
	{ 0x09, "cd-r", "CD-R", 11400, 6900 },
	{ 0x0a, "cd-rw", "CD-RW", 11400, 6900 },
	{ 0x10, "dvd-rom", "DVD-ROM", 0, 0 },
	{ 0x11, "dvd-r", "DVD-R", 24576, 6144 },
	{ 0x12, "dvd-ram", "DVD-RAM", 0, 0 },
	{ 0x13, "dvd-rw", "DVD-RW, restricted overwrite", 0, 0 },
	{ 0x14, "dvd-rw-seq", "DVD-RW, sequential", 24576, 6144 },
	{ 0x15, "dvd-r-dl", "DVD-R DL", 0, 0 },
	{ 0x16, "dvd-r-dl-jump", "DVD-R DL, layer jump", 0, 0 },
	{ 0x1a, "dvd+rw", "DVD+RW", 0, 0 },
	{ 0x1b, "dvd+r", "DVD+R", 2048, 2048 },
	{ 0x2b, "dvd+r-dl", "DVD+R DL", 2048, 2048 },
	{ 0x40, "bd-rom", "BD-ROM", 0, 0 },
	{ 0x41, "bd-r", "BD-R", 0, 0 },
	{ 0x42, "bd-r-random", "BD-R, random recording", 0, 0 },
	{ 0x43, "bd-re", "BD-RE", 0, 0 },
	{ 0, "unknown", "a medium of an unknown kind", 0, 0 },
};

const struct medium_kind *medium_kind_of(uint32_t number)
{
	const struct medium_kind *at = kinds;

	while (at->number && at->number != number)
		at++;
	return at;
}

const struct medium_kind *medium_kind_find(const char *name)
{
	for (const struct medium_kind *at = kinds; at->number; at++)
		if (strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

uint64_t medium_closing_cost(const struct medium_kind *kind, uint32_t sessions)
{
	return sessions ? kind->next_gap : kind->first_gap;
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
