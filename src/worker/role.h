/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every role gets, and the roles. Each returns 0 when it has said its last word, or -errno with why set:
 * then worker_main reports FAILED. -EPIPE ends quietly: the parent is gone or has thought better of it. */
#pragma once

#include "wire/link.h"
#include "wire/verbs.h"
#include "worker/sandbox.h"

struct worker {
	struct link link;
	struct verb_job job;
	int medium; /* owned; -1 = none came */
	int spool;
	int file; /* where a session goes instead of to the medium */
};

struct role {
	const char *name;
	int (*run)(struct worker *worker, struct reason *why);
	/* Has libraries load what they'd load at their first use, when the filter forbids it; may be NULL. */
	int (*prepare)(struct reason *why);
	enum sandbox_filter filter; /* on an image; on a drive always SANDBOX_DRIVE */
	unsigned cpu_seconds;	    /* with limits, since it parses what a disc holds; 0: without */
};

/* NULL: there's none of that name. */
const struct role *worker_role(const char *name);

int probe_prepare(struct reason *why);
int import_prepare(struct reason *why);

int role_probe(struct worker *worker, struct reason *why);
int role_import(struct worker *worker, struct reason *why);
int role_burn(struct worker *worker, struct reason *why);
int role_head(struct worker *worker, struct reason *why);
int role_drive(struct worker *worker, struct reason *why);
int role_sync(struct worker *worker, struct reason *why);
int role_verify(struct worker *worker, struct reason *why);

/* Sends and sets why when that fails. */
int worker_send(struct worker *worker, struct msg *msg, struct reason *why);
/* The same for a message that the daemon waits for: it leaves at once, before any cleaning up. */
int worker_warn(struct worker *worker, const char *text, struct reason *why);
int worker_send_now(struct worker *worker, struct msg *msg, struct reason *why);
/* Receives one message. 0, -EPIPE when the parent closed the link, or -errno. */
int worker_receive(struct worker *worker, struct msg *ret, struct reason *why);
