/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/conduct.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/sg.h"
#include "commit/away.h"
#include "commit/boot.h"
#include "commit/damage.h"
#include "commit/dedupe.h"
#include "commit/failure.h"
#include "commit/fill.h"
#include "commit/finish.h"
#include "commit/lost_state.h"
#include "commit/outfile.h"
#include "commit/phases.h"
#include "commit/plan.h"
#include "commit/prepare.h"
#include "commit/remark.h"
#include "proc/burn.h"
#include "proc/flush.h"
#include "store/changes.h"
#include "store/lost.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What one commit works with. */
struct run {
	struct commit *commit;
	struct disc *disc;
	const struct commit_wish *wish;
	struct journal journal;
	struct probe probe;
	struct burn burn;
	struct outfile file;
	struct boot_images boot;	 /* of the planned session */
	uint8_t print[FINGERPRINT_SIZE]; /* and what it's known by */
	struct dedupe_saved saved;
	bool prepared; /* the disc was closed or formatted before, or that failed */
};

static void run_clear(struct run *run)
{
	burn_close(&run->burn);
	outfile_close(&run->file);
	boot_images_clear(&run->boot);
	probe_clear(&run->probe);
	journal_clear(&run->journal);
}

static bool is_cancelled(const struct run *run)
{
	return atomic_load(&run->commit->cancelled);
}

/* Between two steps before the first sector. */
static int go_on(const struct run *run, int ret, struct reason *why)
{
	return ret == 0 && is_cancelled(run)
		   ? reason_set(why, ECANCELED, "cancelled before anything was burned")
		   : ret;
}

static void copy_mountpoint(struct commit *commit, char ret[PATH_LIMIT])
{
	WITH_LOCK(&commit->lock);
	memcpy(ret, commit->mountpoint, PATH_LIMIT);
}

/* What programs wrote may still be in the kernel's cache. Of a write that was refused long ago Linux tells
 * once more, whoever syncs next; the file is known (store/lost.h). */
static int sync_mount(struct commit *commit, struct reason *why)
{
	char mountpoint[PATH_LIMIT];
	struct reason first = { 0 };
	int ret;

	copy_mountpoint(commit, mountpoint);
	if (!mountpoint[0])
		return 0;
	ret = flush_mount(mountpoint, -1, &first); /* times too, but it doesn't wait for pages */
	if (ret < 0)
		ret = flush_mount(mountpoint, -1, why);
	commit->mount.call_in(commit->mount.self);
	return ret;
}

static int freeze(struct run *run, struct reason *why)
{
	struct tree *tree = &run->disc->tree;
	int ret = lost_state_check(run->disc, why);

	if (ret == 0 && tree->broken)
		ret = reason_set(
		    why, -tree->broken,
		    "the staged work in %s can't be changed any more (%s): unmount, and mount again",
		    run->disc->state.path, strerror(-tree->broken));
	if (ret == 0)
		ret = disc_check_same(run->disc, &run->probe, why);
	if (ret < 0)
		return ret;
	return phase_to_frozen(run->disc, &run->journal, why);
}

static int64_t read_head(const struct run *run, uint8_t *head)
{
	if (!run->disc->is_drive)
		return fd_pread_full(run->disc->fd, head, HEAD_BYTES, 0);
	return sg_read(run->disc->fd, 0, HEAD_SECTORS, head);
}

static int read_old_head(struct run *run, struct reason *why)
{
	uint8_t *head AUTO_FREE = calloc(1, HEAD_BYTES);
	int64_t got = head ? read_head(run, head) : -ENOMEM;

	if (got >= 0)
		got = blob_set(&run->journal.old_head, head, HEAD_BYTES);
	return got < 0 ? reason_set(why, (int)-got, "the disc's descriptors can't be read: %s",
				    strerror((int)-got))
		       : 0;
}

static int check_planned(const struct run *run, const struct verb_planned *planned, struct reason *why)
{
	size_t head_length = disc_is_sequential(&run->probe) ? 0 : HEAD_BYTES;
	uint64_t start = run->probe.disc.nwa, end = disc_limit(&run->probe);

	if (planned->start != start || planned->sectors == 0 || planned->head_length != head_length)
		return reason_set(why, EPROTO, "the burn worker planned nonsense");
	if (end && !range_within(planned->start, planned->sectors, end))
		return reason_set(
		    why, ENOSPC,
		    "the session needs %llu sectors and the disc has room for %llu: delete or discard "
		    "something and commit again",
		    (unsigned long long)planned->sectors, (unsigned long long)(end - min_u64(end, start)));
	return 0;
}

