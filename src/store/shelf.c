/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/shelf.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define APPEND_UNIT 32u /* blocks: where a session on an overwriteable medium may begin */

void shelf_clear(struct shelf *shelf)
{
	vec_clear(&shelf->sessions);
	*shelf = (struct shelf){ 0 };
}

static void add_string(struct text *text, const char *key, const char *value)
{
	text_add(text, "\"%s\":", key);
	text_add_json(text, value, strlen(value));
	text_add(text, ",");
}

static void add_sessions(struct text *text, const struct shelf *shelf)
{
	text_add(text, "\"sessions\":[");
	for (size_t i = 0; i < shelf->sessions.count; i++) {
		const struct verb_session *session = &shelf->sessions.items[i];

		text_add(text,
			 "%s{\"number\":%" PRIu32 ",\"start\":%" PRIu64 ",\"sectors\":%" PRIu64
			 ",\"time\":%" PRId64 ",\"formats\":%" PRIu32 ",\"damaged\":%d,\"label\":",
			 i ? "," : "", session->number, session->start, session->sectors, session->time,
			 session->formats, session->broken);
		text_add_json(text, session->label, strlen(session->label));
		text_add(text, "}");
	}
	text_add(text, "]}");
}

/* SQLite's numbers have a sign: "no limit" is -1. */
static void add_number(struct text *text, const char *key, uint64_t value)
{
	text_add(text, "\"%s\":%" PRId64 ",", key, (int64_t)value);
}

static void to_json(const struct shelf *shelf, struct text *text)
{
	const struct verb_disc *disc = &shelf->disc;
	const struct verb_drive *drive = &shelf->drive;

	text_add(text, "{\"fingerprint\":\"");
	for (size_t i = 0; i < FINGERPRINT_SIZE; i++)
		text_add(text, "%02x", disc->fingerprint[i]);
	text_add(text, "\",");
	add_string(text, "path", shelf->path);
	add_number(text, "drive", shelf->is_drive);
	add_number(text, "older", shelf->older);
	add_string(text, "label", shelf->label);
	add_string(text, "profile", disc->profile);
	add_number(text, "state", disc->state);
	add_number(text, "capacity", disc->capacity);
	add_number(text, "recorded", disc->recorded);
	add_number(text, "nwa", disc->nwa);
	add_number(text, "base", disc->base);
	add_number(text, "formats", disc->formats);
	add_number(text, "bridge", disc->bridge);
	add_string(text, "closed_why", disc->closed_why);
	add_number(text, "medium", drive->profile);
	add_number(text, "overwriteable", drive->overwriteable);
	add_number(text, "damaged", drive->damaged);
	add_number(text, "single", drive->single);
	add_number(text, "free", drive->free);
	add_number(text, "host_free", shelf->host_free);
	add_number(text, "format", shelf->format);
	add_number(text, "nodes", shelf->nodes);
	add_number(text, "names", shelf->files);
	add_number(text, "folders", shelf->folders);
	add_number(text, "bytes", shelf->bytes);
	add_sessions(text, shelf);
}

static int put_text(struct db *db, const char *key, const char *value, size_t length)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_META_PUT);

	if (!stmt)
		return -EIO;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_text64(stmt, 2, value, length, SQLITE_STATIC, SQLITE_UTF8);
	return db_run(db, stmt);
}

int shelf_touch(struct db *db)
{
	return db_meta_put_int(db, "seen", time(NULL));
}

int shelf_supersede(struct db *db, const char *by)
{
	return put_text(db, "superseded", by, strlen(by));
}

int shelf_store(struct db *db, const struct shelf *shelf)
{
	struct text text AUTO_TEXT = { 0 };
	int ret;

	to_json(shelf, &text);
	ret = text.failed ? -ENOMEM : put_text(db, "shelf", text.data, text.length);
	if (ret == 0)
		ret = shelf_supersede(db, "");
	return ret < 0 ? ret : shelf_touch(db);
}

static void take_text(sqlite3_stmt *stmt, int column, char *ret, size_t room)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	size_t length = text ? (size_t)sqlite3_column_bytes(stmt, column) : 0;

	length = length < room ? length : room - 1;
	memcpy(ret, length ? (const char *)text : "", length);
	ret[length] = '\0';
}

static uint64_t take_number(sqlite3_stmt *stmt, int column)
{
	return (uint64_t)sqlite3_column_int64(stmt, column);
}

static void take_fingerprint(sqlite3_stmt *stmt, int column, uint8_t *ret)
{
	char hex[2 * FINGERPRINT_SIZE + 1];
	unsigned value;

	take_text(stmt, column, hex, sizeof hex);
	for (size_t i = 0; i < FINGERPRINT_SIZE && sscanf(hex + 2 * i, "%2x", &value) == 1; i++)
		ret[i] = (uint8_t)value;
}

