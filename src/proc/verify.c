/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/verify.h"

#include "proc/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define VERIFY_TIMEOUT_MS 600000 /* a drive tries for a minute to read one scratched sector */
#define SECTORS_LIMIT	  (1ull << 40)
#define BYTES_LIMIT	  (1ull << 60)

struct verifying {
	const struct verify_request *request;
	const struct verify_watch *watch;
	void *self;
	size_t at;	  /* the session that is being checked */
	uint64_t damages; /* told of it */
	uint64_t files;	  /* among them */
	uint64_t told;	  /* of all */
	uint64_t taught;  /* sums */
};

static volatile sig_atomic_t running; /* pid of the worker */
static volatile sig_atomic_t stopped;

void verify_stop(void)
{
	stopped = 1;
	if (running > 0)
		kill(running, SIGKILL);
}

static int nonsense(struct reason *why, const char *what)
{
	return reason_set(why, EPROTO, "The verify worker talks nonsense: %s", what);
}

static const struct verb_session *session_now(const struct verifying *verifying)
{
	return &verifying->request->sessions[verifying->at];
}

static int take_progress(struct verifying *verifying, struct msg *msg, struct reason *why)
{
	struct verb_progress progress;

	if (!get_progress(msg, &progress) || progress.done > progress.total || progress.total > SECTORS_LIMIT)
		return nonsense(why, "a progress that can't be");
	verifying->watch->progress(verifying->self, session_now(verifying), &progress);
	return 0;
}

static int take_damaged(struct verifying *verifying, struct msg *msg, struct reason *why)
{
	struct verb_damaged damaged;

	if (!get_damaged(msg, &damaged) || damaged.session != session_now(verifying)->number ||
	    (damaged.path_length &&
	     (damaged.path[0] != '/' || memchr(damaged.path, '\0', damaged.path_length))))
		return nonsense(why, "a malformed damage");
	if (verifying->told++ >= DAMAGES_LIMIT)
		return nonsense(why, "too many damages");
	verifying->damages++;
	verifying->files += damaged.what == DAMAGED_FILE;
	verifying->watch->damaged(verifying->self, &damaged);
	return 0;
}

/* Each of the three, so that sums can't wrap. */
static bool counts_fit(const struct verb_checked *checked)
{
	const uint64_t files[] = { checked->good_files, checked->unsummed_files, checked->damaged_files };
	const uint64_t bytes[] = { checked->good_bytes, checked->unsummed_bytes, checked->damaged_bytes };
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (files[i] > VERIFY_NAMES_LIMIT || bytes[i] > BYTES_LIMIT)
			return false;
		sum += files[i];
	}
	return sum <= VERIFY_NAMES_LIMIT && checked->shared_files <= sum &&
	       checked->again_files <= checked->damaged_files &&
	       checked->damages <= 2ull * VERIFY_NAMES_LIMIT;
}

static int take_sum(struct verifying *verifying, struct msg *msg, struct reason *why)
{
	struct verb_sum sum;

	if (!verifying->request->learn || verifying->taught++ >= VERIFY_NAMES_LIMIT || !get_sum(msg, &sum) ||
	    sum.bytes > BYTES_LIMIT || sum.lba > SECTORS_LIMIT)
		return nonsense(why, "a sum that nobody asked for");
	verifying->watch->sum(verifying->self, &sum);
	return 0;
}

static int take_checked(struct verifying *verifying, struct msg *msg, struct reason *why)
{
	struct verb_checked checked;

	if (!get_checked(msg, &checked) || checked.session != session_now(verifying)->number)
		return nonsense(why, "a malformed result");
	if (!counts_fit(&checked) || checked.damaged_files < verifying->files ||
	    checked.damages < verifying->damages ||
	    (checked.damages > verifying->damages && verifying->told < DAMAGES_LIMIT) ||
	    (!checked.imported && !verifying->damages && verifying->told < DAMAGES_LIMIT))
		return nonsense(why, "counts that don't agree with what was told");
	verifying->watch->checked(verifying->self, &checked);
	verifying->damages = verifying->files = 0;
	verifying->at++;
	return 0;
}

static int listen(struct child *child, struct verifying *verifying, struct reason *why)
{
	struct msg msg;
	int got = 0;

	while (got == 0 && verifying->at < verifying->request->count) {
		got = child_receive(child, &msg, why);
		if (got < 0)
			return got;
		if (msg.verb == VERB_PROGRESS)
			got = take_progress(verifying, &msg, why);
		else if (msg.verb == VERB_DAMAGED)
			got = take_damaged(verifying, &msg, why);
		else if (msg.verb == VERB_CHECKED)
			got = take_checked(verifying, &msg, why);
		else if (msg.verb == VERB_SUM)
			got = take_sum(verifying, &msg, why);
		else
			got = nonsense(why, "an unexpected message");
	}
	return got;
}

static int ask(struct child *child, const struct verify_request *request, struct reason *why)
{
	struct verb_job job = { .is_drive = request->is_drive, .limit = request->sectors };
	const struct verb_verify wish = { .sessions = (uint32_t)request->count,
					  .head = request->head,
					  .chain = request->chain,
					  .sums = (uint32_t)request->sum_count,
					  .learn = request->learn };
	struct msg msg;
	int got;

	if (strlen(request->path) >= sizeof job.path)
		return reason_set(why, ENAMETOOLONG, "The path of the medium is too long");
	memcpy(job.path, request->path, strlen(request->path));
	put_job(&msg, &job);
	got = link_send_fds(&child->link, &msg, &request->fd, 1);
	for (size_t i = 0; got == 0 && i < request->count; i++) {
		put_session(&msg, &request->sessions[i]);
		got = link_send(&child->link, &msg);
	}
	for (size_t i = 0; got == 0 && i < request->sum_count; i++) {
		put_sum(&msg, &request->sums[i]);
		got = link_send(&child->link, &msg);
	}
	if (got == 0) {
		put_verify(&msg, &wish);
		got = link_send(&child->link, &msg);
	}
	/* A worker that dies at once has its reason told by what is received. */
	return got < 0 && got != -EPIPE
		   ? reason_set(why, -got, "Can't talk to the verify worker: %s", strerror(-got))
		   : 0;
}

static int run(struct child *child, struct verifying *verifying, struct reason *why)
{
	int got = ask(child, verifying->request, why);

	if (got == 0)
		got = listen(child, verifying, why);
	if (got == 0)
		return child_finish(child, why);
	child_kill(child);
	child_finish(child, NULL);
	return got;
}

int verify_run(const struct verify_request *request, const struct verify_watch *watch, void *self,
	       struct reason *why)
{
	struct verifying verifying = { .request = request, .watch = watch, .self = self };
	struct reason failed = { 0 };
	struct child child = { 0 };
	int got;

	if (!request->count || request->count > VERIFY_SESSIONS_LIMIT)
		return reason_set(why, EINVAL, "%zu sessions can't be verified", request->count);
	got = child_start(&child, "verify", why);
	if (got < 0)
		return got;
	child.link.timeout_ms = VERIFY_TIMEOUT_MS;
	running = child.pid;
	/* Asked to stop before there was somebody to be stopped. */
	if (stopped)
		child_kill(&child);
	got = run(&child, &verifying, &failed);
	running = 0;
	if (stopped)
		return reason_set(why, EINTR, "interrupted");
	return got < 0 ? reason_set(why, -got, "%s", failed.text) : 0;
}
