/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, times and names as the commands print them. */
#pragma once

#include "base/text.h"

#define FORMAT_ROOM 32

/* All write into buffer (FORMAT_ROOM bytes) and return it. */
const char *format_count(char *buffer, uint64_t number);    /* 1,234,567 */
const char *format_sectors(char *buffer, uint64_t sectors); /* as a size: 4.7 GB */
const char *format_time(char *buffer, int64_t seconds);	    /* local date and time, "-" for 0 */
const char *format_duration(char *buffer, int64_t seconds); /* 0:07, 12:34, 1:02:03 */

/* Characters in a line of the terminal that standard output is; 80 where it's none. */
int format_terminal_width(void);

/* A word with its number, "s" added unless it's one: "3 files". */
void format_plural(struct text *text, uint64_t number, const char *word);
/* Prints a name that may hold anything: control characters as \ooo, nothing for NULL. */
void format_print_name(const char *name);
/* The same of a sentence, in which names may be escaped already; and a newline. */
void format_print_line(const char *sentence);
/* The same, with spaces behind it up to so many characters. */
void format_print_padded(const char *name, unsigned width);
