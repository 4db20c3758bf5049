/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colours on standard output: only where that is a terminal that has them, and nobody set NO_COLOR
 * (no-color.org). */
#pragma once

enum colour {
	COLOUR_PLAIN,
	COLOUR_RED,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_BLUE,
	COLOUR_CYAN,
	COLOUR_DIM,
	COLOUR_BOLD
};

void colour_begin(enum colour colour);
void colour_end(enum colour colour);
