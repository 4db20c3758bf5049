/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/phases.h"

#include "base/fault.h"
#include "base/log.h"
#include "commit/publish.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The fault point before a phase is stored, by phase; the one behind it follows. */
static const enum fault points[] = {
	[PHASE_IDLE] = FAULT_IDLE_BEFORE,	[PHASE_FROZEN] = FAULT_FROZEN_BEFORE,
	[PHASE_FILLED] = FAULT_FILLED_BEFORE,	[PHASE_PLANNED] = FAULT_PLANNED_BEFORE,
	[PHASE_BURNING] = FAULT_BURNING_BEFORE, [PHASE_WRITTEN] = FAULT_WRITTEN_BEFORE,
	[PHASE_CHECKED] = FAULT_CHECKED_BEFORE, [PHASE_PUBLISHED] = FAULT_PUBLISHED_BEFORE,
	[PHASE_SPOILT] = FAULT_SPOILT_BEFORE,
};

static int not_stored(const struct disc *disc, int err, struct reason *why)
{
	return reason_set(why, -err, "the commit journal %s can't be written: %s", disc->tree.db.path,
			  strerror(-err));
}

/* Before and behind what a transition does. */
static int enter(const struct journal *journal, enum phase to)
{
	return phase_may_follow(journal->phase, to) ? fault_point(points[to]) : -EUCLEAN;
}

static int leave(struct journal *journal, enum phase to)
{
	journal->phase = to;
	return fault_point(points[to] + 1);
}

/* The row with another phase, and whatever else the journal holds by now. */
static int store(struct disc *disc, struct journal *journal, enum phase to)
{
	struct tree *tree = &disc->tree;
	struct journal next = *journal; /* the blobs are borrowed */
	int ret;

	next.phase = to;
	{
		WITH_LOCK(&tree->lock);
		ret = tree_flush_locked(tree);
		if (ret == 0)
			ret = journal_write(&tree->db, &next);
	}
	return ret < 0 ? ret : tree_sync_rows(tree);
}

static int step(struct disc *disc, struct journal *journal, enum phase to, struct reason *why)
{
	int ret = enter(journal, to);

	if (ret == 0)
		ret = store(disc, journal, to);
	if (ret == 0)
		ret = leave(journal, to);
	return ret < 0 ? not_stored(disc, ret, why) : 0;
}

int phase_to_frozen(struct disc *disc, struct journal *journal, struct reason *why)
{
	int ret = enter(journal, PHASE_FROZEN);

	if (ret == 0)
		ret = freeze_generation(&disc->tree, journal);
	if (ret < 0)
		return reason_set(why, -ret, "the staged work can't be written to %s: %s", disc->tree.db.path,
				  strerror(-ret));
	journal->phase = PHASE_FROZEN; /* whatever else fails: it must be undone */
	ret = tree_sync_rows(&disc->tree);
	if (ret == 0)
		ret = leave(journal, PHASE_FROZEN);
	return ret < 0 ? not_stored(disc, ret, why) : 0;
}

int phase_to_filled(struct disc *disc, struct journal *journal, struct reason *why)
{
	return step(disc, journal, PHASE_FILLED, why);
}

int phase_to_planned(struct disc *disc, struct journal *journal, struct reason *why)
{
	return step(disc, journal, PHASE_PLANNED, why);
}

/* Of one that began where this one will nothing can be recorded: it couldn't begin here else. */
int phase_to_burning(struct disc *disc, struct journal *journal, struct reason *why)
{
	int ret = state_link(&disc->state, journal->fingerprint.data, why);

	if (ret < 0)
		return ret;
	ret = disc_forget_bad_session(disc, journal->start);
	return ret < 0 ? not_stored(disc, ret, why) : step(disc, journal, PHASE_BURNING, why);
}

int phase_to_written(struct disc *disc, struct journal *journal, struct reason *why)
{
	return step(disc, journal, PHASE_WRITTEN, why);
}

int phase_to_checked(struct disc *disc, struct journal *journal, struct reason *why)
{
	return step(disc, journal, PHASE_CHECKED, why);
}

void phase_sentence(size_t session, const struct journal *journal, char *ret, size_t room)
{
	char size[16];

	snprintf(ret, room, "Session %zu is burned%s: %s", session,
		 journal->unverified ? ", " NOT_VERIFIED : " and verified",
		 text_size(size, journal->sectors * SECTOR));
}

static struct history history_of(const struct journal *journal, int err, const char *message)
{
	return (struct history){ .time = time(NULL),
				 .label = journal->label,
				 .start = journal->start,
				 .sectors = journal->sectors,
				 .err = err,
				 .message = message };
}

