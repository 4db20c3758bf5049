/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/pattern.h"

#include "base/cleanup.h"

#include <errno.h>
#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wctype.h>

/* Bytes that are no UTF-8 stand for themselves, apart from all characters. */
#define STRAY 0x110000u

static locale_t utf8;

/* The character at the start of 1 or more bytes; *ret_length: of how many it's made. */
static uint32_t character(const char *at, const char *end, size_t *ret_length)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *byte = (const unsigned char *)at;
	size_t length = *byte < 0x80   ? 1
			: *byte < 0xC2 ? 0
			: *byte < 0xE0 ? 2
			: *byte < 0xF0 ? 3
			: *byte < 0xF5 ? 4
				       : 0;
	uint32_t value = length > 1 ? *byte & (0x7Fu >> length) : *byte;

	*ret_length = 1;
	if (length == 0 || (size_t)(end - at) < length)
		return STRAY + *byte;
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xC0) != 0x80)
			return STRAY + *byte;
		value = value << 6 | (byte[i] & 0x3F);
	}
	if (value < least[length] || value > 0x10FFFF)
		return STRAY + *byte;
	*ret_length = length;
	return value;
}

static uint32_t fold(uint32_t value)
{
	if (value < 0x80)
		return value >= 'A' && value <= 'Z' ? value + 32 : value;
	return value < STRAY && utf8 ? (uint32_t)towlower_l((wint_t)value, utf8) : value;
}

/* A step through pattern or name. */
static uint32_t take(const char **at, const char *end, bool folded)
{
	size_t length;
	uint32_t value = character(*at, end, &length);

	*at += length;
	return folded ? fold(value) : value;
}

/* *at: behind a [ that has its ]. Leaves it behind that. */
static bool in_set(const char **at, const char *end, uint32_t value, bool folded)
{
	bool negated = **at == '!' || **at == '^', found = false, first = true;

	*at += negated;
	while (first || **at != ']') {
		uint32_t low, high;

		*at += **at == '\\' && (*at)[1];
		low = high = take(at, end, folded);
		if ((*at)[0] == '-' && (*at)[1] && (*at)[1] != ']') {
			++*at;
			*at += **at == '\\' && (*at)[1];
			high = take(at, end, folded);
		}
		found = found || (value >= low && value <= high);
		first = false;
	}
	++*at;
	return found != negated;
}

/* One that isn't ended stands for itself. */
static bool set_ends(const char *at)
{
	at += *at == '!' || *at == '^';
	at += *at == ']';
	for (; *at && *at != ']'; at++)
		at += *at == '\\' && at[1];
	return *at == ']';
}

/* One character of the name against what the pattern says at *at, which isn't a star. */
static bool matches_one(const char **at, const char *end, uint32_t value, bool folded)
{
	switch (**at) {
	case '?':
		++*at;
		return true;
	case '[':
		if (set_ends(*at + 1)) {
			++*at;
			return in_set(at, end, value, folded);
		}
		break;
	case '\\':
		*at += (*at)[1] != '\0';
		break;
	}
	return take(at, end, folded) == value;
}

/* The next place where what is behind a star may begin. */
static const char *next_start(const char *at, const char *end, const char *glob, bool folded)
{
	const char *found;

	if (folded || !*glob || (unsigned char)*glob >= 0x80 || strchr("*?[\\", *glob))
		return at;
	found = memchr(at, *glob, (size_t)(end - at));
	return found ? found : end;
}

/* Only the last star is ever tried again: what an earlier one took can't be needed. */
static bool glob_matches(const char *glob, bool folded, const char *name, size_t length)
{
	const char *end = name + length, *glob_end = glob + strlen(glob);
	const char *star = NULL, *star_name = NULL;

	while (name < end || *glob) {
		if (*glob == '*') {
			star = ++glob;
			name = star_name = next_start(name, end, glob, folded);
			continue;
		}
		if (name < end && *glob && matches_one(&glob, glob_end, take(&name, end, folded), folded))
			continue;
		if (!star || star_name >= end)
			return false;
		take(&star_name, end, false);
		name = star_name = next_start(star_name, end, star, folded);
		glob = star;
	}
	return true;
}

/* What every name must end with: letters that stand for themselves. */
static size_t plain_end(const char *glob)
{
	size_t length = strlen(glob), plain = 0;

	while (plain < length && !strchr("*?[]\\", glob[length - 1 - plain]))
		plain++;
	return plain;
}

static int regex_make(struct pattern *pattern, const char *word, struct reason *why)
{
	char text[200];
	int code = regcomp(&pattern->regex, word, REG_EXTENDED | REG_NOSUB | (pattern->fold ? REG_ICASE : 0));

	if (code == 0)
		return 0;
	regerror(code, &pattern->regex, text, sizeof text);
	return reason_set(why, EINVAL, "%s is no regular expression: %s", word, text);
}

int pattern_make(struct pattern *pattern, const char *word, bool regex, bool fold, struct reason *why)
{
	*pattern = (struct pattern){ .fold = fold, .whole = strchr(word, '/') != NULL };
	if (!*word)
		return reason_set(why, EINVAL, "an empty pattern matches nothing");
	if (regex)
		return regex_make(pattern, word, why);
	if (fold && !utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	pattern->glob = strdup(word + (*word == '/'));
	if (!pattern->glob)
		return reason_set(why, ENOMEM, "out of memory");
	pattern->end_length = fold ? 0 : plain_end(pattern->glob);
	pattern->end = pattern->glob + strlen(pattern->glob) - pattern->end_length;
	return 0;
}

void pattern_clear(struct pattern *pattern)
{
	if (pattern->glob)
		free(pattern->glob);
	else
		regfree(&pattern->regex);
	*pattern = (struct pattern){ 0 };
}

bool pattern_matches(const struct pattern *pattern, const char *name, size_t length)
{
	if (pattern->glob && (length < pattern->end_length || memcmp(name + length - pattern->end_length,
								     pattern->end, pattern->end_length) != 0))
		return false;
	if (pattern->glob)
		return glob_matches(pattern->glob, pattern->fold, name, length);
	return regexec(&pattern->regex, name, 0, NULL, 0) == 0;
}
