/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SQLite connection of one disc: schema, prepared statements, transactions, errors as errno.
 *
 * Not thread-safe: the tree's lock guards it. Writing happens inside one long transaction that db_begin opens
 * when it's first needed and db_commit closes: without a sync (WAL, synchronous=NORMAL), which survives the
 * death of the process; db_sync makes what was committed survive a power cut. */
#pragma once

#include "base/bytes.h"
#include "base/reason.h"
#include "store/queries.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

struct db {
	sqlite3 *handle;
	sqlite3_stmt *stmts[QUERY_COUNT];
	uint64_t transaction;  /* how many were begun or undone */
	_Atomic bool unsynced; /* the log couldn't be synced: it isn't known what is on the disk */
	pthread_mutex_t sync;  /* one at a time */
	_Atomic bool written;  /* something was committed since the last sync began */
	int told;	       /* SQLite's code that was logged last: once is enough */
	bool reader;	       /* db_open_reader: logs nothing */
	bool damaged;	       /* SQLite, or the file's own mark, says so */
	int wal_fd;	       /* of the WAL file, for db_sync */
	char *path;
	_Atomic int log_pages; /* in the WAL, as of the last commit */
};

/* Opens or creates. 0 or -errno with why (-EUCLEAN: not a discfs database, or damaged). */
int db_open(struct db *db, const char *path, struct reason *why);
/* The same to read only, whoever writes to it meanwhile: it must be there, and stays as it is. */
int db_open_reader(struct db *db, const char *path, struct reason *why);
/* It needn't remember much: there may be many of its kind. */
void db_stay_small(struct db *db);
/* Commits what is open. */
void db_close(struct db *db);

/* Is a transaction open? SQLite ends one by itself after some errors. */
bool db_is_writing(const struct db *db);
/* 0, or -errno; nothing to do when a transaction is open already. After a failed COMMIT none is open. */
int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);
/* Differs from any earlier one as soon as a row has changed, or a change was undone. */
struct db_version {
	int64_t rows;
	uint64_t transaction;
};
struct db_version db_version(const struct db *db);
/* Many reads in a row: between these, SQLite keeps the lock on the file that each of them would take and give
 * back, two system calls each time. Not longer: the log can't begin anew meanwhile. */
void db_reads_begin(struct db *db);
void db_reads_end(struct db *db);
/* fdatasync of the log: no lock needed, any thread. -EAGAIN: it failed before, and only db_sync_again can
 * tell. */
int db_sync(struct db *db);
/* Brings the whole log into the database and starts a new one. No transaction may be open. */
int db_sync_again(struct db *db);
/* Moves the log's content into the database when the log has grown, or now. Own connection: needs no lock,
 * one thread only. */
void db_checkpoint(struct db *db, bool now);
/* Large transactions that are undone as a whole may go to the disk before they end (on); all others stay in
 * memory until then, so that only COMMIT can find the disk full. */
void db_allow_spill(struct db *db, bool on);

/* A statement, reset and ready for binding; NULL when it can't be prepared (logged). */
sqlite3_stmt *db_query(struct db *db, enum query query);
/* 1 = a row, 0 = done, or -errno (logged). NULL statement: -EIO. */
int db_step(struct db *db, sqlite3_stmt *stmt);
/* Steps to the end and resets. 0 or -errno. */
int db_run(struct db *db, sqlite3_stmt *stmt);
/* Runs a statement whose parameters ?1 and ?2 are integers (or unused). */
int db_run_ints(struct db *db, enum query query, int64_t first, int64_t second);
/* The first column of the only row as an integer; 0 without a row; or -errno. */
int64_t db_int(struct db *db, enum query query);

/* Small facts by key. *ret stays unchanged when there's none (returns 0); 1 = found; or -errno. */
int db_meta_int(struct db *db, const char *key, int64_t *ret);
int db_meta_blob(struct db *db, const char *key, struct blob *ret);
int db_meta_put_int(struct db *db, const char *key, int64_t value);
int db_meta_put_blob(struct db *db, const char *key, const void *data, size_t length);

/* Copies a column's bytes. 0 or -ENOMEM. */
int db_column_blob(sqlite3_stmt *stmt, int column, struct blob *ret);
void db_bind_blob(sqlite3_stmt *stmt, int index, const struct blob *blob);
