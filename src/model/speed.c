/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/speed.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KBPS_LIMIT 1000000u /* far above any drive: 72x DVD is 100,000 */

/* What 1x is, in bytes a second: 75 sectors of 2352 bytes on CD; the rest from the books of the formats. */
static const struct {
	const char *begin; /* of a medium's name */
	double bytes;
} singles[] = {
	{ "cd", 176400 },
	{ "dvd", 1385000 },
	{ "bd", 4495500 },
};

static double single_speed(const char *medium)
{
	for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
		if (strncmp(medium, singles[i].begin, strlen(singles[i].begin)) == 0)
			return singles[i].bytes;
	return 0;
}

/* Digits, maybe with a fraction; strtod takes much more, and minds the locale. Returns what follows. */
static const char *number_parse(const char *word, double *ret)
{
	double place = 1;

	*ret = 0;
	for (; isdigit((unsigned char)*word); word++)
		*ret = *ret * 10 + (*word - '0');
	if (*word != '.' || !isdigit((unsigned char)word[1]))
		return word;
	for (word++; isdigit((unsigned char)*word); word++) {
		place /= 10;
		*ret += (*word - '0') * place;
	}
	return word;
}

int speed_parse(const char *word, const char *medium, uint32_t *ret_kbps)
{
	double number, kbps;
	const char *end = number_parse(word, &number);

	if (!isdigit((unsigned char)word[0]) || (*end && strcmp(end, "x") != 0 && strcmp(end, "X") != 0))
		return -EINVAL;
	kbps = *end ? number * single_speed(medium) / 1000 : number;
	if (*end && number > 0 && kbps <= 0)
		return -EMEDIUMTYPE;
	if (kbps < 1 || kbps > KBPS_LIMIT)
		return -EINVAL;
	*ret_kbps = (uint32_t)(kbps + 0.5);
	return 0;
}
