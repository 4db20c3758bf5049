/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/recover.h"

#include "base/log.h"
#include "commit/finish.h"

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

/* Up to BURNING the disc still shows the old state: nothing leads to what was written behind it. */
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
	finish_spoilt(disc, journal, &cut);
	if (disc->tree.broken || !disc_is_sequential(&disc->probe))
		return disc->tree.broken;
	return show_last_good(disc);
}

/* The worker of a burn into a drive goes on when the daemon dies: then the disc shows the session. */
static bool is_written(const struct disc *disc, const struct journal *journal)
{
	return journal->phase >= PHASE_WRITTEN ||
	       (journal->phase == PHASE_BURNING && disc_is_sequential(&disc->probe) &&
		finish_head_is_there(disc, journal));
}

int recover_commit(struct disc *disc, struct reason *why)
{
	static const struct check_progress quiet = { .step = no_step };
	struct journal journal CLEANUP(journal_clear) = { 0 };
	struct reason failed = { 0 };
	int ret;

	{
		WITH_LOCK(&disc->tree.lock);
		ret = journal_read(&disc->tree.db, &journal);
	}
	if (ret < 0)
		return reason_set(why, -ret, "the commit journal in %s can't be read", disc->tree.db.path);
	if (ret == 0)
		return 0;
	if (!is_written(disc, &journal) || (disc->read_only && !finish_head_is_there(disc, &journal))) {
		ret = roll_back(disc, &journal);
	} else {
		ret = finish_session(disc, &journal, &quiet, &failed);
		if (ret == 0)
			log_notice(
			    "a commit that was cut off is finished: its session was whole on the disc");
		else
			log_error("the session of the commit that was cut off can't be used: %s",
				  failed.text);
		if (ret < 0 && journal.phase != PHASE_PUBLISHED)
			ret = roll_back(disc, &journal);
	}
	return ret < 0 ? reason_set(why, -ret, "the staged work in %s can't be recovered", disc->tree.db.path)
		       : 0;
}
