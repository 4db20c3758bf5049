/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/commit.h"

#include "base/exit_code.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "commit/finish.h"
#include "commit/plan.h"
#include "commit/publish.h"
#include "proc/flush.h"
#include "store/changes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What one commit works with. */
struct run {
	struct commit *commit;
	struct disc *disc;
	struct journal journal;
	struct probe probe;
	struct burn burn;
	bool frozen;
};

static void run_clear(struct run *run)
{
	burn_close(&run->burn);
	probe_clear(&run->probe);
	journal_clear(&run->journal);
}

/* What programs wrote may still be in the kernel's cache. */
static int sync_mount(struct commit *commit, struct reason *why)
{
	char mountpoint[PATH_LIMIT];
	int ret;

	{
		WITH_LOCK(&commit->lock);
		memcpy(mountpoint, commit->mountpoint, sizeof mountpoint);
	}
	if (!mountpoint[0])
		return 0;
	ret = flush_mount(mountpoint, -1, why); /* times too, but it doesn't wait for pages */
	commit->mount.call_in(commit->mount.self);
	return ret;
}

static int freeze(struct run *run, struct reason *why)
{
	struct tree *tree = &run->disc->tree;
	int ret =
	    tree->broken
		? reason_set(why, -tree->broken,
			     "the staged work in %s can't be changed any more (%s): unmount, and mount again",
			     run->disc->state.path, strerror(-tree->broken))
		: disc_check_same(run->disc, &run->probe, why);

	if (ret < 0)
		return ret;
	ret = freeze_generation(&run->disc->tree, &run->journal.gen);
	if (ret < 0)
		return reason_set(why, -ret, "the staged work can't be written to %s: %s",
				  run->disc->tree.db.path, strerror(-ret));
	run->frozen = true;
	return finish_set_phase(&run->disc->tree, &run->journal, PHASE_FROZEN, why);
}

static int read_old_head(struct run *run, struct reason *why)
{
	uint8_t *head AUTO_FREE = calloc(1, HEAD_BYTES);
	int64_t got = head ? fd_pread_full(run->disc->fd, head, HEAD_BYTES, 0) : -ENOMEM;

	if (got >= 0)
		got = blob_set(&run->journal.old_head, head, HEAD_BYTES);
	return got < 0 ? reason_set(why, (int)-got, "the disc's descriptors can't be read: %s",
				    strerror((int)-got))
		       : 0;
}

static int check_planned(const struct run *run, const struct verb_planned *planned, struct reason *why)
{
	const struct verb_disc *medium = &run->probe.disc;

	if (planned->start != medium->nwa || planned->sectors == 0 || planned->head_length != HEAD_BYTES)
		return reason_set(why, EPROTO, "the burn worker planned nonsense");
	if (medium->capacity && !range_within(planned->start, planned->sectors, medium->capacity))
		return reason_set(
		    why, ENOSPC,
		    "the session needs %llu sectors and the disc has room for %llu: delete or discard "
		    "something and commit again",
		    (unsigned long long)planned->sectors,
		    (unsigned long long)(medium->capacity - min_u64(medium->capacity, planned->start)));
	return 0;
}

static int plan(struct run *run, struct reason *why)
{
	const struct verb_disc *medium = &run->probe.disc;
	struct plan walk = { .gen = run->journal.gen };
	struct verb_job job = { .session = medium->base,
				.nwa = medium->nwa,
				.limit = medium->capacity,
				.has_base = medium->state != DISC_BLANK };
	struct verb_planned planned;
	int ret;

	progress_phase(&run->commit->progress, PHASE_FILLED, 0);
	memcpy(job.path, run->disc->path, sizeof job.path);
	snprintf(job.label, sizeof job.label, "%.32s", run->journal.label);
	ret = burn_start(&run->burn, run->disc->fd, run->disc->tree.spool.fd, &job, why);
	if (ret == 0)
		ret = plan_send(&run->disc->tree, &walk, &run->burn, why);
	if (ret == 0)
		ret = burn_plan(&run->burn, &planned, &run->journal.head, why);
	if (ret == 0)
		ret = check_planned(run, &planned, why);
	if (ret == 0)
		ret = read_old_head(run, why);
	if (ret < 0)
		return ret;
	run->journal.start = planned.start;
	run->journal.sectors = planned.sectors;
	if (blob_set(&run->journal.fingerprint, planned.fingerprint, FINGERPRINT_SIZE) < 0)
		return reason_set(why, ENOMEM, "out of memory");
	return finish_set_phase(&run->disc->tree, &run->journal, PHASE_PLANNED, why);
}

