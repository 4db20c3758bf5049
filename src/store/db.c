/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/db.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define SCHEMA_VERSION	 6
#define APPLICATION_ID	 0x64736663 /* "dsfc": SQLite's own mark of a file's owner */
#define CHECKPOINT_BYTES (16u << 20)
#define PAGE_BYTES	 4096u
#define PRAGMAS                                                                                              \
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;"                   \
	"PRAGMA cache_size=-24576; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864;"            \
	"PRAGMA cache_spill=OFF;"

static const char schema[] =
#include "schema.inc"
    ;

static int db_errno(int code)
{
	switch (code & 0xFF) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

static bool is_damage(int code)
{
	return (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB;
}

/* What a reader meets, its caller tells. The statement says something to programmers only. */
static int db_fail(struct db *db, const char *what)
{
	int code = sqlite3_extended_errcode(db->handle);

	if (code != db->told && !db->reader)
		log_error("%s: %s", db->path, is_damage(code) ? "it's damaged" : sqlite3_errmsg(db->handle));
	if (code != db->told)
		log_debug("%s: %s: %s", db->path, what, sqlite3_errmsg(db->handle));
	db->told = code;
	db->damaged = db->damaged || is_damage(code);
	if ((code & 0xFF) != SQLITE_CORRUPT)
		return code ? db_errno(code) : -EIO;
	/* EIO of a read comes so, too. SQLite takes nothing more until the transaction is rolled back, and
	 * doesn't do that by itself here. */
	if (!sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return -EIO;
}

static int64_t pragma_int(const struct db *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static int db_exec(struct db *db, const char *sql, struct reason *why)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	db->damaged = is_damage(sqlite3_errcode(db->handle));
	return reason_set(why, -db_errno(sqlite3_errcode(db->handle)), "%s: %s", db->path,
			  sqlite3_errmsg(db->handle));
}

/* The table is of an older discfs: CREATE TABLE IF NOT EXISTS adds no column to it. */
static bool lacks_lost(const struct db *db)
{
	return pragma_int(db, "SELECT count(*) FROM pragma_table_info('node')") > 0 &&
	       pragma_int(db, "SELECT count(*) FROM pragma_table_info('node') WHERE name='lost'") == 0;
}

static bool lacks_boot(const struct db *db)
{
	return pragma_int(db, "SELECT count(*) FROM sqlite_master WHERE name='boot'") == 0;
}

static int db_create(struct db *db, struct reason *why)
{
	char marks[96];
	int ret;

	snprintf(marks, sizeof marks, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;",
		 APPLICATION_ID, SCHEMA_VERSION);
	ret = db_exec(db, "BEGIN IMMEDIATE;", why);
	if (ret == 0 && lacks_lost(db))
		ret = db_exec(db, "ALTER TABLE node ADD COLUMN lost BLOB;", why);
	if (ret == 0)
		ret = db_exec(db, schema, why);
	return ret < 0 ? ret : db_exec(db, marks, why);
}

static int db_check_version(struct db *db, struct reason *why)
{
	int64_t application = pragma_int(db, "PRAGMA application_id");
	int64_t version = pragma_int(db, "PRAGMA user_version");

	if ((application == 0 && version == 0) ||
	    (application == APPLICATION_ID && version > 0 && version < SCHEMA_VERSION))
		return db_create(db, why);
	db->damaged = application != APPLICATION_ID;
	if (db->damaged)
		return reason_set(why, EUCLEAN, "%s is damaged or not a discfs database", db->path);
	if (version != SCHEMA_VERSION)
		return reason_set(why, EUCLEAN, "%s was written by another version of discfs (schema %lld)",
				  db->path, (long long)version);
	return 0;
}

/* SQLite deletes and remakes the log only while no connection is open, so one descriptor serves until the
 * end. */
static int db_open_wal(struct db *db, struct reason *why)
{
	char path[4200];

	snprintf(path, sizeof path, "%s-wal", db->path);
	db->wal_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (db->wal_fd < 0)
		return reason_set(why, errno, "%s: %s", path, strerror(errno));
	return 0;
}

static int count_log(void *self, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = self;

	atomic_store(&db->log_pages, pages);
	atomic_store(&db->written, true);
	return SQLITE_OK;
}

int db_open(struct db *db, const char *path, struct reason *why)
{
	int ret;

	/* Who died before us may have left something unsynced. */
	*db = (struct db){ .wal_fd = -1, .path = strdup(path), .written = true };
	pthread_mutex_init(&db->sync, NULL);
	if (!db->path)
		return reason_set(why, ENOMEM, "out of memory");
	if (sqlite3_open_v2(path, &db->handle,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return reason_set(why, EIO, "%s: %s", path,
				  db->handle ? sqlite3_errmsg(db->handle) : "can't be opened");
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, 5000);
	ret = db_exec(db, PRAGMAS, why);
	sqlite3_wal_hook(db->handle, count_log,
			 db); /* behind wal_autocheckpoint, which takes any hook away */
	if (ret == 0)
		ret = db_check_version(db, why);
	return ret < 0 ? ret : db_open_wal(db, why);
}

void db_stay_small(struct db *db)
{
	sqlite3_exec(db->handle, "PRAGMA cache_size=-2048", NULL, NULL, NULL);
}

int db_open_reader(struct db *db, const char *path, struct reason *why)
{
	*db = (struct db){ .wal_fd = -1, .path = strdup(path), .reader = true };
	pthread_mutex_init(&db->sync, NULL);
	if (!db->path)
		return reason_set(why, ENOMEM, "out of memory");
	if (sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return reason_set(why, EIO, "%s: %s", path,
				  db->handle ? sqlite3_errmsg(db->handle) : "can't be opened");
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, 5000);
	if (pragma_int(db, "PRAGMA application_id") != APPLICATION_ID)
		return reason_set(why, EUCLEAN, "%s is damaged or not a discfs database", path);
	if (pragma_int(db, "PRAGMA user_version") > SCHEMA_VERSION)
		return reason_set(why, EUCLEAN, "%s was written by a newer version of discfs", path);
	/* It stays as it is on the disk; what was added since is there for this connection. */
	if (lacks_boot(db) &&
	    db_exec(db, "CREATE TEMP TABLE boot(slot,gen,ino,load_size,tabled,path);", why) < 0)
		return -why->err;
	if (lacks_lost(db))
		return db_exec(db, "CREATE TEMP VIEW node AS SELECT *,NULL AS lost FROM main.node;", why);
	return 0;
}

void db_close(struct db *db)
{
	if (!db->path)
		return;
	if (db->handle)
		db_commit(db);
	for (int i = 0; i < QUERY_COUNT; i++)
		sqlite3_finalize(db->stmts[i]);
	sqlite3_close(db->handle);
	if (db->wal_fd >= 0)
		close(db->wal_fd);
	free(db->path);
	pthread_mutex_destroy(&db->sync);
	*db = (struct db){ .wal_fd = -1 };
}

bool db_is_writing(const struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

int db_begin(struct db *db)
{
	if (db_is_writing(db))
		return 0;
	db->transaction++;
	return db_run(db, db_query(db, QUERY_BEGIN));
}

int db_commit(struct db *db)
{
	int ret = db_is_writing(db) ? db_run(db, db_query(db, QUERY_COMMIT)) : 0;

	if (ret == 0)
		db->told = SQLITE_OK;
	else
		db_rollback(db);
	return ret;
}

void db_rollback(struct db *db)
{
	db->transaction++;
	if (db_is_writing(db))
		db_run(db, db_query(db, QUERY_ROLLBACK));
}

struct db_version db_version(const struct db *db)
{
	return (struct db_version){ sqlite3_total_changes64(db->handle), db->transaction };
}

/* Without it all reads work as well. */
void db_reads_begin(struct db *db)
{
	if (!db_is_writing(db))
		db_step(db, db_query(db, QUERY_HOLD));
}

void db_reads_end(struct db *db)
{
	sqlite3_reset(db->stmts[QUERY_HOLD]);
}

void db_allow_spill(struct db *db, bool on)
{
	sqlite3_exec(db->handle, on ? "PRAGMA cache_spill=ON" : "PRAGMA cache_spill=OFF", NULL, NULL, NULL);
}

int db_sync(struct db *db)
{
	WITH_LOCK(&db->sync);
	if (atomic_load(&db->unsynced))
		return -EAGAIN;
	if (!atomic_exchange(&db->written, false))
		return 0;
	if (fdatasync(db->wal_fd) == 0)
		return 0;
	atomic_store(&db->unsynced, true);
	return -errno;
}

/* The new log's first sync doesn't rest on what the kernel says of the old one's. */
int db_sync_again(struct db *db)
{
	int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	if (code != SQLITE_OK)
		return db_errno(code);
	if (fdatasync(db->wal_fd) < 0)
		return -errno;
	atomic_store(&db->unsynced, false);
	return 0;
}

/* Small file systems get a small log. */
static uint64_t checkpoint_at(const struct db *db)
{
	struct statvfs vfs;

	if (fstatvfs(db->wal_fd, &vfs) < 0)
		return CHECKPOINT_BYTES;
	return min_u64(CHECKPOINT_BYTES, (uint64_t)vfs.f_blocks * vfs.f_frsize / 32);
}

void db_checkpoint(struct db *db, bool now)
{
	sqlite3 *other = NULL;

	if (!now && (uint64_t)atomic_load(&db->log_pages) * PAGE_BYTES < checkpoint_at(db))
		return;
	atomic_store(&db->log_pages, 0);
	if (sqlite3_open_v2(db->path, &other, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
		sqlite3_wal_checkpoint_v2(other, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	sqlite3_close(other);
}

sqlite3_stmt *db_query(struct db *db, enum query query)
{
	sqlite3_stmt **stmt = &db->stmts[query];

	if (*stmt)
		sqlite3_reset(*stmt);
	else if (sqlite3_prepare_v3(db->handle, query_text(query), -1, SQLITE_PREPARE_PERSISTENT, stmt,
				    NULL) != SQLITE_OK)
		db_fail(db, query_text(query));
	return *stmt;
}

int db_step(struct db *db, sqlite3_stmt *stmt)
{
	int code = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;

	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	return stmt ? db_fail(db, sqlite3_sql(stmt)) : -EIO;
}

int db_run(struct db *db, sqlite3_stmt *stmt)
{
	int ret = db_step(db, stmt);

	while (ret > 0)
		ret = db_step(db, stmt);
	if (stmt)
		sqlite3_reset(stmt);
	return ret;
}

int db_run_ints(struct db *db, enum query query, int64_t first, int64_t second)
{
	sqlite3_stmt *stmt = db_query(db, query);

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, first);
	if (sqlite3_bind_parameter_count(stmt) > 1)
		sqlite3_bind_int64(stmt, 2, second);
	return db_run(db, stmt);
}

int64_t db_int(struct db *db, enum query query)
{
	sqlite3_stmt *stmt = db_query(db, query);
	int ret = db_step(db, stmt);
	int64_t value = ret > 0 ? sqlite3_column_int64(stmt, 0) : ret;

	if (stmt)
		sqlite3_reset(stmt);
	return value;
}

static int meta_step(struct db *db, const char *key, sqlite3_stmt **ret_stmt)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_META_GET);

	if (stmt)
		sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	*ret_stmt = stmt;
	return db_step(db, stmt);
}

int db_meta_int(struct db *db, const char *key, int64_t *ret)
{
	sqlite3_stmt *stmt;
	int found = meta_step(db, key, &stmt);

	if (found > 0)
		*ret = sqlite3_column_int64(stmt, 0);
	if (stmt)
		sqlite3_reset(stmt);
	return found;
}

int db_meta_blob(struct db *db, const char *key, struct blob *ret)
{
	sqlite3_stmt *stmt;
	int found = meta_step(db, key, &stmt);

	if (found > 0 && db_column_blob(stmt, 0, ret) < 0)
		found = -ENOMEM;
	if (stmt)
		sqlite3_reset(stmt);
	return found;
}

int db_meta_put_int(struct db *db, const char *key, int64_t value)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_META_PUT);

	if (!stmt)
		return -EIO;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, value);
	return db_run(db, stmt);
}

int db_meta_put_blob(struct db *db, const char *key, const void *data, size_t length)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_META_PUT);

	if (!stmt)
		return -EIO;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(stmt, 2, data, length, SQLITE_STATIC);
	return db_run(db, stmt);
}

int db_column_blob(sqlite3_stmt *stmt, int column, struct blob *ret)
{
	return blob_set(ret, sqlite3_column_blob(stmt, column), (size_t)sqlite3_column_bytes(stmt, column));
}

void db_bind_blob(sqlite3_stmt *stmt, int index, const struct blob *blob)
{
	if (blob->length)
		sqlite3_bind_blob64(stmt, index, blob->data, blob->length, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, index);
}
