/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/recover.h"

#include "base/log.h"
#include "commit/finish.h"
#include "commit/landed_session.h"
#include "commit/phases.h"

#include <errno.h>
#include <stdio.h>

static int no_step(void *self, uint64_t done_bytes, const char *name, size_t length)
{
	return 0;
}

/* The disc shows the session although it can't be used: what is staged belongs to that state of the disc from
 * now on. The next session holds everything again. */
static int move_to_new_head(struct disc *disc)
{
	int ret;

	WITH_LOCK(&disc->tree.lock);
	ret = db_begin(&disc->tree.db);
	if (ret == 0)
		ret = db_meta_put_blob(&disc->tree.db, "fingerprint", disc->probe.disc.fingerprint,
				       FINGERPRINT_SIZE);
	return ret < 0 ? ret : db_commit(&disc->tree.db);
}

/* The bad session may be the one that was probed. */
static int show_last_good(struct disc *disc)
{
	struct probe probe = { 0 };
	struct reason why = { 0 };
	int ret = disc_probe(disc, &probe, &why);

	if (ret < 0) {
		log_error("%s", why.text);
		return ret;
	}
	disc_set_probe(disc, &probe);
	return 0;
}

/* Nothing leads to what was written, or nothing was: all is staged again. */
static int roll_back(struct disc *disc, struct journal *journal)
{
	struct reason cut = { .err = EINTR };
	bool shown = finish_head_is_there(disc, journal) && !disc_is_sequential(&disc->probe);
	int ret = shown ? move_to_new_head(disc) : 0;

	if (ret < 0)
		return ret;
	snprintf(cut.text, sizeof cut.text, "the commit was cut off while %s; %s and the staged work is kept",
		 phase_name(journal->phase),
		 shown ? "its session is on the disc but can't be used," : "the disc is as it was before");
	log_notice("%s", cut.text);
	disc->recovered.err = journal->phase >= PHASE_BURNING ? EIO : EINTR;
	snprintf(disc->recovered.message, sizeof disc->recovered.message, "%s", cut.text);
	finish_badly(disc, journal, &cut);
	if (disc->tree.broken || !disc_is_sequential(&disc->probe))
		return disc->tree.broken;
	return show_last_good(disc);
}

static void tell_good(struct disc *disc, const struct journal *journal)
{
	struct recovered *told = &disc->recovered;

	*told = (struct recovered){ .session = disc->probe.sessions.count,
				    .start = journal->start,
				    .sectors = journal->sectors };
	phase_sentence(told->session, journal, told->message, sizeof told->message);
}

static int roll_forward(struct disc *disc, struct journal *journal)
{
	static const struct check_progress quiet = { .step = no_step };
	struct reason why = { 0 };
	int ret;

	log_notice("the session of a commit that was cut off seems to be whole on the disc: it's verified");
	ret = finish_session(disc, journal, &quiet, &why);
	if (ret == 0) {
		log_notice("a commit that was cut off is finished: its session was whole on the disc");
		tell_good(disc, journal);
		return 0;
	}
	log_error("the session of the commit that was cut off can't be used: %s", why.text);
	return disc->tree.broken ? disc->tree.broken : roll_back(disc, journal);
}

/* A disc that can't be written can't get a head, only have one. */
static int back_or_forward(struct disc *disc, struct journal *journal)
{
	return disc->read_only && !finish_head_is_there(disc, journal) ? roll_back(disc, journal)
								       : roll_forward(disc, journal);
}

/* The worker of a burn into a drive goes on when the daemon dies; and any may have been done when both died.
 * What is told by the journal before the burn and found on the disc afterwards was written. */
static int look_for_session(struct disc *disc, struct journal *journal)
{
	struct reason why = { 0 };

	if (!landed_session_is_whole(disc, journal))
		return roll_back(disc, journal);
	if (phase_to_written(disc, journal, &why) < 0) {
		log_error("%s", why.text);
		return -why.err;
	}
	return back_or_forward(disc, journal);
}

static int sweep(struct disc *disc, struct journal *journal)
{
	struct reason why = { 0 };
	int ret = phase_sweep(disc, journal, &why);

	if (ret == 0)
		tell_good(disc, journal);
	if (ret < 0)
		log_error("%s", why.text);
	return ret;
}

int recover_commit(struct disc *disc, struct reason *why)
{
	static int (*const settle[])(struct disc * disc, struct journal * journal) = {
		[PHASE_FROZEN] = roll_back,	   [PHASE_FILLED] = roll_back,
		[PHASE_PLANNED] = roll_back,	   [PHASE_BURNING] = look_for_session,
		[PHASE_WRITTEN] = back_or_forward, [PHASE_CHECKED] = back_or_forward,
		[PHASE_PUBLISHED] = sweep,	   [PHASE_SPOILT] = roll_back,
	};
	struct journal journal CLEANUP(journal_clear) = { 0 };
	int ret;

	{
		WITH_LOCK(&disc->tree.lock);
		ret = journal_read(&disc->tree.db, &journal);
	}
	if (ret < 0)
		return reason_set(why, -ret, "the commit journal in %s can't be read", disc->tree.db.path);
	if (ret == 0 || journal.phase == PHASE_IDLE)
		return 0;
	if ((size_t)journal.phase >= sizeof settle / sizeof *settle)
		return reason_set(why, EUCLEAN, "the commit journal in %s is of a later discfs",
				  disc->tree.db.path);
	ret = settle[journal.phase](disc, &journal);
	return ret < 0 ? reason_set(why, -ret, "the staged work in %s can't be recovered", disc->tree.db.path)
		       : 0;
}
