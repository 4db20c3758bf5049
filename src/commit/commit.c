/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/commit.h"

#include "base/exit_code.h"
#include "base/log.h"
#include "base/text.h"
#include "commit/conduct.h"
#include "commit/handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *commit_op(const struct commit_wish *wish)
{
	return wish->dry_run ? "dry-run" : wish->simulate ? "simulate" : wish->to[0] ? "to-file" : "commit";
}

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void keep_result(struct commit *commit, const struct commit_wish *wish,
			const struct commit_result *result)
{
	WITH_LOCK(&commit->lock);
	commit->last = commit->recent[result->serial % COMMIT_RECENT] = *result;
	if (wish->dry_run)
		commit->tried = *result;
	commit->outcomes[result->serial % COMMIT_OUTCOMES] = result->err;
	progress_end(&commit->progress); /* who sees no work under way finds the result */
	commit->running = false;
	pthread_cond_broadcast(&commit->changed);
}

static void conduct_request(struct commit *commit, uint64_t serial, const struct commit_wish *wish)
{
	struct commit_result result = { .serial = serial, .op = commit_op(wish) };
	double began = now_seconds();

	memcpy(result.id, wish->id, sizeof result.id);

	if (wish->dry_run) {
		WITH_LOCK(&commit->lock);
		trial_clear(&commit->trial);
		boot_images_clear(&commit->trial_boot);
	}
	conduct(commit, wish, &result);
	result.seconds = now_seconds() - began;
	keep_result(commit, wish, &result);
	commit->mount.ended(commit->mount.self, &result);
}

static void *conductor(void *self)
{
	struct commit *commit = self;

	for (;;) {
		struct commit_wish wish;
		uint64_t serial;

		{
			WITH_LOCK(&commit->lock);
			while (!commit->running && !commit->stopping)
				pthread_cond_wait(&commit->changed, &commit->lock);
			if (!commit->running)
				return NULL;
			serial = commit->requested;
			wish = commit->wish;
		}
		conduct_request(commit, serial, &wish);
	}
}

/* What became of a commit that an earlier daemon didn't see the end of is the first result. */
static void tell_recovered(struct commit *commit)
{
	const struct recovered *recovered = &commit->disc->recovered;
	struct commit_result *last = &commit->last;

	if (!recovered->message[0])
		return;
	*last = (struct commit_result){ .serial = ++commit->requested,
					.op = "commit",
					.err = recovered->err,
					.exit_code = (int)exit_code_of_errno(recovered->err),
					.verified = recovered->err == 0,
					.session = recovered->session,
					.start = recovered->start,
					.sectors = recovered->sectors };
	snprintf(last->message, sizeof last->message, "%s", recovered->message);
	commit->recent[last->serial % COMMIT_RECENT] = *last;
}

int commit_open(struct commit *commit, struct disc *disc, const char *mountpoint,
		const struct commit_mount *mount)
{
	*commit = (struct commit){ .disc = disc, .mount = *mount };
	snprintf(commit->mountpoint, sizeof commit->mountpoint, "%s", mountpoint);
	pthread_mutex_init(&commit->lock, NULL);
	pthread_cond_init(&commit->changed, NULL);
	progress_init(&commit->progress);
	tell_recovered(commit);
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
	trial_clear(&commit->trial);
	boot_images_clear(&commit->trial_boot);
}

/* What a drive is to do says nothing to a file. */
static bool is_possible(const struct commit_wish *wish)
{
	if (!text_is_printable(wish->label, strnlen(wish->label, sizeof wish->label)))
		return false;
	if (!wish->to[0])
		return !wish->force;
	return wish->to[0] == '/' && !wish->finalize && !wish->simulate && !wish->stream && !wish->speed_kbps;
}

int commit_request(struct commit *commit, const struct commit_wish *wish, uint64_t *ret_serial)
{
	if (!is_possible(wish))
		return -EINVAL;
	if (commit->disc->read_only)
		return -EROFS;
	WITH_LOCK(&commit->lock);
	if (commit->running || commit->stopping)
		return -EBUSY;
	commit->running = true;
	atomic_store(&commit->cancelled, false);
	*ret_serial = ++commit->requested;
	progress_begin(&commit->progress, *ret_serial); /* from now on: who asks next finds work under way */
	commit->wish = *wish;
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

int commit_cancel(struct commit *commit)
{
	uint64_t serial;

	{
		WITH_LOCK(&commit->lock);
		if (!commit->running)
			return -ESRCH;
		atomic_store(&commit->cancelled, true);
		serial = commit->requested;
	}
	return commit_wait(commit, serial) == -ECANCELED ? 0 : -EALREADY;
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

void commit_each_recent(struct commit *commit, void (*each)(void *self, const struct commit_result *result),
			void *self)
{
	WITH_LOCK(&commit->lock);
	for (uint64_t ago = COMMIT_RECENT; ago-- > 0;) {
		uint64_t serial = commit->last.serial - ago;
		const struct commit_result *result = &commit->recent[serial % COMMIT_RECENT];

		if (commit->last.serial > ago && result->serial == serial)
			each(self, result);
	}
}

/* As the session will have it: see set_names() in disc/iso_write. */
static void keep_label(const struct commit *commit, char ret[LABEL_LIMIT + 1])
{
	const struct disc *disc = commit->disc;

	WITH_LOCK(&commit->disc->lock);
	snprintf(ret, LABEL_LIMIT + 1, "%s",
		 commit->wish.label[0] ? commit->wish.label
		 : disc->label[0]      ? disc->label
				       : LABEL_NONE);
}

void commit_keep_trial(struct commit *commit, uint32_t gen)
{
	CLEANUP(trial_clear) struct trial trial = { 0 };
	CLEANUP(boot_images_clear) struct boot_images boot = { 0 };
	int ret = trial_make(&commit->disc->tree, gen, &commit->disc->formats, &commit->cancelled, &trial);
	struct reason why = { 0 };

	if (ret < 0 && ret != -ECANCELED)
		log_error("what the session can't hold isn't known: %s", strerror(-ret));
	if (boot_decide(commit->disc, gen, &boot, &why) < 0) /* the plan is going to say so */
		boot_images_clear(&boot);
	keep_label(commit, trial.label);
	WITH_LOCK(&commit->lock);
	boot_images_clear(&commit->trial_boot);
	commit->trial_boot = boot;
	boot = (struct boot_images){ 0 };
	trial_clear(&commit->trial);
	commit->trial = trial;
	commit->trial.serial = ret < 0 ? 0 : commit->requested;
	trial = (struct trial){ 0 };
}

void commit_trial_without_udf(struct commit *commit)
{
	WITH_LOCK(&commit->lock);
	trial_drop_udf(&commit->trial);
}

int commit_hand_over(struct commit *commit, bool on)
{
	int ret;

	if (commit->handed_over == on)
		return 0;
	ret = handover_set(commit->disc, on);
	if (ret == 0)
		commit->handed_over = on;
	return ret;
}

void commit_unmounted(struct commit *commit)
{
	WITH_LOCK(&commit->lock);
	commit->mountpoint[0] = '\0';
}
