/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the Nth call of a kind fail: writes, syncs and the like on the files of a state directory, SQLite's
 * steps, memory.
 *
 * failing.c is linked into a unit test, which arms it by failing_arm; or it's a library to LD_PRELOAD, which
 * takes its orders from the file that DISCFS_FAILING names, while the program runs (see failing_order_parse).
 * Only calls on files below the state directory count, and only steps and allocations that the program itself
 * and SQLite ask for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum failing_kind {
	FAILING_WRITE,	   /* pwrite, write: err, or a short write where err is 0 */
	FAILING_SYNC,	   /* fsync, fdatasync */
	FAILING_RESIZE,	   /* ftruncate, fallocate */
	FAILING_READ,	   /* pread */
	FAILING_STEP,	   /* sqlite3_step, with the transaction rolled back, as SQLite does when it's full or
			      can't read */
	FAILING_STATEMENT, /* sqlite3_step, with only the statement undone */
	FAILING_MEMORY,	   /* malloc, calloc, realloc, reallocarray, strdup */
	FAILING_KINDS
};

struct failing_order {
	enum failing_kind kind;
	uint64_t first; /* the first call that fails, from 1; 0 = none: only counted */
	uint64_t count; /* how many fail from there on */
	int err;
	char file[32]; /* names of files begin so; empty = any */
};

/* Files below this directory count. */
void failing_below(const char *dir);
/* Counts anew. Nothing fails before failing_on(true). */
void failing_arm(const struct failing_order *order);
/* Only what happens while it's on counts and fails. */
void failing_on(bool on);
/* Calls of the ordered kind since failing_arm, and how many of them failed. */
uint64_t failing_seen(void);
uint64_t failing_failed(void);
/* Memory can't be made to fail under a sanitizer or valgrind. */
bool failing_has_memory(void);
/* Syncs are only said to be done: what the disk does is nothing to a test that never cuts the power. */
void failing_skip_syncs(void);

/* "KIND:FIRST:COUNT:ERRNO[:FILE]", such as "write:3:1:ENOSPC:spool"; ERRNO may be SHORT. "" or "off": nothing
 * fails. False: it's none. */
bool failing_order_parse(const char *text, struct failing_order *ret);
const char *failing_kind_name(enum failing_kind kind);