/* A dry run writes nothing anywhere. */
static bool is_to_file(const struct run *run)
{
	return run->wish->to[0] && !run->wish->dry_run;
}

static void make_job(const struct run *run, struct verb_job *ret)
{
	const struct verb_disc *medium = &run->probe.disc;

	*ret = (struct verb_job){
		.session = medium->base,
		.nwa = medium->nwa,
		.recorded = min_u64(medium->recorded, run->disc->image_sectors),
		.limit = disc_limit(&run->probe),
		.has_base = medium->state != DISC_BLANK,
		.is_drive = run->disc->is_drive,
		.sequential = disc_is_sequential(&run->probe),
		.finalize = run->wish->finalize || run->probe.facts.drive.single,
		.simulate = run->wish->simulate,
		.stream = run->wish->stream,
		.to_file = is_to_file(run),
		.joliet = run->disc->formats.joliet,
		.udf = run->disc->formats.udf,
		.udf_links = run->disc->formats.udf_links,
		.inherit = disc_is_inheritable(run->disc),
		.boot_anew = run->boot.anew,
		.speed_kbps = run->wish->speed_kbps,
	};
	memcpy(ret->path, run->disc->path, sizeof ret->path);
	snprintf(ret->label, sizeof ret->label, "%.32s", run->journal.label);
}

