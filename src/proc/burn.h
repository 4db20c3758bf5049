/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon asks of a burn worker: take the plan, say what it comes to, write it; and of a head worker.
 */
#pragma once

#include "proc/child.h"
#include "wire/verbs.h"

struct burn {
	struct child child;
	char
	    no_udf[WHY_LIMIT + 1]; /* of burn_plan: why the session doesn't get it, though asked for; or "" */
};

/* disc_fd, spool_fd: borrowed; so is file_fd, where the session goes with job->to_file, else -1. Then
 * burn_node for each name, in the order that verbs.h asks for; then burn_plan. Any failure: burn_close. All
 * return 0 or -errno with why. */
int burn_start(struct burn *burn, int disc_fd, int spool_fd, int file_fd, const struct verb_job *job,
	       struct reason *why);
/* One name of a node; what verb_node says of each. */
struct burn_name {
	uint64_t parent;
	const char *name; /* not terminated */
	size_t length;
	bool again, name_kept, node_kept;
	const char *was; /* not terminated */
	size_t was_length;
};

/* node: attr, target, xattrs, md5, zf and map are sent unless again. */
int burn_node(struct burn *burn, const struct node *node, const struct burn_name *name, struct reason *why);
/* Behind the nodes; with job->boot_anew only. */
int burn_boot(struct burn *burn, const struct verb_boot *boot, struct reason *why);
/* Ends the plan. ret_head: a copy of the new blocks 0..31 (ret->head points into it). */
int burn_plan(struct burn *burn, struct verb_planned *ret, struct blob *ret_head, struct reason *why);
/* Writes the session. progress may be NULL; what it returns, when it isn't 0, cancels the burn: -ECANCELED
 * follows as soon as the medium is in order. */
typedef int burn_progress_fn(void *self, const struct verb_progress *progress);
int burn_go(struct burn *burn, burn_progress_fn *progress, void *self, struct verb_written *ret,
	    struct reason *why);
/* Ends the worker: before burn_go nothing was written. */
void burn_close(struct burn *burn);

/* Writes blocks 0..31 of an overwriteable medium and syncs. before: what is there now, when path is a drive
 * (another disc is refused: -ESTALE); else NULL. */
int head_run(int disc_fd, const char *path, const struct blob *head, const struct blob *before,
	     struct reason *why);
