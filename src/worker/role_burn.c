/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(source, spool[, file]), (NODE XATTR* EXTENT*)*, BOOT*, PLAN_END -> PLANNED; GO -> PROGRESS*, WRITTEN */
#include "worker/role.h"

#include "base/fault.h"
#include "disc/burn_file.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

struct burn_role {
	struct worker *worker;
	struct source source;
	struct plan plan;
	struct iso_session *session;
	struct verb_planned planned;
	struct reason *why;
};

static void burn_role_clear(struct burn_role *role)
{
	iso_session_free(role->session);
	plan_clear(&role->plan);
}

/* 1 = the plan is complete. */
static int take_message(struct burn_role *role, struct msg *msg)
{
	struct verb_node node;
	struct verb_xattr xattr;
	struct verb_boot boot;
	struct extent extent;

	switch (msg->verb) {
	case VERB_NODE:
		if (get_node(msg, &node))
			return plan_add_node(&role->plan, &node, role->why);
		break;
	case VERB_XATTR:
		if (get_xattr(msg, &xattr))
			return plan_add_xattr(&role->plan, &xattr, role->why);
		break;
	case VERB_EXTENT:
		if (get_extent(msg, &extent))
			return plan_add_extent(&role->plan, &extent, role->why);
		break;
	case VERB_BOOT:
		if (get_boot(msg, &boot))
			return plan_add_boot(&role->plan, &boot, role->why);
		break;
	case VERB_PLAN_END:
		if (msg_done(msg))
			return 1;
		break;
	}
	return reason_set(role->why, EPROTO, "the plan is malformed at a message %u", msg->verb);
}

/* A bad plan is still read to its end: closing a socket with unread messages would make the daemon see an
 * error of the connection instead of our reason. */
static int take_plan(struct burn_role *role)
{
	struct msg msg;
	int got = 0;

	do {
		int arrived = worker_receive(role->worker, &msg, role->why);

		if (arrived < 0)
			return got < 0 ? got : arrived;
		if (got == 0)
			got = take_message(role, &msg);
	} while (msg.verb != VERB_PLAN_END);
	return got < 0 ? got : 0;
}

static int send_planned(struct burn_role *role)
{
	struct msg msg = { 0 };

	iso_session_describe(role->session, &role->planned);
	put_planned(&msg, &role->planned);
	return worker_send_now(role->worker, &msg, role->why);
}

static int wait_for_go(struct burn_role *role)
{
	struct msg msg;
	int got = worker_receive(role->worker, &msg, role->why);

	if (got == 0 && (msg.verb != VERB_GO || !msg_done(&msg)))
		got = reason_set(role->why, EPROTO, "expected the word to go, got %u", msg.verb);
	return got;
}

static int send_progress(void *self, uint64_t done, uint64_t total)
{
	struct burn_role *role = (struct burn_role *)self;
	struct verb_progress progress = { .done = done, .total = total };
	struct link *link = &role->worker->link;
	char path[1024];
	struct msg msg = { 0 };
	int got;

	progress.file = iso_session_current(role->session, path, sizeof path);
	progress.file_length = strlen(path);
	put_progress(&msg, &progress);
	got = link_send(link, &msg);
	if (got == 0)
		got = link_flush(link);
	if (got < 0 || !link_is_ready(link))
		return got;
	got = link_receive(link, &msg);
	return got > 0 && msg.verb == VERB_CANCEL && msg_done(&msg) ? -ECANCELED : -EPIPE;
}

/* A disc that is being written when the daemon dies is brought to its end: broken off, it would be spoilt.
 * The next mount finds the session. */
static void outlive_daemon(void)
{
	(void)prctl(PR_SET_PDEATHSIG, 0);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static int burn(struct burn_role *role)
{
	const struct burn_request request = {
		.job = &role->worker->job,
		.source = &role->source,
		.start = role->planned.start,
		.sectors = role->planned.sectors,
		.session = role->session,
		.progress = send_progress,
		.self = role,
	};
	struct verb_written written = { .start = role->planned.start, .sectors = role->planned.sectors };
	struct msg msg = { 0 };
	int got;

	if (role->worker->job.to_file) {
		got = burn_to_file(&request, role->worker->file, role->why);
	} else {
		if (role->worker->job.is_drive)
			outlive_daemon();
		got = burn_session(&request, role->why);
	}
	if (got == 0)
		got = fault_point(FAULT_BURN_WRITTEN);
	if (got < 0)
		return got;
	iso_session_front(role->session, &written.front);
	put_written(&msg, &written);
	return worker_send_now(role->worker, &msg, role->why);
}

int role_burn(struct worker *worker, struct reason *why)
{
	CLEANUP(burn_role_clear) struct burn_role role = { .worker = worker, .why = why };
	const struct iso_session_request request = {
		.source = &role.source, .job = &worker->job, .plan = &role.plan, .spool = worker->spool
	};
	int got = source_open(&role.source, worker->medium, worker->job.nwa, why);

	if (got == 0)
		got = take_plan(&role);
	if (got == 0)
		got = iso_write_start(why);
	if (got == 0)
		got = iso_session_make(&request, &role.session, why);
	if (got == 0)
		got = send_planned(&role);
	if (got == 0)
		got = fault_point(FAULT_BURN_PLANNED);
	if (got == 0)
		got = wait_for_go(&role);
	return got == 0 ? burn(&role) : got;
}
