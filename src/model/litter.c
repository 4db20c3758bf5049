/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/litter.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

static int add(struct litter *litter, const char *word, struct reason *why)
{
	struct pattern *pattern = vec_push(&litter->patterns);
	int ret = pattern ? pattern_make(pattern, word, false, false, why)
			  : reason_set(why, ENOMEM, "out of memory");

	if (ret < 0)
		litter->patterns.count -= pattern != NULL;
	else
		litter->paths |= pattern->whole;
	return ret;
}

int litter_parse(struct litter *litter, const char *list, struct reason *why)
{
	char *copy AUTO_FREE = strdup(list), *rest = copy, *word;
	int ret = copy ? 0 : reason_set(why, ENOMEM, "out of memory");

	while (ret == 0 && (word = strsep(&rest, ":")))
		if (*word)
			ret = add(litter, word, why);
	return ret;
}

void litter_clear(struct litter *litter)
{
	vec_each (&litter->patterns, pattern)
		pattern_clear(pattern);
	vec_clear(&litter->patterns);
	litter->paths = false;
}

static bool matches(const struct litter *litter, bool path, const char *name, size_t length)
{
	for (size_t i = 0; i < litter->patterns.count; i++) {
		const struct pattern *pattern = &litter->patterns.items[i];

		if (pattern->whole == path && pattern_matches(pattern, name, length))
			return true;
	}
	return false;
}

bool litter_has_name(const struct litter *litter, const char *name, size_t length)
{
	return matches(litter, false, name, length);
}

bool litter_has_path(const struct litter *litter, const char *path, size_t length)
{
	return litter->paths && matches(litter, true, path, length);
}
