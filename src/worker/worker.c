/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/worker.h"

#include "worker/role.h"
#include "worker/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define PARSING_S 900u	 /* of CPU time */
#define SUMMING_S 14400u /* MD5 over all of the largest disc, on the slowest machine */

static const struct role {
	const char *name;
	int (*run)(struct worker *worker, struct reason *why);
	unsigned cpu_seconds; /* in the sandbox, since it parses what a disc holds; 0: outside */
} roles[] = {
	{ "probe", role_probe, PARSING_S },
	{ "import", role_import, PARSING_S },
	{ "verify", role_verify, SUMMING_S },
	{ "burn", role_burn, 0 },
	{ "head", role_head, 0 },
	{ "drive", role_drive, 0 },
	{ "sync", role_sync, 0 },
};

static const struct role *find_role(const char *name)
{
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	return NULL;
}

static void worker_close(struct worker *worker)
{
	link_close(&worker->link);
	cleanup_close(&worker->medium);
	cleanup_close(&worker->spool);
	cleanup_close(&worker->file);
}

int worker_send(struct worker *worker, struct msg *msg, struct reason *why)
{
	int got = link_send(&worker->link, msg);

	return got < 0 ? reason_set(why, -got, "can't report to the daemon: %s", strerror(-got)) : 0;
}

int worker_send_now(struct worker *worker, struct msg *msg, struct reason *why)
{
	int got = worker_send(worker, msg, why);

	if (got == 0)
		got = link_flush(&worker->link);
	return got < 0 ? reason_set(why, -got, "can't report to the daemon: %s", strerror(-got)) : 0;
}

int worker_receive(struct worker *worker, struct msg *ret, struct reason *why)
{
	int got = link_receive(&worker->link, ret);

	if (got == 0)
		return reason_set(why, EPIPE, "the daemon closed the link");
	return got < 0 ? reason_set(why, -got, "can't read what the daemon says: %s", strerror(-got)) : 0;
}

static int take_job(struct worker *worker, struct reason *why)
{
	struct msg msg;
	int got = worker_receive(worker, &msg, why);

	if (got < 0)
		return got;
	if (!get_job(&msg, &worker->job))
		return reason_set(why, EPROTO, "the daemon sent something else than a job");
	worker->medium = link_take_fd(&worker->link, 0);
	worker->spool = link_take_fd(&worker->link, 1);
	worker->file = link_take_fd(&worker->link, 2);
	return 0;
}

static int report(struct worker *worker, const struct reason *why)
{
	struct msg msg = { 0 };
	int got;

	put_failed(&msg, why);
	got = link_send(&worker->link, &msg);
	return got < 0 ? got : link_flush(&worker->link);
}

int worker_main(const char *name, int link_fd)
{
	CLEANUP(worker_close) struct worker worker = { .medium = -1, .spool = -1, .file = -1 };
	const struct role *role = find_role(name);
	struct reason why = { 0 };
	int got;

	signal(SIGPIPE, SIG_IGN);
	if (!role || link_open(&worker.link, link_fd) < 0)
		return 1;
	if (role->cpu_seconds)
		sandbox_enter(role->cpu_seconds);
	got = take_job(&worker, &why);
	if (got == 0)
		got = role->run(&worker, &why);
	if (got == -EPIPE)
		return 0;
	if (got < 0) {
		reason_set(&why, -got, "the %s worker failed: %s", name, strerror(-got));
		/* Whoever closed the link wanted the end and nothing else. */
		return report(&worker, &why) < 0 && got != -ECANCELED;
	}
	return link_flush(&worker.link) < 0;
}
