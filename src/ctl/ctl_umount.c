/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/umount.h"
#include "ctl/work.h"

#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PATIENCE_MS 1000 /* after that, say what is waited for */

extern char **environ;

/* fusermount3 -u as another user than root. 0 or -errno; it told the reason itself when *ret_told. */
static int detach_by_helper(char *root, bool *ret_told)
{
	char name[] = "fusermount3", flag[] = "-u", end[] = "--";
	char *const argv[] = { name, flag, end, root, NULL };
	pid_t pid;
	int status, err = posix_spawnp(&pid, name, NULL, NULL, argv, environ);

	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_told = WIFEXITED(status) && WEXITSTATUS(status) != 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

static int detach(struct target *target)
{
	bool told = false;
	int err;

	/* Standing inside it would keep it busy. */
	if (chdir("/") < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't leave %s: %s", target->root, strerror(errno));
	if (geteuid() == 0)
		err = umount2(target->root, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
	else
		err = detach_by_helper(target->root, &told);
	if (err == -EBUSY)
		return ctl_fail(EXIT_CODE_BUSY,
				"%s stays mounted: a program has files open there or stands in it",
				target->root);
	if (err < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s can't be unmounted: %s", target->root, strerror(-err));
	return EXIT_CODE_DONE;
}

/* Until the daemon has written and closed everything. */
static void await_daemon(int pidfd, bool quiet)
{
	struct pollfd poller = { .fd = pidfd, .events = POLLIN };
	int timeout = PATIENCE_MS, ready;

	if (pidfd < 0)
		return;
	while ((ready = poll(&poller, 1, timeout)) <= 0) {
		if (ready < 0 && errno != EINTR)
			return;
		if (ready == 0 && timeout == PATIENCE_MS) {
			if (!quiet)
				puts("Unmounted; waiting until discfs has put everything in safety…");
			fflush(stdout);
			timeout = -1;
		}
	}
}

/* What must be over before the mount goes: a commit that runs, and the one that the owner asked for with
 * commit=unmount. */
static int commit_first(const struct target *target, const struct json *status, bool wait, bool quiet)
{
	const struct work_watch running = { .timeout_s = -1, .quiet = quiet };
	const struct work_wish wish = { 0 };
	AUTO_FREE char *mode = json_string(status, "$.commit_mode");
	CLEANUP(work_end_clear) struct work_end end = { 0 };
	int code = EXIT_CODE_DONE;

	if (json_has(status, "$.work")) {
		if (!wait)
			return ctl_fail(EXIT_CODE_BUSY, "a commit is under way (discfsctl wait %s)",
					target->root);
		code = work_follow(target, &running, &end);
		if (!code)
			code = work_report(&end.result, quiet ? WORK_SILENT : WORK_PLAIN);
		if (code)
			return code;
		status = &end.status;
	}
	if (mode && strcmp(mode, "unmount") == 0 && work_staged(status))
		code = work_commit(target, &wish, quiet ? WORK_SILENT : WORK_PLAIN, true);
	return code;
}

/* The daemon's warning says why it would be. */
static int would_lose(const struct target *target, const struct json *status)
{
	AUTO_FREE char *warning = json_string(status, "$.warnings[0]");

	return ctl_fail(EXIT_CODE_SYSTEM, "%s stays mounted: %s", target->root, warning ? warning : "");
}

int umount_disc(struct target *target, const struct umount_wish *wish)
{
	AUTO_JSON struct json status = { 0 };
	AUTO_CLOSE int pidfd = -1;
	bool lost;
	int code;

	target_sync(target);
	code = target_status(target, &status);
	lost = !code && json_bool(&status, "$.state_lost") && work_staged(&status);
	if (lost && !wish->force)
		return would_lose(target, &status);
	if (!code && !lost)
		code = commit_first(target, &status, wish->wait, wish->quiet);
	if (code == EXIT_CODE_NO_DISCFS || code == EXIT_CODE_INTERRUPTED)
		return code;
	if (code)
		return ctl_fail(code, "%s stays mounted, and what is staged stays staged", target->root);
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)json_int(&status, "$.pid"), 0);
	code = detach(target);
	if (code)
		return code;
	await_daemon(pidfd, wish->quiet);
	if (!wish->quiet)
		printf("%s is unmounted%s\n", target->root, lost ? "; what was staged is lost" : "");
	return EXIT_CODE_DONE;
}

int command_umount(int argc, char **argv)
{
	struct umount_wish wish = { .wait = true };
	const struct option_spec options[] = {
		{ "force", 0, .flag = &wish.force },
		{ "quiet", 'q', .flag = &wish.quiet },
		{ 0 },
	};
	struct target target;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = target_find(count ? argv[1] : ".", &target);
	return code ? code : umount_disc(&target, &wish);
}
