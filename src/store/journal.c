/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void journal_clear(struct journal *journal)
{
	blob_clear(&journal->fingerprint);
	blob_clear(&journal->head);
	blob_clear(&journal->old_head);
	*journal = (struct journal){ 0 };
}

/* Beside the row, which older databases have without it. */
static int put_front(struct db *db, const struct verb_front *front)
{
	uint8_t stored[12 + sizeof front->sha256];

	put_le32(stored, front->sectors);
	put_le32(stored + 4, front->tail);
	put_le32(stored + 8, front->tail_sectors);
	memcpy(stored + 12, front->sha256, sizeof front->sha256);
	return db_meta_put_blob(db, "journal_front", stored, sizeof stored);
}

static int get_front(struct db *db, struct verb_front *ret)
{
	struct blob stored CLEANUP(blob_clear) = { 0 };
	int found = db_meta_blob(db, "journal_front", &stored);

	if (found <= 0 || stored.length != 12 + sizeof ret->sha256)
		return found < 0 ? found : 0;
	ret->sectors = get_le32(stored.data);
	ret->tail = get_le32(stored.data + 4);
	ret->tail_sectors = get_le32(stored.data + 8);
	memcpy(ret->sha256, stored.data + 12, sizeof ret->sha256);
	return 0;
}

int journal_read(struct db *db, struct journal *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_JOURNAL_GET);
	struct journal journal CLEANUP(journal_clear) = { 0 };
	int found = db_step(db, stmt);

	if (found > 0) {
		journal.phase = (enum phase)sqlite3_column_int(stmt, 0);
		journal.gen = (uint32_t)sqlite3_column_int64(stmt, 1);
		snprintf(journal.label, sizeof journal.label, "%s",
			 (const char *)sqlite3_column_text(stmt, 2));
		journal.start = (uint64_t)sqlite3_column_int64(stmt, 3);
		journal.sectors = (uint64_t)sqlite3_column_int64(stmt, 4);
		if (db_column_blob(stmt, 5, &journal.fingerprint) < 0 ||
		    db_column_blob(stmt, 6, &journal.head) < 0 ||
		    db_column_blob(stmt, 7, &journal.old_head) < 0)
			found = -ENOMEM;
	}
	if (stmt)
		sqlite3_reset(stmt);
	if (found > 0 && get_front(db, &journal.front) < 0)
		found = -EIO;
	if (found > 0) {
		*ret = journal;
		journal = (struct journal){ 0 };
	}
	return found;
}

static int journal_put(struct db *db, const struct journal *journal)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_JOURNAL_PUT);

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, journal->phase);
	sqlite3_bind_int64(stmt, 2, journal->gen);
	sqlite3_bind_text(stmt, 3, journal->label, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, (int64_t)journal->start);
	sqlite3_bind_int64(stmt, 5, (int64_t)journal->sectors);
	db_bind_blob(stmt, 6, &journal->fingerprint);
	db_bind_blob(stmt, 7, &journal->head);
	db_bind_blob(stmt, 8, &journal->old_head);
	return db_run(db, stmt);
}

int journal_write(struct db *db, const struct journal *journal)
{
	int ret = db_begin(db);

	if (ret == 0)
		ret = journal_put(db, journal);
	if (ret == 0)
		ret = put_front(db, &journal->front);
	return ret < 0 ? ret : db_commit(db);
}

int journal_set_phase(struct db *db, enum phase phase)
{
	return db_run_ints(db, QUERY_JOURNAL_PHASE, phase, 0);
}

int journal_end(struct db *db)
{
	return db_run(db, db_query(db, QUERY_JOURNAL_CLEAR));
}

int history_add(struct db *db, const struct history *entry, const struct blob *old_head)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_HISTORY_ADD);
	static const struct blob none;
	int ret;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, entry->time);
	sqlite3_bind_text(stmt, 2, entry->label, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, (int64_t)entry->start);
	sqlite3_bind_int64(stmt, 4, (int64_t)entry->sectors);
	sqlite3_bind_int64(stmt, 5, entry->err);
	sqlite3_bind_text(stmt, 6, entry->message, -1, SQLITE_STATIC);
	db_bind_blob(stmt, 7, old_head ? old_head : &none);
	ret = db_run(db, stmt);
	return ret < 0 || !entry->change ? ret : session_change_put(db, entry->start, entry->change);
}

static const char *text_of(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text ? (const char *)text : "";
}

int history_each(struct db *db, bool failed, history_fn *entry, void *self)
{
	sqlite3_stmt *stmt = db_query(db, failed ? QUERY_HISTORY_FAILED : QUERY_HISTORY_GOOD);
	int ret = 0, step = 0;

	while (ret == 0 && (step = db_step(db, stmt)) > 0) {
		struct history row = { .time = sqlite3_column_int64(stmt, 0),
				       .label = text_of(stmt, 1),
				       .start = (uint64_t)sqlite3_column_int64(stmt, 2),
				       .sectors = (uint64_t)sqlite3_column_int64(stmt, 3),
				       .err = sqlite3_column_int(stmt, 4),
				       .message = text_of(stmt, 5),
				       .had_head = sqlite3_column_int(stmt, 6) != 0 };

		ret = entry(self, &row);
	}
	if (stmt)
		sqlite3_reset(stmt);
	return ret ? ret : step;
}

int history_first_head(struct db *db, struct blob *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_HISTORY_HEAD);
	int found = db_step(db, stmt);

	if (found > 0 && db_column_blob(stmt, 0, ret) < 0)
		found = -ENOMEM;
	if (stmt)
		sqlite3_reset(stmt);
	return found > 0 && ret->length == 0 ? 0 : found;
}
