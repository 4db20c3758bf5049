/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every role gets, and the roles. Each returns 0 when it has said its last word, or -errno with why set:
 * then worker_main reports FAILED. -EPIPE ends quietly: the parent is gone or has thought better of it. */
#pragma once

#include "wire/link.h"
#include "wire/verbs.h"

struct worker {
	struct link link;
	struct verb_job job;
	int medium; /* owned; -1 = none came */
	int spool;
	int file; /* where a session goes instead of to the medium */
};

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
int worker_send_now(struct worker *worker, struct msg *msg, struct reason *why);
/* Receives one message. 0, -EPIPE when the parent closed the link, or -errno. */
int worker_receive(struct worker *worker, struct msg *ret, struct reason *why);
