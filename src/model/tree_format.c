/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/tree_format.h"

#include <string.h>

static const struct {
	const char *word;
	const char *title;
} names[TREE_FORMATS] = {
	[FORMAT_AUTO] = { "auto", "none" },	  [FORMAT_ROCK_RIDGE] = { "rockridge", "Rock Ridge" },
	[FORMAT_JOLIET] = { "joliet", "Joliet" }, [FORMAT_ISO9660] = { "iso9660", "ISO 9660" },
	[FORMAT_UDF] = { "udf", "UDF" },
};

static const uint32_t best_first[] = { FORMAT_ROCK_RIDGE, FORMAT_UDF, FORMAT_JOLIET, FORMAT_ISO9660 };

#define COUNT (sizeof best_first / sizeof best_first[0])

const char *tree_format_word(uint32_t format)
{
	return names[format < TREE_FORMATS ? format : FORMAT_AUTO].word;
}

const char *tree_format_title(uint32_t format)
{
	return names[format < TREE_FORMATS ? format : FORMAT_AUTO].title;
}

bool tree_format_find(const char *word, uint32_t *ret)
{
	for (uint32_t i = 0; i < TREE_FORMATS; i++)
		if (strcmp(word, names[i].word) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

uint32_t tree_format_best(uint32_t set)
{
	return tree_format_next(set, FORMAT_AUTO);
}

uint32_t tree_format_next(uint32_t set, uint32_t format)
{
	size_t at = 0;

	for (size_t i = 0; format != FORMAT_AUTO && i < COUNT; i++)
		if (best_first[i] == format)
			at = i + 1;
	for (; at < COUNT; at++)
		if (set & FORMAT_BIT(best_first[at]))
			return best_first[at];
	return FORMAT_AUTO;
}
