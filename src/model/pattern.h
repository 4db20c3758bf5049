/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is looked for among names: a glob or a regular expression. Names are bytes; where they are UTF-8, `?`
 * and [...] stand for a whole character.
 *
 * A glob must cover the whole name: * (also across slashes), ?, [a-z], [!a-z], \ before a character that
 * stands for itself. A regular expression (POSIX extended) may match anywhere in it, and knows bytes only. */
#pragma once

#include "base/reason.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

struct pattern {
	char *glob;	 /* owned; NULL: a regular expression */
	const char *end; /* of it: what has no other meaning */
	size_t end_length;
	regex_t regex;
	bool fold;  /* upper and lower case are the same */
	bool whole; /* it has a slash: for paths, not for names */
};

/* word: as it was typed; a glob's first slash only says that it's for paths. 0, -EINVAL with why, or -ENOMEM.
 */
int pattern_make(struct pattern *pattern, const char *word, bool regex, bool fold, struct reason *why);
void pattern_clear(struct pattern *pattern);
/* For a regular expression, name[length] must be 0. */
bool pattern_matches(const struct pattern *pattern, const char *name, size_t length);
