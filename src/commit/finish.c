/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/finish.h"

#include "base/fault.h"
#include "base/log.h"
#include "commit/boot.h"
#include "commit/phases.h"
#include "commit/shelve.h"
#include "proc/burn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

/* Should it be cut off in the middle, the entry leads back to this journal. */
static int write_head(struct disc *disc, const struct blob *head, const struct blob *before,
		      struct reason *why)
{
	int ret = state_mark_switch(&disc->state, why);

	return ret < 0 ? ret : head_run(disc->fd, disc->path, head, disc->is_drive ? before : NULL, why);
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

/* From here on the session is good and published, whatever can't be tidied up. */
static void settle(struct disc *disc, struct journal *journal, struct probe *probe)
{
	struct reason untidy = { 0 };

	disc_set_probe(disc, probe);
	boot_measure(disc);
	if (phase_sweep(disc, journal, &untidy) < 0 || shelve_disc(disc, &untidy) < 0)
		log_error("%s", untidy.text);
	shelve_origin_here(disc);
}

static void tell_writing(const struct check_progress *progress, bool on)
{
	if (progress->writing)
		progress->writing(progress->self, on);
}

int finish_session(struct disc *disc, struct journal *journal, const struct check_progress *progress,
		   struct reason *why)
{
	struct probe probe CLEANUP(probe_clear) = { 0 };
	int ret = fault_point(FAULT_CHECK_START);

	if (ret < 0)
		return reason_set(why, -ret, "the session can't be read back: %s", strerror(-ret));
	disc_renew_caches(disc, journal->start);
	ret = check_session(disc, journal->gen, journal->start, journal->start + journal->sectors,
			    &journal->front, progress, why);
	if (ret == 0 && journal->phase == PHASE_WRITTEN)
		ret = phase_to_checked(disc, journal, why);
	if (ret == 0) {
		tell_writing(progress, true);
		ret = switch_head(disc, journal, &probe, why);
		tell_writing(progress, false);
	}
	if (ret == 0)
		ret = phase_to_published(disc, journal, why);
	if (ret == 0)
		settle(disc, journal, &probe);
	return ret;
}

void finish_badly(struct disc *disc, struct journal *journal, const struct reason *cause)
{
	bool burned = journal->phase >= PHASE_BURNING;
	struct reason why = { 0 };
	int ret = burned && journal->phase != PHASE_SPOILT ? phase_to_spoilt(disc, journal, cause, &why) : 0;

	if (ret == 0)
		ret = phase_undo(disc, journal, burned ? NULL : cause, &why);
	if (ret < 0)
		log_error("%s", why.text);
}
