/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/torn_head.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/sg.h"
#include "commit/landed_session.h"
#include "model/head_mix.h"
#include "proc/burn.h"
#include "store/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct torn {
	const struct disc *disc;
	const char *root;
	struct reason *why;
	uint8_t *now;	     /* blocks 0..31 */
	uint32_t unreadable; /* a bit a block */
};

/* The blocks as far as they can be read. -errno when there's no disc to ask. */
static int read_now(struct torn *torn)
{
	const struct disc *disc = torn->disc;

	for (uint32_t block = 0; block < HEAD_SECTORS; block++) {
		uint8_t *data = torn->now + (size_t)block * SECTOR;
		int64_t got = disc->is_drive
				  ? sg_read(disc->fd, block, 1, data)
				  : fd_pread_full(disc->fd, data, SECTOR, (uint64_t)block * SECTOR);

		if (got == -ENOMEDIUM || got == -ESTALE)
			return (int)got;
		if (got < 0)
			torn->unreadable |= 1u << block;
		else if (!disc->is_drive) /* an image file may end before: that is zeroes */
			memset(data + got, 0, SECTOR - (size_t)got);
	}
	return 0;
}

/* The journal of a state that nobody has open. 1 or 0, whatever the reason. */
static int read_journal(const struct torn *torn, const char *id, struct journal *ret)
{
	struct state state = { .dir_fd = -1, .lock_fd = -1 };
	char path[sizeof state.path + 16];
	struct reason unread = { 0 };
	struct db db = { 0 };
	int got = state_enter(&state, torn->root, id, &unread);

	if (got == 0) {
		snprintf(path, sizeof path, "%s/overlay.db", state.path);
		got = db_open(&db, path, &unread);
	}
	if (got == 0) {
		got = journal_read(&db, ret);
		db_close(&db);
	}
	state_close(&state);
	return got > 0;
}

static int write_head(const struct torn *torn, const struct journal *journal)
{
	const struct disc *disc = torn->disc;

	if (disc->read_only)
		return reason_set(torn->why, EROFS,
				  "%s: the writing of its descriptors was cut off, and it must be mounted "
				  "once with permission to write",
				  disc->path);
	log_notice("%s: the writing of its descriptors was cut off in the middle: they are written again",
		   disc->path);
	return head_run(disc->fd, disc->path, &journal->head, disc->is_drive ? &journal->old_head : NULL,
			torn->why);
}

/* 1: it was this one, and is whole again; 0: it wasn't. */
static int try_state(void *self, const char *id)
{
	struct torn *torn = self;
	struct journal journal CLEANUP(journal_clear) = { 0 };
	int ret;

	if (!read_journal(torn, id, &journal) || journal.phase != PHASE_CHECKED ||
	    journal.head.length != HEAD_BYTES || journal.old_head.length != HEAD_BYTES ||
	    head_mix_of(torn->now, torn->unreadable, journal.old_head.data, journal.head.data) !=
		HEAD_IS_TORN ||
	    !landed_session_is_there(torn->disc->fd, torn->disc->is_drive, &journal))
		return 0;
	ret = write_head(torn, &journal);
	return ret < 0 ? ret : 1;
}

int torn_head_mend(const struct disc *disc, const char *root, struct reason *why)
{
	uint8_t *now AUTO_FREE = calloc(HEAD_SECTORS, SECTOR);
	struct torn torn = { .disc = disc, .root = root, .why = why, .now = now };

	if (!now)
		return reason_set(why, ENOMEM, "out of memory");
	if (!state_any_switch(root) || read_now(&torn) < 0)
		return 0;
	return state_each_switch(root, try_state, &torn);
}
