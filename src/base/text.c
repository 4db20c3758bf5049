/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_clear(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

static bool text_reserve(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : 128;
	char *grown;

	if (text->failed)
		return false;
	while (room - text->length <= more)
		room *= 2;
	if (room == text->room)
		return true;
	grown = realloc(text->data, room);
	if (!grown) {
		text->failed = true;
		return false;
	}
	text->data = grown;
	text->room = room;
	return true;
}

void text_add_bytes(struct text *text, const void *data, size_t length)
{
	if (!text_reserve(text, length))
		return;
	if (length) /* no bytes may be anywhere, also at NULL */
		memcpy(text->data + text->length, data, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length < 0 || !text_reserve(text, (size_t)length))
		return;
	va_start(args, fmt);
	vsnprintf(text->data + text->length, (size_t)length + 1, fmt, args);
	va_end(args);
	text->length += (size_t)length;
}

/* Length of the valid UTF-8 sequence at s (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : 4;

	if (s[0] >= 0x80 && (s[0] < 0xC2 || s[0] > 0xF4))
		return 0;
	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
	    (s[0] == 0xF4 && s[1] > 0x8F))
		return 0;
	return n;
}

bool text_is_printable(const char *data, size_t length)
{
	const unsigned char *s = (const unsigned char *)data;

	for (size_t i = 0, n; i < length; i += n) {
		n = utf8_length(s + i, length - i);
		if (n == 0 || s[i] < 0x20 || s[i] == 0x7F)
			return false;
	}
	return true;
}

void text_add_utf8(struct text *text, const char *data, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t n = utf8_length((const unsigned char *)data + i, length - i);

		if (n)
			text_add_bytes(text, data + i, n);
		else
			text_add_bytes(text, "\xEF\xBF\xBD", 3);
		i += n ? n : 1;
	}
}

void text_add_json(struct text *text, const char *data, size_t length)
{
	const unsigned char *s = (const unsigned char *)data;

	text_add_bytes(text, "\"", 1);
	for (size_t i = 0; i < length;) {
		size_t n = utf8_length(s + i, length - i);

		if (n == 0)
			text_add_bytes(text, "\xEF\xBF\xBD", 3);
		else if (s[i] == '"' || s[i] == '\\')
			text_add(text, "\\%c", s[i]);
		else if (s[i] < 0x20 || s[i] == 0x7F)
			text_add(text, "\\u%04x", s[i]);
		else
			text_add_bytes(text, s + i, n);
		i += n ? n : 1;
	}
	text_add_bytes(text, "\"", 1);
}

static void add_with_octal(struct text *text, const char *data, size_t length, char also)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c < 0x20 || c == 0x7F || (also && data[i] == also))
			text_add(text, "\\%03o", c);
		else
			text_add_bytes(text, data + i, 1);
	}
}

void text_add_escaped(struct text *text, const char *data, size_t length)
{
	add_with_octal(text, data, length, '\\');
}

void text_add_visible(struct text *text, const char *data, size_t length)
{
	add_with_octal(text, data, length, '\0');
}

static bool has_control(const char *word)
{
	for (; *word; word++)
		if ((unsigned char)*word < 0x20 || *word == 0x7f)
			return true;
	return false;
}

static bool is_shell_safe(const char *word)
{
	const char *safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%=";

	return *word && word[strspn(word, safe)] == '\0';
}

char *text_shell_word(const char *word)
{
	struct text quoted = { 0 };
	bool octal = has_control(word);

	if (is_shell_safe(word))
		return strdup(word);
	text_add(&quoted, octal ? "$'" : "'");
	for (; *word; word++)
		if ((unsigned char)*word < 0x20 || *word == 0x7f)
			text_add(&quoted, "\\%03o", (unsigned char)*word);
		else if (*word == '\'')
			text_add(&quoted, octal ? "\\'" : "'\\''");
		else if (*word == '\\' && octal)
			text_add(&quoted, "\\\\");
		else
			text_add_bytes(&quoted, word, 1);
	text_add(&quoted, "'");
	if (quoted.failed)
		text_clear(&quoted);
	return quoted.data;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void text_unescape(char *line)
{
	char *to = line;

	for (const char *from = line; *from; to++) {
		int value = 0;

		if (from[0] == '\\' && from[1] <= '3' && is_octal(from[1]) && is_octal(from[2]) &&
		    is_octal(from[3]))
			value = (from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0');
		*to = value ? (char)value : *from;
		from += value ? 4 : 1;
	}
	*to = '\0';
}

const char *text_size(char *buffer, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
		value /= 1000;
		unit++;
	}
	snprintf(buffer, 16, unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buffer;
}

int text_parse_size(const char *word, uint64_t *ret_bytes)
{
	static const char letters[] = "KMGT";
	char *end;
	double value, unit = 1;
	const char *letter;

	errno = 0;
	value = strtod(word, &end);
	if (end == word || errno || !isfinite(value) || value < 0 || !isdigit((unsigned char)word[0]) ||
	    strpbrk(word, "xX"))
		return -EINVAL;
	letter = *end ? strchr(letters, toupper((unsigned char)*end)) : NULL;
	if (letter) {
		double step = end[1] == 'B' || end[1] == 'b' ? 1000 : 1024;

		unit = pow(step, (double)(letter - letters + 1));
		end += step < 1024 ? 2 : 1;
	}
	if (*end || value * unit >= 9e18)
		return -EINVAL;
	*ret_bytes = (uint64_t)(value * unit);
	return 0;
}
