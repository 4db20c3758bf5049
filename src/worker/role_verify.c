/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(source), SESSION*, SUM*, VERIFY -> ((PROGRESS | DAMAGED | SUM)* CHECKED)* */
#include "worker/role.h"

#include "base/vec.h"
#include "disc/iso_read.h"
#include "disc/verify.h"

#include <errno.h>
#include <fcntl.h>

struct verifying {
	struct worker *worker;
	VEC(struct verb_session) sessions;
	VEC(struct verb_sum) sums;
	struct verb_verify wish;
	struct reason *why;
};

static void verifying_clear(struct verifying *verifying)
{
	vec_clear(&verifying->sessions);
	vec_clear(&verifying->sums);
}

static int send_progress(void *self, const struct verb_progress *progress)
{
	struct verifying *verifying = (struct verifying *)self;
	struct msg msg = { 0 };

	put_progress(&msg, progress);
	return worker_send_now(verifying->worker, &msg, verifying->why);
}

static int send_damaged(void *self, const struct verb_damaged *damaged)
{
	struct verifying *verifying = (struct verifying *)self;
	struct msg msg = { 0 };

	put_damaged(&msg, damaged);
	return worker_send(verifying->worker, &msg, verifying->why);
}

static int send_checked(void *self, const struct verb_checked *checked)
{
	struct verifying *verifying = (struct verifying *)self;
	struct msg msg = { 0 };

	put_checked(&msg, checked);
	return worker_send_now(verifying->worker, &msg, verifying->why);
}

static int send_sum(void *self, const struct verb_sum *sum)
{
	struct verifying *verifying = (struct verifying *)self;
	struct msg msg = { 0 };

	put_sum(&msg, sum);
	return worker_send(verifying->worker, &msg, verifying->why);
}

static bool take_session(struct verifying *verifying, struct msg *msg)
{
	struct verb_session *session =
	    verifying->sessions.count < VERIFY_SESSIONS_LIMIT ? vec_push(&verifying->sessions) : NULL;

	return session && get_session(msg, session);
}

static bool take_sum(struct verifying *verifying, struct msg *msg)
{
	struct verb_sum *sum = verifying->sums.count < VERIFY_NAMES_LIMIT ? vec_push(&verifying->sums) : NULL;

	return sum && get_sum(msg, sum);
}

static int take_wish(struct verifying *verifying)
{
	struct msg msg;
	int got;

	while ((got = worker_receive(verifying->worker, &msg, verifying->why)) == 0 &&
	       (msg.verb == VERB_SESSION || msg.verb == VERB_SUM))
		if (msg.verb == VERB_SESSION ? !take_session(verifying, &msg) : !take_sum(verifying, &msg))
			break;
	if (got < 0)
		return got;
	if (!get_verify(&msg, &verifying->wish) || verifying->wish.sessions != verifying->sessions.count ||
	    verifying->wish.sums != verifying->sums.count)
		return reason_set(verifying->why, EPROTO,
				  "the parent sent something else than sessions to verify");
	return 0;
}

static int check(struct verifying *verifying, const struct source *source)
{
	static const struct verify_sink sink = { send_progress, send_damaged, send_checked, send_sum };
	CLEANUP(verify_close) struct verify verify;
	int got = verify_open(&verify, source, &sink, verifying, verifying->why);

	verify_sort_sums(verifying->sums.items, verifying->sums.count);
	verify.sums = verifying->sums.items;
	verify.sum_count = verifying->sums.count;
	verify.learn = verifying->wish.learn;
	for (size_t i = 0; got == 0 && i < verifying->sessions.count; i++) {
		verify.chain = verifying->wish.chain && i + 1 == verifying->sessions.count;
		got = verify_session(&verify, &verifying->sessions.items[i], verifying->wish.head && i == 0,
				     verifying->why);
	}
	return got;
}

int role_verify(struct worker *worker, struct reason *why)
{
	CLEANUP(verifying_clear) struct verifying verifying = { .worker = worker, .why = why };
	struct source source;
	int got = source_open(&source, worker->medium, worker->job.limit, why);

	if (got == 0)
		got = take_wish(&verifying);
	/* From the disk that holds it; a drive is asked itself. */
	if (got == 0 && !source.is_drive)
		posix_fadvise(worker->medium, 0, 0, POSIX_FADV_DONTNEED);
	return got == 0 ? check(&verifying, &source) : got;
}
