/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to the mount meanwhile: commits, now and in the background, the daemon's death, new mounts.
 * None of it may change the tree, so B takes no part. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

extern char **environ;

static uint64_t compare_now(struct model *model, bool settle)
{
	const struct rules rules = { .whole_seconds = model->whole_seconds, .settle = settle };
	uint64_t inodes;

	if (compare_trees(model->side[0].dir, model->side[1].dir, &rules, &inodes))
		give_up(model, "the trees differ");
	return inodes;
}

static void whole_compare(struct model *model, const struct op *op)
{
	compare_now(model, false);
}

static void make_nothing(struct model *model, struct op *op)
{
}

/* How the commit in the background ended. One that a crash cut off may fail. */
static void await_commit(struct model *model, bool may_fail)
{
	int status;

	if (!model->committing)
		return;
	if (waitpid(model->committing, &status, 0) < 0 ||
	    (status != 0 && !may_fail && !model->options.may_fail))
		give_up(model, "the commit in the background failed");
	model->committing = 0;
}

/* By the attribute: it returns when all is done. */
static void whole_commit(struct model *model, const struct op *op)
{
	uint64_t before;

	await_commit(model, false);
	before = compare_now(model, false);
	if (setxattr(model->options.mount, "user.discfs.commit", "", 0, 0) == 0) {
		model->whole_seconds = true;
	} else if (!model->options.may_fail) {
		perror("commit");
		give_up(model, "the commit failed");
	}
	if (compare_now(model, false) != before)
		give_up(model, "inode numbers have changed in a commit");
}

static void make_commit_begin(struct model *model, struct op *op)
{
	op->n[0] = 0;
}

static void whole_commit_begin(struct model *model, const struct op *op)
{
	char program[] = "discfsctl", verb[] = "commit", *mount = strdup(model->options.mount);
	char *const argv[] = { program, verb, mount, NULL };
	posix_spawn_file_actions_t files;
	int err;

	await_commit(model, false);
	model->whole_seconds = true;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (model->options.may_fail)
		posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
	err = posix_spawnp(&model->committing, program, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	free(mount);
	if (err) {
		fprintf(stderr, "model: discfsctl: %s\n", strerror(err));
		exit(2);
	}
}

static void whole_commit_end(struct model *model, const struct op *op)
{
	await_commit(model, false);
}

/* What a kill -9 must not take: all that was synced, or that the daemon has stored by itself, which the hook
 * waits for. */
static void make_safe(struct model *model, bool by_daemon)
{
	if (syncfs(model->side[0].top) < 0 || (!by_daemon && fsync(model->side[0].top) < 0))
		give_up(model, "the mount can't be synced");
}

/* n0: the word for the hook: unmount, or kill after fsync, or after syncfs and when it's stored */
static void make_restart(struct model *model, struct op *op)
{
	op->n[0] = one_in(model, 3) ? 0 : one_in(model, 3) ? 2 : 1;
}

static void whole_restart(struct model *model, const struct op *op)
{
	static const char *const ways[] = { "unmount", "kill", "kill-stored" };
	char command[4096];
	uint64_t before;
	bool kill = op->n[0] != 0;

	if (!kill)
		await_commit(model, false);
	for (unsigned i = 0; i < 2; i++)
		side_close_all(&model->side[i]);
	memset(model->slot_type, 0, sizeof model->slot_type);
	before = compare_now(model, false);
	if (kill)
		make_safe(model, op->n[0] == 2);
	if (chdir("/") < 0)
		abort();
	for (unsigned i = 0; i < 2; i++)
		side_close(&model->side[i]);
	snprintf(command, sizeof command, "%s %s", model->options.hook, ways[op->n[0]]);
	fflush(stdout);
	if (system(command) != 0)
		give_up(model, "the mount doesn't come back");
	await_commit(model, kill);
	for (unsigned i = 0; i < 2; i++)
		side_open(&model->side[i]);
	if (compare_now(model, true) != before)
		give_up(model, "inode numbers have changed");
	model->whole_seconds = false; /* the kernel has forgotten all, and B has the times of the disc */
}

/* The kernel forgets names and inodes that nobody uses, of all file systems: only look-ups bring them back.
 */
static void whole_evict(struct model *model, const struct op *op)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "2", 1) != 1) {
		perror("drop_caches");
		exit(2);
	}
	close(fd);
}

/* These come by their own numbers (see main.c), not by weight. */
const struct kind mount_kinds[] = {
	{ .name = "compare", .make = make_nothing, .whole = whole_compare },
	{ .name = "commit", .make = make_nothing, .whole = whole_commit },
	{ .name = "commit_begin", .make = make_commit_begin, .whole = whole_commit_begin },
	{ .name = "commit_end", .make = make_nothing, .whole = whole_commit_end },
	{ .name = "restart", .make = make_restart, .whole = whole_restart },
	{ .name = "evict", .make = make_nothing, .whole = whole_evict },
	{ 0 },
};
