/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading values out of a JSON document, through SQLite's JSON functions.
 *
 * Paths are SQLite's ("$.sessions[0].label") and are given as a format. What isn't there reads as 0, false or
 * NULL. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	void *db; /* NULL = closed */
	void *value;
	void *count;
	char *text; /* the document, owned */
};

/* 0, -EINVAL when the text isn't JSON, or -ENOMEM. */
int json_open(struct json *json, const char *text, size_t length);
void json_close(struct json *json);

/* Present, and not null. */
bool json_has(const struct json *json, const char *path, ...) PRINTF(2, 3);
bool json_bool(const struct json *json, const char *path, ...) PRINTF(2, 3);
int64_t json_int(const struct json *json, const char *path, ...) PRINTF(2, 3);
/* The caller frees it. Objects and arrays come as JSON text. NULL also when memory is out. */
char *json_string(const struct json *json, const char *path, ...) PRINTF(2, 3);
/* Elements of an array. */
int64_t json_count(const struct json *json, const char *path, ...) PRINTF(2, 3);

#define AUTO_JSON CLEANUP(json_close)
