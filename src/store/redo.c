/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/redo.h"

#include "store/rows.h"

#include <errno.h>
#include <string.h>

/* In the log; the name's bytes follow. */
struct step {
	uint64_t parent;
	uint64_t ino;
	uint32_t gen;
	uint32_t type;
	uint32_t length;
	bool deletes;
};

void redo_clear(struct redo *redo)
{
	text_clear(&redo->log);
}

bool redo_is_empty(const struct redo *redo)
{
	return redo->log.length == 0;
}

size_t redo_mark(const struct redo *redo)
{
	return redo->log.length;
}

void redo_cut(struct redo *redo, size_t mark)
{
	if (mark < redo->log.length)
		redo->log.length = mark;
	redo->log.failed = false;
}

static int step_run(struct db *db, const struct step *step, const char *name)
{
	if (step->deletes)
		return rows_name_delete(db, step->parent, name, step->length, step->gen);
	return rows_name_put(db, step->parent, name, step->length, step->gen, step->ino, step->type);
}

static int step_do(struct redo *redo, struct db *db, const struct step *step, const char *name)
{
	size_t mark = redo_mark(redo);
	int ret;

	if (mark == 0)
		redo->transaction = db->transaction;
	/* Noted first: an operation that can't be noted isn't done. */
	text_add_bytes(&redo->log, step, sizeof *step);
	text_add_bytes(&redo->log, name, step->length);
	ret = redo->log.failed ? -ENOMEM : step_run(db, step, name);
	if (ret < 0) { /* and isn't left half done: removing a name takes two statements */
		redo_cut(redo, mark);
		redo_replay(redo, db);
	}
	return ret;
}

int redo_name_put(struct redo *redo, struct db *db, uint64_t parent, const char *name, size_t length,
		  uint32_t gen, uint64_t ino, uint32_t type)
{
	struct step step = {
		.parent = parent, .ino = ino, .gen = gen, .type = type, .length = (uint32_t)length
	};

	return step_do(redo, db, &step, name);
}

int redo_name_delete(struct redo *redo, struct db *db, uint64_t parent, const char *name, size_t length,
		     uint32_t gen)
{
	struct step step = { .parent = parent, .gen = gen, .length = (uint32_t)length, .deletes = true };

	return step_do(redo, db, &step, name);
}

bool redo_stands(const struct redo *redo, const struct db *db)
{
	return redo_is_empty(redo) || (db_is_writing(db) && redo->transaction == db->transaction);
}

int redo_replay(struct redo *redo, struct db *db)
{
	int ret;

	db_rollback(db);
	if (redo_is_empty(redo))
		return 0;
	ret = db_begin(db);
	redo->transaction = db->transaction;
	for (size_t at = 0; ret == 0 && at < redo->log.length;) {
		struct step step;

		memcpy(&step, redo->log.data + at, sizeof step);
		ret = step_run(db, &step, redo->log.data + at + sizeof step);
		at += sizeof step + step.length;
	}
	if (ret < 0)
		db_rollback(db);
	return ret;
}
