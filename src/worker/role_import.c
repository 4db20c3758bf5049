/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(source [, old head]) -> (NODE XATTR* EXTENT* | LOST)*, IMPORTED */
#include "worker/role.h"

#include "base/fault.h"
#include "disc/front_sum.h"
#include "base/fd.h"
#include "disc/formats.h"

#include <errno.h>

struct sending {
	struct worker *worker;
	struct reason *why;
};

static int send_node(void *self, const struct verb_node *node)
{
	struct sending *sending = (struct sending *)self;
	struct msg msg = { 0 };

	put_node(&msg, node);
	return worker_send(sending->worker, &msg, sending->why);
}

static int send_xattr(void *self, const struct verb_xattr *xattr)
{
	struct sending *sending = (struct sending *)self;
	struct msg msg = { 0 };

	put_xattr(&msg, xattr);
	return worker_send(sending->worker, &msg, sending->why);
}

static int send_extent(void *self, const struct extent *extent)
{
	struct sending *sending = (struct sending *)self;
	struct msg msg = { 0 };

	put_extent(&msg, extent);
	return worker_send(sending->worker, &msg, sending->why);
}

static int send_warning(void *self, const char *text)
{
	struct sending *sending = (struct sending *)self;

	return worker_warn(sending->worker, text, sending->why);
}

static int send_lost(void *self, const char *text)
{
	struct sending *sending = (struct sending *)self;
	struct msg msg = { 0 };

	put_lost(&msg, LOSS_PART, text);
	return worker_send(sending->worker, &msg, sending->why);
}

static int send_doubt(void *self, const char *text)
{
	struct sending *sending = (struct sending *)self;
	struct msg msg = { 0 };

	put_lost(&msg, LOSS_DOUBT, text);
	return worker_send(sending->worker, &msg, sending->why);
}

int import_prepare(struct reason *why)
{
	int got = probe_prepare(why);

	return got < 0 ? got : iso_read_start(why);
}

/* Of a session whose own descriptors were replaced since. */
static int take_head(int fd, uint8_t **ret, struct reason *why)
{
	*ret = malloc(HEAD_BYTES);
	if (*ret && fd_pread_full(fd, *ret, HEAD_BYTES, 0) == HEAD_BYTES)
		return 0;
	return reason_set(why, EPROTO, "the old head didn't come");
}

int role_import(struct worker *worker, struct reason *why)
{
	const struct verb_job *job = &worker->job;
	const struct tree_sink sink = { .node = send_node,
					.xattr = send_xattr,
					.extent = send_extent,
					.warning = send_warning,
					.own = job->own,
					.lost = job->damaged ? send_lost : NULL,
					.doubt = send_doubt };
	struct sending sending = { worker, why };
	struct verb_imported imported;
	struct source source;
	struct msg msg = { 0 };
	AUTO_FREE uint8_t *head = NULL;
	int got = source_open(&source, worker->medium, worker->job.limit, why);

	if (got == 0 && worker->spool >= 0)
		got = take_head(worker->spool, &head, why);
	source.head = head;
	if (got == 0)
		got = formats_read_tree(&source, job->session, job->limit, job->format, &sink, &sending,
					&imported, why);
	if (got == 0 && job->own && job->front.sectors)
		got = front_sum_check(&source, job->session, &job->front, why);
	if (got == 0)
		got = fault_point(FAULT_IMPORT_END);
	if (got < 0)
		return got;
	put_imported(&msg, &imported);
	return worker_send_now(worker, &msg, why);
}