static void burn_step(void *self, const struct verb_progress *step)
{
	struct run *run = self;

	progress_total(&run->commit->progress, step->total);
	progress_step(&run->commit->progress, step->done, step->file ? (const char *)step->file : "",
		      step->file_length);
}

static int burn(struct run *run, struct reason *why)
{
	struct verb_written written;
	int ret = state_link(&run->disc->state, run->journal.fingerprint.data, why);

	if (ret == 0)
		ret = finish_set_phase(&run->disc->tree, &run->journal, PHASE_BURNING, why);
	if (ret < 0)
		return ret;
	progress_phase(&run->commit->progress, PHASE_BURNING, run->journal.sectors);
	ret = burn_go(&run->burn, burn_step, run, &written, why);
	if (ret == 0 && (written.start != run->journal.start || written.sectors != run->journal.sectors))
		ret =
		    reason_set(why, EIO, "the burn worker wrote %llu sectors instead of %llu",
			       (unsigned long long)written.sectors, (unsigned long long)run->journal.sectors);
	return ret < 0 ? ret : finish_set_phase(&run->disc->tree, &run->journal, PHASE_WRITTEN, why);
}

static void check_step(void *self, uint64_t done_bytes, const char *name, size_t length)
{
	struct run *run = self;

	progress_step(&run->commit->progress, done_bytes / SECTOR, name, length);
}

static int verify_and_publish(struct run *run, struct reason *why)
{
	struct check_progress progress = { .step = check_step, .self = run };

	progress_phase(&run->commit->progress, PHASE_WRITTEN, run->journal.sectors);
	return finish_session(run->disc, &run->journal, &progress, why);
}

/* For scripts: what kind of failure it was. */
static int exit_code_of(int err, enum phase phase)
{
	switch (err) {
	case 0:
		return EXIT_CODE_DONE;
	case ESTALE:
		return EXIT_CODE_WRONG_DISC;
	case ENOMEDIUM:
		return EXIT_CODE_NO_MEDIUM;
	case EROFS:
	case EMEDIUMTYPE:
		return EXIT_CODE_NOT_APPENDABLE;
	case ENOSPC:
	case EDQUOT:
		return EXIT_CODE_NO_ROOM;
	case EBUSY:
		return EXIT_CODE_BUSY;
	case ECANCELED:
		return EXIT_CODE_CANCELLED;
	default:
		return phase == PHASE_WRITTEN	? EXIT_CODE_VERIFY_FAILED
		       : phase >= PHASE_BURNING ? EXIT_CODE_BURN_FAILED
						: EXIT_CODE_SYSTEM;
	}
}

/* To a caller of write() or setxattr(): a bad session is EIO, whatever the detail was. */
static int errno_of(int err)
{
	return err == EBADMSG || err == EPROTO ? EIO : err;
}

static void tell_failure(struct run *run, const struct reason *why, struct commit_result *result)
{
	bool burned = run->journal.phase == PHASE_PUBLISHED; /* and the reason says what is left to do */
	const char *comfort = burned || why->err == ESTALE
				  ? ""
				  : ". The earlier sessions are as they were, and everything is still staged";

	result->err = errno_of(why->err);
	result->exit_code = exit_code_of(why->err, run->journal.phase);
	snprintf(result->message, sizeof result->message, "%.380s%s", why->text, comfort);
	log_error("commit failed: %s", result->message);
	if (run->frozen && !burned)
		finish_spoilt(run->disc, &run->journal, why);
}

/* What can't be flushed isn't counted: then the freeze says why. */
static bool anything_staged(struct disc *disc)
{
	struct changes_count count;

	return tree_flush(&disc->tree) < 0 || changes_count(&disc->tree, &count) < 0 ||
	       count.added + count.modified + count.deleted + count.renamed > 0;
}

