/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/finish.h"

#include "base/fault.h"
#include "base/log.h"
#include "commit/publish.h"
#include "proc/burn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int phase_fault(enum phase phase, const char *when)
{
	static const char *const points[] = {
		[PHASE_FROZEN] = "frozen",   [PHASE_PLANNED] = "planned", [PHASE_BURNING] = "burning",
		[PHASE_WRITTEN] = "written", [PHASE_CHECKED] = "checked",
	};
	char name[64];

	snprintf(name, sizeof name, "phase-%s-%s", points[phase], when);
	return fault_point(name);
}

int finish_set_phase(struct tree *tree, struct journal *journal, enum phase phase, struct reason *why)
{
	int ret = phase_fault(phase, "before");

	if (ret == 0) {
		WITH_LOCK(&tree->lock);
		journal->phase = phase;
		ret = tree_flush_locked(tree);
		if (ret == 0)
			ret = journal_write(&tree->db, journal);
	}
	if (ret == 0)
		ret = tree_sync_rows(tree);
	if (ret == 0)
		ret = phase_fault(phase, "after");
	return ret < 0 ? reason_set(why, -ret, "the commit journal %s can't be written: %s", tree->db.path,
				    strerror(-ret))
		       : 0;
}

void finish_sentence(size_t session, const struct journal *journal, char *ret, size_t room)
{
	snprintf(ret, room, "Session %zu is burned and verified: %llu sectors at %llu", session,
		 (unsigned long long)journal->sectors, (unsigned long long)journal->start);
}

static int publish(struct disc *disc, struct journal *journal, struct reason *why)
{
	char sentence[160];
	struct history entry = { .time = time(NULL),
				 .label = journal->label,
				 .start = journal->start,
				 .sectors = journal->sectors,
				 .message = sentence };
	int ret;

	finish_sentence(disc->probe.sessions.count + 1, journal, sentence, sizeof sentence);
	ret = publish_generation(disc, journal, &entry);
	return ret < 0 ? reason_set(why, -ret,
				    "the session is burned, but %s can't be written: %s. It is taken over "
				    "when the disc is mounted again",
				    disc->tree.db.path, strerror(-ret))
		       : 0;
}

bool finish_head_is_there(const struct disc *disc, const struct journal *journal)
{
	return journal->fingerprint.length == FINGERPRINT_SIZE &&
	       memcmp(disc->probe.disc.fingerprint, journal->fingerprint.data, FINGERPRINT_SIZE) == 0;
}

/* The medium shows what it showed before the commit. */
static bool old_head_stands(const struct disc *disc)
{
	struct probe probe CLEANUP(probe_clear) = { 0 };
	struct reason why = { 0 };

	return disc_probe(disc, &probe, &why) == 0 &&
	       memcmp(probe.disc.fingerprint, disc->probe.disc.fingerprint, FINGERPRINT_SIZE) == 0;
}

static int write_head(struct disc *disc, const struct blob *head, const struct blob *before,
		      struct reason *why)
{
	return head_run(disc->fd, disc->path, head, disc->is_drive ? before : NULL, why);
}

/* When that can't be done either, nobody knows what the medium shows: the journal stays, with both links, for
 * the next mount. */
static void take_head_back(struct disc *disc, struct journal *journal, struct reason *why)
{
	size_t used = strlen(why->text);
	struct reason back = { 0 };

	if (journal->old_head.length == 0 ||
	    write_head(disc, &journal->old_head, &journal->head, &back) == 0 || old_head_stands(disc))
		return;
	log_error("the old descriptors can't be written back: %s", back.text);
	snprintf(
	    why->text + used, sizeof why->text - used,
	    ". Neither can the old descriptors be written back: unmount and mount again, which settles it");
	journal->phase = PHASE_PUBLISHED;
	disc->tree.broken = -why->err;
}

/* The head goes out (unless it did before a crash), and the medium must then be what the plan said. If not,
 * the old head goes back; but not when it was there at the start. */
static int switch_head(struct disc *disc, struct journal *journal, struct probe *ret_probe,
		       struct reason *why)
{
	bool was_there = finish_head_is_there(disc, journal);
	bool has_head = journal->head.length > 0; /* sequential media have none: the session itself counts */
	int ret = was_there || !has_head ? 0 : write_head(disc, &journal->head, &journal->old_head, why);

	if (ret == -ESTALE || ret == -ENOMEDIUM || ret == -EBUSY) /* nothing was written to the right one */
		return ret;
	if (ret == 0)
		ret = disc_probe(disc, ret_probe, why);
	if (ret == 0 && memcmp(ret_probe->disc.fingerprint, journal->fingerprint.data, FINGERPRINT_SIZE) == 0)
		return 0;
	if (ret == 0)
		ret = reason_set(why, EIO, "after the commit the disc is not what was written");
	probe_clear(ret_probe);
	if (!was_there && has_head)
		take_head_back(disc, journal, why);
	return ret;
}

int finish_session(struct disc *disc, struct journal *journal, const struct check_progress *progress,
		   struct reason *why)
{
	uint8_t old[FINGERPRINT_SIZE];
	struct reason unread = { 0 };
	struct probe probe CLEANUP(probe_clear) = { 0 };
	int ret;

	disc_renew_caches(disc, journal->start);
	ret = check_session(disc, journal->gen, journal->start, journal->start + journal->sectors, progress,
			    why);

	if (ret == 0)
		ret = finish_set_phase(&disc->tree, journal, PHASE_CHECKED, why);
	if (ret == 0)
		ret = switch_head(disc, journal, &probe, why);
	if (ret == 0) {
		journal->phase = PHASE_PUBLISHED; /* not stored: the publication ends the journal */
		ret = publish(disc, journal, why);
		if (ret < 0)
			disc->tree.broken = ret;
	}
	if (ret < 0)
		return ret;
	memcpy(old, disc->probe.disc.fingerprint, sizeof old);
	if (memcmp(old, journal->fingerprint.data, sizeof old) != 0)
		state_unlink(&disc->state, old);
	disc_set_probe(disc, &probe);
	if (disc_load_facts(disc, &unread) < 0)
		log_error("%s", unread.text); /* the session is good and published all the same */
	return 0;
}

void finish_spoilt(struct disc *disc, struct journal *journal, const struct reason *why)
{
	struct history entry = { .time = time(NULL),
				 .label = journal->label,
				 .start = journal->start,
				 .sectors = journal->sectors,
				 .err = why->err,
				 .message = why->text };
	bool touched = journal->phase >= PHASE_BURNING && disc_is_sequential(&disc->probe);
	int ret = touched ? disc_add_bad_session(disc, journal->start) : 0;

	if (ret < 0)
		log_error("that the session at sector %llu is bad can't be written down: %s",
			  (unsigned long long)journal->start, strerror(-ret));
	ret = thaw_generation(&disc->tree, journal->gen, &entry);
	if (ret < 0) {
		log_error("the staged work can't be joined again: %s; it is put right when the disc is "
			  "mounted again",
			  strerror(-ret));
		disc->tree.broken = ret;
	}
	/* A bad session may be what other readers see: the disc is still known by it. */
	if (!touched && journal->fingerprint.length == FINGERPRINT_SIZE &&
	    memcmp(journal->fingerprint.data, disc->probe.disc.fingerprint, FINGERPRINT_SIZE) != 0)
		state_unlink(&disc->state, journal->fingerprint.data);
}