static int plan(struct run *run, struct reason *why)
{
	struct plan walk = { .gen = run->journal.gen };
	struct verb_planned planned;
	struct verb_job job;
	int ret;

	progress_phase(&run->commit->progress, PHASE_FILLED, 0);
	ret = boot_decide(run->disc, run->journal.gen, &run->boot, why);
	if (ret < 0)
		return ret;
	make_job(run, &job);
	ret =
	    burn_start(&run->burn, run->disc->fd, run->disc->tree.spool.fd, run->file.session.fd, &job, why);
	if (ret == 0)
		ret = plan_send(&run->disc->tree, &walk, &run->burn, why);
	if (ret == 0)
		ret = boot_send(&run->boot, &run->burn, why);
	if (ret == 0)
		ret = burn_plan(&run->burn, &planned, &run->journal.head, why);
	if (ret == 0)
		ret = check_planned(run, &planned, why);
	if (ret == 0 && !job.sequential && !run->wish->dry_run &&
	    !job.to_file) /* then it may not even be formatted */
		ret = read_old_head(run, why);
	if (ret < 0)
		return ret;
	run->journal.start = planned.start;
	run->journal.sectors = planned.sectors;
	memcpy(run->print, planned.print, sizeof run->print);
	if (blob_set(&run->journal.fingerprint, planned.fingerprint, FINGERPRINT_SIZE) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	return phase_to_planned(run->disc, &run->journal, why);
}

static int fill_step(void *self, uint64_t done, uint64_t total)
{
	struct run *run = self;

	progress_total(&run->commit->progress, total / SECTOR);
	progress_step(&run->commit->progress, done / SECTOR, NULL, 0);
	return is_cancelled(run);
}

static int dedupe(struct run *run, struct reason *why)
{
	const struct fill_progress progress = { fill_step, run };

	progress_phase(&run->commit->progress, PHASE_FILLED, 0);
	return dedupe_generation(run->disc, run->journal.gen, &progress, &run->saved, why);
}

/* What of the old content the session needs is fetched before the drive has other things to do. */
static int fill(struct run *run, struct reason *why)
{
	const struct fill_progress progress = { fill_step, run };

	if (!disc_burns_blind(run->disc) || run->wish->dry_run)
		return 0;
	progress_phase(&run->commit->progress, PHASE_FILLED, 0);
	return fill_generation(run->disc, run->journal.gen, &progress, why);
}

static int burn_step(void *self, const struct verb_progress *step)
{
	struct run *run = self;

	progress_total(&run->commit->progress, step->total);
	progress_step(&run->commit->progress, step->done, step->file ? (const char *)step->file : "",
		      step->file_length);
	return is_cancelled(run);
}

static void writing(void *self, bool on)
{
	const struct run *run = self;

	run->commit->mount.writing(run->commit->mount.self, on);
}

/* While it burns, nobody may read a disc that can't be read then. */
static int go(struct run *run, struct verb_written *ret_written, struct reason *why)
{
	struct disc_reader *reader = &run->disc->tree.disc;
	int ret;

	if (is_cancelled(run)) /* the last moment at which nothing was written */
		return reason_set(why, ECANCELED, "cancelled before anything was burned");
	if (disc_burns_blind(run->disc))
		disc_reader_hold(reader);
	progress_phase(&run->commit->progress, PHASE_BURNING, run->journal.sectors);
	writing(run, true);
	ret = burn_go(&run->burn, burn_step, run, ret_written, why);
	writing(run, false);
	disc_reader_release(reader);
	return ret;
}

static int burn(struct run *run, struct reason *why)
{
	struct verb_written written;
	int ret = phase_to_burning(run->disc, &run->journal, why);

	if (ret < 0)
		return ret;
	ret = go(run, &written, why);
	if (ret == 0 && (written.start != run->journal.start || written.sectors != run->journal.sectors))
		ret =
		    reason_set(why, EIO, "the burn worker wrote %llu sectors instead of %llu",
			       (unsigned long long)written.sectors, (unsigned long long)run->journal.sectors);
	if (ret == 0)
		run->journal.front = written.front;
	return ret < 0 ? ret : phase_to_written(run->disc, &run->journal, why);
}

static int check_step(void *self, uint64_t done_bytes, const char *name, size_t length)
{
	struct run *run = self;

	progress_step(&run->commit->progress, done_bytes / SECTOR, name, length);
	return is_cancelled(run);
}

/* To be burned elsewhere: nothing is published, and for whatever dies meanwhile there's nothing to be done.
 */
static int write_file(struct run *run, struct reason *why)
{
	struct verb_written written;
	int ret;

	progress_phase(&run->commit->progress, PHASE_BURNING, run->journal.sectors);
	ret = burn_go(&run->burn, burn_step, run, &written, why);
	ret = go_on(run, ret, why);
	if (ret == 0)
		ret = away_note(run->disc, run->print, why);
	return ret < 0 ? ret : outfile_finish(&run->file, run->disc, &run->journal.head, why);
}

static int open_file(struct run *run, struct reason *why)
{
	char mountpoint[PATH_LIMIT];
	const struct outfile_wish wish = { .path = run->wish->to,
					   .mountpoint = mountpoint,
					   .replace = run->wish->force };

	if (!is_to_file(run))
		return 0;
	copy_mountpoint(run->commit, mountpoint);
	return outfile_open(&run->file, &wish, run->disc, why);
}

/* The drive did as if: the medium is as it was. */
static int simulate(struct run *run, struct reason *why)
{
	struct verb_written written;

	return go(run, &written, why);
}

static int verify_and_publish(struct run *run, struct reason *why)
{
	struct check_progress progress = {
		.step = check_step, .writing = writing, .self = run, .names_only = run->wish->no_verify
	};

	progress_phase(&run->commit->progress, PHASE_WRITTEN, run->journal.sectors);
	return finish_session(run->disc, &run->journal, &progress, why);
}

/* What a failed burn left on the disc takes room, and moves the NWA. */
static int look_again(struct disc *disc)
{
	struct probe probe = { 0 };
	struct reason why = { 0 };

	if (disc_check_same(disc, &probe, &why) == 0)
		disc_set_probe(disc, &probe);
	return why.err == ESTALE || why.err == ENOMEDIUM ? why.err : 0;
}

static void tell_failure(struct run *run, const struct reason *why, struct commit_result *result)
{
	struct disc *disc = run->disc;
	struct failure failure = {
		.why = why,
		.phase = run->journal.phase,
		.touched = run->prepared || run->journal.phase >= PHASE_BURNING,
		.sequential = disc_is_sequential(&run->probe),
		.had_sessions = run->probe.sessions.count > 0,
		.unsettled = disc->tree.broken != 0,
		.image = !disc->is_drive,
	};

	if (run->journal.phase != PHASE_IDLE && !failure.unsettled)
		finish_badly(disc, &run->journal, why);
	if (disc->is_drive && failure.touched)
		failure.now = look_again(disc);
	failure.closed = failure.sequential && disc->probe.disc.state == DISC_CLOSED;
	result->err = failure_errno(&failure);
	result->exit_code = failure_exit_code(&failure);
	failure_sentence(&failure, result->message, sizeof result->message);
	log_error("commit failed: %s", result->message);
}

/* What can't be flushed isn't counted: then the freeze says why. */
static bool anything_staged(struct disc *disc)
{
	struct changes_count count;

	return tree_flush(&disc->tree) < 0 || changes_count(&disc->tree, &count) < 0 ||
	       changes_any(&count) > 0;
}

static void tell_idle(struct disc *disc, struct commit_result *result)
{
	struct changes_count count;
	bool litter = changes_count(&disc->tree, &count) == 0 && count.litter;

	snprintf(result->message, sizeof result->message, "Nothing is staged%s: nothing was burned",
		 litter ? " but litter, which stays here" : "");
}

static int check_wish(const struct run *run, struct reason *why)
{
	const struct verb_drive *drive = &run->probe.facts.drive;
	int ret = run->wish->dry_run ? 0 : damage_allows(run->disc, run->wish->damaged, why);

	if (ret == 0 && !run->wish->dry_run) /* that lists them first */
		ret = lost_refuse(&run->disc->tree, run->journal.gen, why);
	if (ret < 0)
		return ret;
	if (run->wish->simulate && !(run->disc->is_drive && drive->simulates))
		return reason_set(why, EMEDIUMTYPE,
				  "this medium can't be written in pretence: only CD-R, CD-RW, DVD-R and "
				  "sequential DVD-RW in a drive can (--dry-run tells sizes)");
	if (run->wish->finalize && !disc_is_sequential(&run->probe))
		return reason_set(
		    why, EMEDIUMTYPE,
		    "an overwriteable medium or image file can't be closed: there is nothing to "
		    "finalize");
	if (run->wish->to[0] && drive->damaged)
		return reason_set(why, EMEDIUMTYPE,
				  "a burn was broken off on this disc, and where the next session begins is "
				  "known only when that is closed: commit to the disc itself");
	return 0;
}

/* Ends a run that wasn't meant to change the medium. */
static void thaw(struct run *run)
{
	struct reason why = { 0 };

	if (phase_undo(run->disc, &run->journal, NULL, &why) < 0)
		log_error("%s", why.text);
}

static void tell_trial(struct run *run, struct commit_result *result)
{
	uint64_t end = disc_limit(&run->probe);
	char size[16], left[16] = "";

	text_size(size, run->journal.sectors * SECTOR);
	if (end)
		text_size(left, (end - run->journal.start - run->journal.sectors) * SECTOR);
	result->start = run->journal.start;
	result->sectors = run->journal.sectors;
	snprintf(result->message, sizeof result->message, "%s: the session takes %s%s%s; nothing was written",
		 run->wish->dry_run ? "It fits" : "The drive has written it in pretence without an error",
		 size, end ? ", and leaves " : "", left);
	remark_saved(&run->saved, result);
	remark_no_udf(run->burn.no_udf, result);
	if (run->wish->dry_run && run->burn.no_udf[0])
		commit_trial_without_udf(run->commit);
	log_notice("%s", result->message);
	thaw(run);
}

static void tell_file(struct run *run, struct commit_result *result)
{
	bool blank = run->probe.disc.state == DISC_BLANK;
	struct text burn AUTO_TEXT = { 0 };

	outfile_how(run->disc, run->wish->to, run->journal.start, &burn);
	if (!burn.failed && burn.length < sizeof result->burn)
		memcpy(result->burn, burn.data, burn.length + 1);
	result->start = run->journal.start;
	result->sectors = run->journal.sectors;
	result->has_head = outfile_has_head(run->disc);
	snprintf(result->file, sizeof result->file, "%s", run->wish->to);
	snprintf(
	    result->message, sizeof result->message,
	    blank
		? "The whole disc is in %.200s: %llu sectors, to be burned to a blank one from sector %llu on"
		: "The session is in %.200s: %llu sectors, made for this disc, and there for sector %llu",
	    result->file, (unsigned long long)(run->journal.sectors + (blank ? run->journal.start : 0)),
	    (unsigned long long)(blank ? 0 : run->journal.start));
	remark_saved(&run->saved, result);
	remark_no_udf(run->burn.no_udf, result);
	log_notice("%s", result->message);
	thaw(run);
}

static void tell_success(struct run *run, struct commit_result *result)
{
	WITH_LOCK(&run->disc->lock);
	result->session = run->disc->probe.sessions.count;
	result->start = run->journal.start;
	result->sectors = run->journal.sectors;
	result->verified = !run->journal.unverified;
	result->worker_kib = run->burn.child.peak_kib;
	phase_sentence(result->session, &run->journal, result->message, sizeof result->message);
	remark_saved(&run->saved, result);
	remark_carried(run->disc->carried_files, result);
	remark_no_udf(run->burn.no_udf, result);
	result->anchor_stale = run->disc->probe.disc.anchor_stale;
	if (result->anchor_stale)
		remark(COMMIT_ANCHOR_STALE, result);
	log_notice("%s", result->message);
}

/* All that was staged turned out to be as the disc has it, times and modes too; and nothing came since. */
static bool nothing_left(struct run *run)
{
	struct tree *tree = &run->disc->tree;
	int64_t newest;

	if (run->saved.files == 0 || run->wish->finalize || anything_staged(run->disc))
		return false;
	WITH_LOCK(&tree->lock);
	newest = db_int(&tree->db, QUERY_MAX_GEN);
	return newest >= 0 && (newest <= run->journal.gen || atomic_load(&tree->held_back));
}

static void tell_nothing(struct run *run, struct commit_result *result)
{
	result->saved_files = run->saved.files;
	result->saved_sectors = run->saved.sectors;
	snprintf(result->message, sizeof result->message,
		 "All that is staged is on the disc already: nothing was burned");
	log_notice("%s", result->message);
	thaw(run);
}

/* What got a boot information table isn't any more what the kernel has of it. */
static void forget_patched(struct run *run)
{
	const struct commit_mount *mount = &run->commit->mount;
	char mountpoint[PATH_LIMIT];

	copy_mountpoint(run->commit, mountpoint);
	if (!mountpoint[0])
		return;
	vec_each (&run->boot.list, image)
		if (image->again)
			mount->forget(mount->self, image->ino);
}

static int prepare(struct run *run, struct reason *why)
{
	int ret;

	writing(run, true); /* to format a disc, or to close a track, takes minutes */
	ret = prepare_medium(run->disc, &run->probe, &run->prepared, why);
	writing(run, false);
	return ret;
}

/* What is staged comes to rest, and to the least that must be burned. */
static int get_still(struct run *run, struct reason *why)
{
	bool trial = run->wish->dry_run || run->wish->simulate || run->wish->to[0];
	int ret = freeze(run, why);

	ret = go_on(run, ret, why);
	if (ret == 0)
		ret = check_wish(run, why);
	if (ret == 0 && !trial)
		ret = prepare(run, why);
	ret = go_on(run, ret, why);
	if (ret == 0)
		ret = dedupe(run, why);
	return go_on(run, ret, why);
}

/* Everything from there up to the plan. */
static int get_ready(struct run *run, struct reason *why)
{
	int ret = fill(run, why);

	ret = go_on(run, ret, why);
	if (ret == 0)
		ret = phase_to_filled(run->disc, &run->journal, why);
	if (ret == 0)
		ret = plan(run, why);
	return go_on(run, ret, why);
}

void conduct(struct commit *commit, const struct commit_wish *wish, struct commit_result *result)
{
	struct run run CLEANUP(run_clear) = { .commit = commit, .disc = commit->disc, .wish = wish };
	struct reason why = { 0 };
	int ret = 0;

	run.burn.child.link.fd = -1;
	run.file = (struct outfile)OUTFILE_NONE;
	snprintf(run.journal.label, sizeof run.journal.label, "%s", wish->label);
	run.journal.unverified = wish->no_verify;
	ret = sync_mount(commit, &why);
	if (ret == 0 && !wish->finalize && !anything_staged(commit->disc)) {
		tell_idle(commit->disc, result);
		return;
	}
	if (ret == 0)
		ret = open_file(&run, &why);
	if (ret == 0)
		ret = get_still(&run, &why);
	if (ret == 0 && nothing_left(&run)) {
		tell_nothing(&run, result);
		return;
	}
	if (ret == 0 && wish->dry_run) {
		commit_keep_trial(commit, run.journal.gen);
		ret = lost_refuse(&commit->disc->tree, run.journal.gen, &why);
	}
	if (ret == 0)
		ret = get_ready(&run, &why);
	if (ret == 0 && wish->simulate)
		ret = simulate(&run, &why);
	if (ret == 0 && (wish->dry_run || wish->simulate)) {
		tell_trial(&run, result);
		return;
	}
	if (ret == 0 && is_to_file(&run)) {
		ret = write_file(&run, &why);
		if (ret == 0) {
			tell_file(&run, result);
			return;
		}
	}
	if (ret == 0)
		ret = burn(&run, &why);
	if (ret == 0)
		ret = verify_and_publish(&run, &why);
	if (ret == 0)
		forget_patched(&run);
	if (ret < 0) {
		reason_set(&why, -ret, "%s", strerror(-ret)); /* where nobody said why: it mustn't pass */
		tell_failure(&run, &why, result);
	} else {
		tell_success(&run, result);
	}
}
