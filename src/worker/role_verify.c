/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(source), SESSION*, VERIFY -> ((PROGRESS | DAMAGED)* CHECKED)* */
#include "worker/role.h"

#include "base/vec.h"
#include "disc/iso_read.h"
#include "disc/verify.h"

#include <errno.h>
#include <fcntl.h>

struct verifying {
	struct worker *worker;
	VEC(struct verb_session) sessions;
	struct verb_verify wish;
	struct reason *why;
};

static void verifying_clear(struct verifying *verifying)
{
	vec_clear(&verifying->sessions);
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

static int take_wish(struct verifying *verifying)
{
	struct msg msg;
	int got;

	while ((got = worker_receive(verifying->worker, &msg, verifying->why)) == 0 &&
	       msg.verb == VERB_SESSION && verifying->sessions.count < VERIFY_SESSIONS_LIMIT) {
		struct verb_session *session = vec_push(&verifying->sessions);

		if (!session)
			return reason_set(verifying->why, ENOMEM, "out of memory");
		if (!get_session(&msg, session))
			break;
	}
	if (got < 0)
		return got;
	if (!get_verify(&msg, &verifying->wish) || verifying->wish.sessions != verifying->sessions.count)
		return reason_set(verifying->why, EPROTO,
				  "the parent sent something else than sessions to verify");
	return 0;
}

static int check(struct verifying *verifying, const struct source *source)
{
	static const struct verify_sink sink = { send_progress, send_damaged, send_checked };
	CLEANUP(verify_close) struct verify verify;
	int got = verify_open(&verify, source, &sink, verifying, verifying->why);

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
