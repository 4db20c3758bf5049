/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/worker.h"

#include "worker/role.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PARSING_S 900u	 /* of CPU time */
#define SUMMING_S 14400u /* MD5 over all of the largest disc, on the slowest machine */

static const struct role roles[] = {
	{ "probe", role_probe, probe_prepare, SANDBOX_READER, PARSING_S },
	{ "import", role_import, import_prepare, SANDBOX_READER, PARSING_S },
	{ "verify", role_verify, import_prepare, SANDBOX_READER, SUMMING_S },
	{ "burn", role_burn, NULL, SANDBOX_DRIVE, 0 },
	{ "head", role_head, NULL, SANDBOX_DRIVE, 0 },
	{ "drive", role_drive, NULL, SANDBOX_DRIVE, 0 },
	{ "sync", role_sync, NULL, SANDBOX_DRIVE, 0 },
};

const struct role *worker_role(const char *name)
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

int worker_warn(struct worker *worker, const char *text, struct reason *why)
{
	struct msg msg = { 0 };

	put_warning(&msg, text);
	return worker_send(worker, &msg, why);
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

/* A drive is asked by ioctl; and fault points wait for files and write to them. */
static enum sandbox_filter filter_for(const struct worker *worker, const struct role *role)
{
	struct stat medium;

	if (getenv("DISCFS_FAULT") ||
	    (worker->medium >= 0 && fstat(worker->medium, &medium) == 0 && S_ISBLK(medium.st_mode)))
		return SANDBOX_DRIVE;
	return role->filter;
}

/* Of a drive that isn't said to a probe: then the largest. */
static uint64_t medium_sectors(const struct worker *worker)
{
	struct stat medium;

	if (worker->medium < 0 || fstat(worker->medium, &medium) != 0)
		return 0;
	if (S_ISREG(medium.st_mode))
		return sectors_of((uint64_t)medium.st_size);
	return worker->job.limit ? worker->job.limit : UINT32_MAX;
}

/* A kernel without filters (some containers) still has the limits. */
static int confine(struct worker *worker, const struct role *role, struct reason *why)
{
	int got = role->prepare ? role->prepare(why) : 0;
	char text[200];

	if (got < 0)
		return got;
	if (role->cpu_seconds)
		sandbox_scale(medium_sectors(worker), role->cpu_seconds == PARSING_S);
	got = sandbox_filter(filter_for(worker, role));
	if (got == 0)
		return 0;
	snprintf(text, sizeof text, "works without a filter of system calls: %s", strerror(-got));
	return worker_warn(worker, text, why);
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
	const struct role *role = worker_role(name);
	struct reason why = { 0 };
	int got;

	signal(SIGPIPE, SIG_IGN);
	if (!role || link_open(&worker.link, link_fd) < 0)
		return 1;
	if (role->cpu_seconds)
		sandbox_enter(role->cpu_seconds);
	got = take_job(&worker, &why);
	if (got == 0)
		got = confine(&worker, role, &why);
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
