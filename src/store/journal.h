/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commit journal and the history of commits. Needs the tree's lock. */
#pragma once

#include "base/text.h"
#include "model/phase.h"
#include "store/db.h"
#include "wire/verbs.h"
#include "store/session_change.h"

struct journal {
	enum phase phase;
	uint32_t gen; /* the frozen generation */
	char label[40];
	uint64_t start;	  /* sector of the new session */
	uint64_t sectors; /* its size */
	struct blob fingerprint;
	struct blob head;
	struct blob old_head;
	bool unverified; /* nobody wanted the new files to be read back; not stored: a next mount does it */
	struct verb_front front; /* from WRITTEN on, where the worker told; sectors 0: not known */
};

void journal_clear(struct journal *journal);
/* 1 = a commit was under way, 0 = none, or -errno. */
int journal_read(struct db *db, struct journal *ret);
/* Stores the whole row and commits. Everything else must be flushed (tree_flush_locked); db_sync makes it
 * last. */
int journal_write(struct db *db, const struct journal *journal);
/* Within the open transaction: the phase only. */
int journal_set_phase(struct db *db, enum phase phase);
/* Within the open transaction: no commit is under way any more. */
int journal_end(struct db *db);

struct history {
	int64_t time; /* seconds since 1970 */
	const char *label;
	uint64_t start, sectors;
	int err; /* 0 or positive */
	const char *message;
	bool had_head;			     /* there was one before it; told by history_each */
	const struct session_change *change; /* may be NULL; of a session that is in force now */
};

/* Within the open transaction. old_head may be NULL. */
int history_add(struct db *db, const struct history *entry, const struct blob *old_head);
/* Each commit that failed, or each that is in force, oldest first; what entry gets is valid during the call.
 * Its nonzero return ends it and is returned. */
typedef int history_fn(void *self, const struct history *entry);
int history_each(struct db *db, bool failed, history_fn *entry, void *self);
/* Blocks 0..31 before the first of them that is in force. 1, 0 = none, or -errno. */
int history_first_head(struct db *db, struct blob *ret);
