/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing string, and the few text forms that people and JSON readers see. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Always NUL-terminated once something was added. After an allocation failed, failed stays true and adding
 * does nothing: check it once, at the end. */
struct text {
	char *data;
	size_t length;
	size_t room;
	bool failed;
};

void text_clear(struct text *text);
void text_add(struct text *text, const char *fmt, ...) PRINTF(2, 3);
void text_add_bytes(struct text *text, const void *data, size_t length);
/* A JSON string in quotes; bytes that aren't UTF-8 become U+FFFD. */
void text_add_json(struct text *text, const char *data, size_t length);
/* Bytes that aren't UTF-8 become U+FFFD: D-Bus and systemd take nothing else. */
void text_add_utf8(struct text *text, const char *data, size_t length);
/* For lines that people and scripts read: control characters and backslash as \ooo, the rest as it is. */
void text_add_escaped(struct text *text, const char *data, size_t length);
/* For sentences, in which names may stand escaped already: control characters as \ooo, backslashes as they
 * are. */
void text_add_visible(struct text *text, const char *data, size_t length);
/* A word of a command for people to paste into their shell: as it is, or in quotes; with control characters
 * as bash, zsh and ksh read them ($'…'). The caller frees it; NULL: out of memory. */
char *text_shell_word(const char *word);
/* Turns \ooo back into bytes, in place; any other backslash, and \000, stay as they are. */
void text_unescape(char *line);

/* Valid UTF-8 without control characters. */
bool text_is_printable(const char *data, size_t length);
/* Bytes as "4.7 GB" (powers of 1000, as discs are sold). buffer: at least 16 bytes. Returns buffer. */
const char *text_size(char *buffer, uint64_t bytes);
/* Reads "650M", "4.7G", "25g", "1048576": a number with an optional K, M, G, T (powers of 1024, or of 1000
 * with a B behind: "25GB"). Returns 0 or -EINVAL. */
int text_parse_size(const char *word, uint64_t *ret_bytes);

#define AUTO_TEXT CLEANUP(text_clear)
