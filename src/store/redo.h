/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Redo: the changes to names since the last COMMIT, in memory.
 *
 * SQLite rolls a whole transaction back by itself when the disk is full, fails, or memory is short in the
 * middle of it. What the kernel was told must stand nevertheless: so the names are put into a new transaction
 * from here (nodes wait on the dirty list until they are committed). It also undoes an operation that failed
 * half-way. Needs the tree's lock. */
#pragma once

#include "base/text.h"
#include "store/db.h"

struct redo {
	struct text log;
	uint64_t transaction; /* that holds them, as db counts */
};

void redo_clear(struct redo *redo);
bool redo_is_empty(const struct redo *redo);
/* Where the log ends now: what follows can be taken back with redo_cut. */
size_t redo_mark(const struct redo *redo);
void redo_cut(struct redo *redo, size_t mark);

/* Puts or deletes the row of a name (rows.h), and notes it. On failure nothing is noted or done, but the
 * transaction may be gone. */
int redo_name_put(struct redo *redo, struct db *db, uint64_t parent, const char *name, size_t length,
		  uint32_t gen, uint64_t ino, uint32_t type);
int redo_name_delete(struct redo *redo, struct db *db, uint64_t parent, const char *name, size_t length,
		     uint32_t gen);
/* Is all of it in the open transaction? */
bool redo_stands(const struct redo *redo, const struct db *db);
/* Does all of it again in a new transaction. 0 or -errno: then no transaction is open, and it may be tried
 * again. */
int redo_replay(struct redo *redo, struct db *db);
