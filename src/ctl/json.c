/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/json.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_ROOM 128

void json_close(struct json *json)
{
	sqlite3_finalize(json->value);
	sqlite3_finalize(json->count);
	sqlite3_close(json->db);
	free(json->text);
	*json = (struct json){ 0 };
}

static sqlite3_stmt *json_prepare(sqlite3 *db, const char *sql, const char *text)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
	return statement;
}

static bool json_valid(sqlite3 *db, const char *text)
{
	sqlite3_stmt *valid = json_prepare(db, "SELECT json_valid(?1)", text);
	bool answer = valid && sqlite3_step(valid) == SQLITE_ROW && sqlite3_column_int(valid, 0) == 1;

	sqlite3_finalize(valid);
	return answer;
}

int json_open(struct json *json, const char *text, size_t length)
{
	AUTO_JSON struct json opened = { 0 };
	sqlite3 *db = NULL;

	opened.text = strndup(text, length);
	if (!opened.text || sqlite3_open(":memory:", &db) != SQLITE_OK) {
		sqlite3_close(db);
		return -ENOMEM;
	}
	opened.db = db;
	if (!json_valid(db, opened.text))
		return -EINVAL;
	opened.value = json_prepare(db, "SELECT json_extract(?1, ?2)", opened.text);
	opened.count = json_prepare(db, "SELECT json_array_length(?1, ?2)", opened.text);
	if (!opened.value || !opened.count)
		return -ENOMEM;
	*json = opened;
	opened = (struct json){ 0 };
	return 0;
}

/* Steps to the answer for a path: true when there is one. The statement must be reset afterwards. */
PRINTF(2, 0)
static bool json_ask(sqlite3_stmt *statement, const char *format, va_list args)
{
	char path[PATH_ROOM];

	vsnprintf(path, sizeof path, format, args);
	sqlite3_bind_text(statement, 2, path, -1, SQLITE_TRANSIENT);
	return sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL;
}

#define JSON_ASK(statement, path, answer, otherwise)                                                         \
	({                                                                                                   \
		va_list args_;                                                                               \
		va_start(args_, path);                                                                       \
		__typeof__(otherwise) got_ = (otherwise);                                                    \
		if (json_ask(statement, path, args_))                                                        \
			got_ = (answer);                                                                     \
		va_end(args_);                                                                               \
		sqlite3_reset(statement);                                                                    \
		got_;                                                                                        \
	})

bool json_has(const struct json *json, const char *path, ...)
{
	return JSON_ASK(json->value, path, true, false);
}

bool json_bool(const struct json *json, const char *path, ...)
{
	return JSON_ASK(json->value, path, sqlite3_column_int(json->value, 0) != 0, false);
}

int64_t json_int(const struct json *json, const char *path, ...)
{
	return JSON_ASK(json->value, path, sqlite3_column_int64(json->value, 0), (int64_t)0);
}

char *json_string(const struct json *json, const char *path, ...)
{
	return JSON_ASK(json->value, path, strdup((const char *)sqlite3_column_text(json->value, 0)),
			(char *)NULL);
}

int64_t json_count(const struct json *json, const char *path, ...)
{
	return JSON_ASK(json->count, path, sqlite3_column_int64(json->count, 0), (int64_t)0);
}
