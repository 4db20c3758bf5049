/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The helper of umount(8). It runs as umount's caller: root or the mount's owner. FUSE lets nobody but the
 * owner in where the mount isn't for all, root neither; so root asks the daemon as the owner. */
#include "ctl/ctl.h"
#include "ctl/umount.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* umount(8)'s */
#define HELPER_USAGE  1
#define HELPER_FAILED 32

struct helper {
	struct umount umount;
	struct target_owner owner;
	int flags; /* of umount2(2) */
};

static bool at_terminal(void)
{
	return isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO);
}

static int become(const struct target_owner *owner)
{
	if (setgroups(0, NULL) < 0 || setresgid(owner->gid, owner->gid, owner->gid) < 0 ||
	    setresuid(owner->uid, owner->uid, owner->uid) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't ask as user %u: %s", (unsigned)owner->uid,
				strerror(errno));
	return EXIT_CODE_DONE;
}

/* Runs step as the mount's owner; what it finds out stands in *helper, which is shared. */
static int as_owner(struct helper *helper, int (*step)(struct helper *helper))
{
	pid_t pid;
	int status;

	if (geteuid() != 0 || helper->owner.uid == 0)
		return step(helper);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int code = become(&helper->owner);

		code = code ? code : step(helper);
		fflush(NULL);
		_exit(code);
	}
	if (pid < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't start a process: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ctl_fail(EXIT_CODE_SYSTEM, "can't wait: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_CODE_SYSTEM;
}

/* Whether it's busy was asked before, as root. */
static int settle(struct helper *helper)
{
	return umount_settle(&helper->umount, NULL);
}

static int take_back(struct helper *helper)
{
	umount_take_back(&helper->umount);
	return EXIT_CODE_DONE;
}

static int run(struct helper *helper)
{
	const struct target *target = &helper->umount.target;
	AUTO_CLOSE int pidfd = -1;
	char other[PATH_MAX];
	int code;

	/* Lazily or by force: at once; and one of several places is just one less. */
	if (helper->flags || target_has_twin(target, other))
		return umount_detach(target, helper->flags);
	if (chdir("/") < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't leave %s: %s", target->root, strerror(errno));
	code = umount_check_busy(target);
	if (!code)
		code = as_owner(helper, settle);
	if (code == EXIT_CODE_NO_DISCFS) { /* its daemon died: there is nobody to be asked */
		code = umount_detach(target, 0);
		return helper->umount.died ? EXIT_CODE_NO_DISCFS : code; /* and with it what was waited for */
	}
	if (code)
		return code;
	pidfd = helper->umount.handed_over ? -1 : umount_watch(&helper->umount);
	code = umount_detach(target, 0);
	if (code)
		as_owner(helper, take_back);
	else
		umount_await(pidfd, &helper->umount);
	return code;
}

/* umount(8) hands on what it was told; -n, -r, -v and the like mean nothing here. */
static int parse(struct helper *helper, int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "nlfvrst:o:N:")) != -1) {
		if (letter == 'l')
			helper->flags |= MNT_DETACH;
		if (letter == 'f')
			helper->flags |= MNT_FORCE;
		if (letter == 'N')
			return ctl_fail(HELPER_USAGE, "another mount namespace can't be reached from here");
		if (letter == '?')
			return HELPER_USAGE;
	}
	if (argc - optind != 1)
		return ctl_fail(HELPER_USAGE, "this is for umount(8): umount.fuse.discfs DIR [OPTION…]");
	return 0;
}

int umount_helper(int argc, char **argv)
{
	struct helper *helper =
	    mmap(NULL, sizeof *helper, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int code;

	if (helper == MAP_FAILED)
		return ctl_fail(HELPER_FAILED, "out of memory");
	helper->umount.wish.wait = true;
	helper->umount.may_hand_over = !at_terminal();
	helper->umount.wish.quiet = !isatty(STDOUT_FILENO);
	code = parse(helper, argc, argv);
	if (code)
		return code;
	code = target_at(argv[optind], &helper->umount.target, &helper->owner);
	if (!code)
		code = run(helper);
	munmap(helper, sizeof *helper);
	return code ? HELPER_FAILED : 0;
}