static void conduct(struct commit *commit, const char *label, struct commit_result *result)
{
	struct run run CLEANUP(run_clear) = { .commit = commit, .disc = commit->disc };
	struct reason why = { 0 };
	int ret = 0;

	run.burn.child.link.fd = -1;
	snprintf(run.journal.label, sizeof run.journal.label, "%s", label);
	ret = sync_mount(commit, &why);
	if (ret == 0 && !anything_staged(commit->disc)) {
		snprintf(result->message, sizeof result->message, "Nothing is staged: nothing was burned");
		return;
	}
	if (ret == 0)
		ret = freeze(&run, &why);
	if (ret == 0)
		ret = plan(&run, &why);
	if (ret == 0)
		ret = burn(&run, &why);
	if (ret == 0)
		ret = verify_and_publish(&run, &why);
	if (ret < 0) {
		tell_failure(&run, &why, result);
		return;
	}
	WITH_LOCK(&commit->disc->lock);
	result->session = commit->disc->probe.sessions.count;
	result->start = run.journal.start;
	result->sectors = run.journal.sectors;
	finish_sentence(result->session, &run.journal, result->message, sizeof result->message);
	log_notice("%s", result->message);
}

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void conduct_request(struct commit *commit, uint64_t serial, const char *label)
{
	struct commit_result result = { .serial = serial };
	double began = now_seconds();

	conduct(commit, label, &result);
	result.seconds = now_seconds() - began;
	WITH_LOCK(&commit->lock);
	commit->last = result;
	commit->outcomes[serial % COMMIT_OUTCOMES] = result.err;
	progress_end(&commit->progress); /* who sees no work under way finds the result */
	commit->running = false;
	pthread_cond_broadcast(&commit->changed);
}

static void *conductor(void *self)
{
	struct commit *commit = self;

	for (;;) {
		char label[LABEL_LIMIT + 1];
		uint64_t serial;

		{
			WITH_LOCK(&commit->lock);
			while (!commit->running && !commit->stopping)
				pthread_cond_wait(&commit->changed, &commit->lock);
			if (!commit->running)
				return NULL;
			serial = commit->requested;
			memcpy(label, commit->label, sizeof label);
		}
		conduct_request(commit, serial, label);
	}
}

int commit_open(struct commit *commit, struct disc *disc, const char *mountpoint,
		const struct commit_mount *mount)
{
	*commit = (struct commit){ .disc = disc, .mount = *mount };
	snprintf(commit->mountpoint, sizeof commit->mountpoint, "%s", mountpoint);
	pthread_mutex_init(&commit->lock, NULL);
	pthread_cond_init(&commit->changed, NULL);
	progress_init(&commit->progress);
	return -pthread_create(&commit->thread, NULL, conductor, commit);
}

void commit_close(struct commit *commit)
{
	{
		WITH_LOCK(&commit->lock);
		commit->stopping = true;
		pthread_cond_broadcast(&commit->changed);
	}
	pthread_join(commit->thread, NULL);
}

int commit_request(struct commit *commit, const char *label, uint64_t *ret_serial)
{
	if (strlen(label) > LABEL_LIMIT || !text_is_printable(label, strlen(label)))
		return -EINVAL;
	if (commit->disc->read_only)
		return -EROFS;
	WITH_LOCK(&commit->lock);
	if (commit->running || commit->stopping)
		return -EBUSY;
	commit->running = true;
	*ret_serial = ++commit->requested;
	progress_begin(&commit->progress, *ret_serial); /* from now on: who asks next finds work under way */
	snprintf(commit->label, sizeof commit->label, "%s", label);
	pthread_cond_broadcast(&commit->changed);
	return 0;
}

int commit_wait(struct commit *commit, uint64_t serial)
{
	WITH_LOCK(&commit->lock);
	while (commit->last.serial < serial)
		pthread_cond_wait(&commit->changed, &commit->lock);
	return -commit->outcomes[serial % COMMIT_OUTCOMES]; /* the next commit may be over already */
}

void commit_settle(struct commit *commit)
{
	WITH_LOCK(&commit->lock);
	while (commit->running)
		pthread_cond_wait(&commit->changed, &commit->lock);
}

void commit_last(struct commit *commit, struct commit_result *ret)
{
	WITH_LOCK(&commit->lock);
	*ret = commit->last;
}

void commit_unmounted(struct commit *commit)
{
	WITH_LOCK(&commit->lock);
	commit->mountpoint[0] = '\0';
}