int phase_to_published(struct disc *disc, struct journal *journal, struct reason *why)
{
	char sentence[160];
	struct history entry = history_of(journal, 0, sentence);
	/* after a crash, or burned by another program, it's there already */
	bool listed = memcmp(disc->probe.disc.fingerprint, journal->fingerprint.data, FINGERPRINT_SIZE) == 0;
	struct session_change change;
	int ret = phase_may_follow(journal->phase, PHASE_PUBLISHED) ? 0 : -EUCLEAN;

	phase_sentence(disc->probe.sessions.count + !listed, journal, sentence, sizeof sentence);
	/* Without it the session is as good: it's told when somebody asks (discfsctl log --stat). */
	if (ret == 0 &&
	    session_change_frozen(&disc->tree, journal->gen, journal->start, journal->sectors, &change) == 0)
		entry.change = &change;
	if (ret == 0)
		ret = publish_generation(disc, journal, &entry);
	if (ret < 0) {
		disc->tree.broken = ret;
		return reason_set(why, -ret,
				  "the session is burned, but %s can't be written: %s. It is taken over "
				  "when the disc is mounted again",
				  disc->tree.db.path, strerror(-ret));
	}
	ret = leave(journal, PHASE_PUBLISHED);
	if (ret < 0)
		log_error("after the publication: %s", strerror(-ret));
	return 0;
}

/* Only where the disc itself can't tell: what isn't led to by a head isn't there. */
static int note_bad(struct disc *disc, const struct journal *journal)
{
	return disc_is_sequential(&disc->probe) ? disc_add_bad_session(disc, journal->start) : 0;
}

int phase_to_spoilt(struct disc *disc, struct journal *journal, const struct reason *cause,
		    struct reason *why)
{
	struct history entry = history_of(journal, cause->err, cause->text);
	int ret = phase_may_follow(journal->phase, PHASE_SPOILT) ? 0 : -EUCLEAN;

	if (ret == 0)
		ret = note_bad(disc, journal);
	if (ret == 0)
		ret = spoil_generation(&disc->tree, &entry);
	if (ret == 0)
		ret = leave(journal, PHASE_SPOILT);
	if (ret == 0)
		return 0;
	disc->tree.broken = ret;
	return not_stored(disc, ret, why);
}

/* On sequential media a bad session may be what other readers see: the disc is still known by it. */
static void unlink_coming(struct disc *disc, const struct journal *journal)
{
	bool touched = journal->phase == PHASE_SPOILT && disc_is_sequential(&disc->probe);

	if (!touched && journal->fingerprint.length == FINGERPRINT_SIZE &&
	    memcmp(journal->fingerprint.data, disc->probe.disc.fingerprint, FINGERPRINT_SIZE) != 0)
		state_unlink(&disc->state, journal->fingerprint.data);
}

int phase_undo(struct disc *disc, struct journal *journal, const struct reason *cause, struct reason *why)
{
	struct history entry = { 0 };
	int ret = phase_may_follow(journal->phase, PHASE_IDLE) ? 0 : -EUCLEAN;

	if (cause)
		entry = history_of(journal, cause->err, cause->text);
	if (ret == 0)
		ret = thaw_generation(&disc->tree, journal->gen, cause ? &entry : NULL);
	if (ret < 0) {
		disc->tree.broken = ret;
		return reason_set(why, -ret,
				  "the staged work can't be joined again: %s; it is put right when the disc "
				  "is mounted again",
				  strerror(-ret));
	}
	unlink_coming(disc, journal);
	state_unmark_switch(&disc->state);
	ret = leave(journal, PHASE_IDLE);
	return ret < 0 ? not_stored(disc, ret, why) : 0;
}

static int end_journal(struct tree *tree)
{
	int ret;

	WITH_LOCK(&tree->lock);
	ret = tree_flush_locked(tree);
	if (ret == 0)
		ret = db_begin(&tree->db);
	if (ret == 0)
		ret = journal_end(&tree->db);
	return ret < 0 ? ret : db_commit(&tree->db);
}

int phase_sweep(struct disc *disc, struct journal *journal, struct reason *why)
{
	int ret = enter(journal, PHASE_IDLE);

	if (ret == 0)
		ret = state_unlink_others(&disc->state, journal->fingerprint.data);
	state_unmark_switch(&disc->state);
	if (ret == 0)
		ret = end_journal(&disc->tree);
	if (ret == 0)
		ret = leave(journal, PHASE_IDLE);
	return ret < 0 ? not_stored(disc, ret, why) : 0;
}
