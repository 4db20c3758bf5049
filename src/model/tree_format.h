/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of trees that a session may carry, side by side: their names, and which one is taken. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tree_format {
	FORMAT_AUTO = 0,
	FORMAT_ROCK_RIDGE = 1,
	FORMAT_JOLIET = 2,
	FORMAT_ISO9660 = 3,
	FORMAT_UDF = 4
};

#define TREE_FORMATS 5u

/* In a set of them. */
#define FORMAT_BIT(format) (1u << (format))
#define FORMAT_SET_LIMIT   FORMAT_BIT(TREE_FORMATS)

/* As in options and JSON; "auto" for what isn't known. */
const char *tree_format_word(uint32_t format);
/* For a person. */
const char *tree_format_title(uint32_t format);
bool tree_format_find(const char *word, uint32_t *ret);
/* The one of a set that tells most: Rock Ridge, else UDF, else Joliet, else plain ISO 9660; FORMAT_AUTO for
 * none. */
uint32_t tree_format_best(uint32_t set);
/* The next of a set, best first: begin with FORMAT_AUTO, which also is what comes after the last. */
uint32_t tree_format_next(uint32_t set, uint32_t format);