/* In the order of QUERY_SHELF_GET. */
static void take_facts(sqlite3_stmt *stmt, struct shelf *ret)
{
	struct verb_disc *disc = &ret->disc;
	struct verb_drive *drive = &ret->drive;
	int at = 0;

	take_fingerprint(stmt, at++, disc->fingerprint);
	take_text(stmt, at++, ret->path, sizeof ret->path);
	ret->is_drive = take_number(stmt, at++) != 0;
	ret->older = take_number(stmt, at++) != 0;
	take_text(stmt, at++, ret->label, sizeof ret->label);
	take_text(stmt, at++, disc->profile, sizeof disc->profile);
	disc->state = (uint32_t)take_number(stmt, at++);
	disc->capacity = take_number(stmt, at++);
	disc->recorded = take_number(stmt, at++);
	disc->nwa = take_number(stmt, at++);
	disc->base = take_number(stmt, at++);
	disc->formats = (uint32_t)take_number(stmt, at++) & (FORMAT_SET_LIMIT - 1);
	disc->bridge = take_number(stmt, at++) != 0;
	take_text(stmt, at++, disc->closed_why, sizeof disc->closed_why);
	drive->profile = (uint32_t)take_number(stmt, at++);
	drive->overwriteable = take_number(stmt, at++) != 0;
	drive->damaged = take_number(stmt, at++) != 0;
	drive->single = take_number(stmt, at++) != 0;
	drive->free = take_number(stmt, at++);
	ret->host_free = take_number(stmt, at++);
	ret->format = (uint32_t)take_number(stmt, at++);
	ret->nodes = take_number(stmt, at++);
	ret->files = take_number(stmt, at++);
	ret->folders = take_number(stmt, at++);
	ret->bytes = take_number(stmt, at++);
	ret->seen = (int64_t)take_number(stmt, at++);
	take_text(stmt, at++, ret->superseded, sizeof ret->superseded);
}

static int load_sessions(struct db *db, struct shelf *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_SHELF_SESSIONS);
	int found;

	while ((found = db_step(db, stmt)) > 0) {
		struct verb_session *session = vec_push(&ret->sessions);

		if (!session)
			return -ENOMEM;
		*session = (struct verb_session){ 0 };
		session->number = (uint32_t)take_number(stmt, 0);
		session->start = take_number(stmt, 1);
		session->sectors = take_number(stmt, 2);
		session->time = (int64_t)take_number(stmt, 3);
		take_text(stmt, 4, session->label, sizeof session->label);
		session->formats = (uint32_t)take_number(stmt, 5) & (FORMAT_SET_LIMIT - 1);
		session->broken = take_number(stmt, 6) != 0;
	}
	ret->disc.sessions = (uint32_t)ret->sessions.count;
	return found;
}

int shelf_load(struct db *db, struct shelf *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_SHELF_GET);
	int found = db_step(db, stmt);

	if (found > 0)
		take_facts(stmt, ret);
	if (stmt)
		sqlite3_reset(stmt);
	if (found > 0) {
		int err = load_sessions(db, ret);

		sqlite3_reset(db->stmts[QUERY_SHELF_SESSIONS]);
		return err < 0 ? err : 1;
	}
	return found;
}

int shelf_count(struct db *db, struct shelf *shelf)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_SHELF_COUNT);
	int found = db_step(db, stmt);

	if (found > 0) {
		shelf->nodes = take_number(stmt, 0);
		shelf->files = take_number(stmt, 1);
		shelf->folders = take_number(stmt, 2);
		shelf->bytes = take_number(stmt, 3);
	}
	if (stmt)
		sqlite3_reset(stmt);
	return found < 0 ? found : 0;
}

static bool is_same_session(const struct verb_session *a, const struct verb_session *b)
{
	return a->start == b->start && a->sectors == b->sectors && a->time == b->time &&
	       strcmp(a->label, b->label) == 0;
}

/* A first session that began at block 0 isn't found any more when the next one's head lies over it. */
static bool hides_first(const struct shelf *before, const struct shelf *now)
{
	return before->sessions.count == 1 && before->sessions.items[0].start == 0 && now->sessions.count &&
	       now->sessions.items[0].start == round_up(before->disc.recorded, APPEND_UNIT);
}

static bool begins_alike(const struct shelf *before, const struct shelf *now)
{
	if (before->sessions.count >= now->sessions.count)
		return false;
	for (size_t i = 0; i < before->sessions.count; i++)
		if (!is_same_session(&before->sessions.items[i], &now->sessions.items[i]))
			return false;
	return true;
}

/* Copies of an image are discs of their own, and blank discs look alike: there the place tells. */
bool shelf_continues(const struct shelf *before, const struct shelf *now)
{
	if (before->older || now->older || before->is_drive != now->is_drive)
		return false;
	if (now->is_drive ? before->sessions.count == 0 : strcmp(before->path, now->path) != 0)
		return false;
	return begins_alike(before, now) || hides_first(before, now);
}
