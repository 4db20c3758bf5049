/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/colour.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_wanted(void)
{
	static int known = -1;
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	if (known < 0)
		known = !(none && none[0]) && term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
	return known;
}

void colour_begin(enum colour colour)
{
	static const char *const codes[] = { "", "31", "32", "33", "34", "36", "2", "1" };

	if (colour != COLOUR_PLAIN && is_wanted())
		printf("\033[%sm", codes[colour]);
}

void colour_end(enum colour colour)
{
	if (colour != COLOUR_PLAIN && is_wanted())
		fputs("\033[m", stdout);
}
