/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/child.h"
#include "base/log.h"
#include "base/text.h"
#include "wire/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define WORKER_LINK_FD 3
#define WARNINGS_SHOWN 50u
#define WARNINGS_LIMIT 100000u
#define EXEC_FAILED    127
#define LAST_BREATH_MS 5000

static const char self_exe[] = "/proc/self/exe";

/* The file "discfs" in a directory of PATH. */
static int path_search(char *ret, size_t room)
{
	const char *at = getenv("PATH");

	while (at && *at) {
		size_t length = strcspn(at, ":");

		if (length && snprintf(ret, room, "%.*s/discfs", (int)length, at) < (int)room &&
		    access(ret, X_OK) == 0)
			return 0;
		at += length + (at[length] == ':');
	}
	return -ENOENT;
}

/* The link leads to this very program even after an upgrade replaced the file. Under valgrind it leads to
 * valgrind, and only what it reads as tells the truth. */
static void binary_self(const char *path, char *ret, size_t room)
{
	struct stat by_path, by_link;
	bool other =
	    stat(path, &by_path) == 0 && stat(self_exe, &by_link) == 0 && by_path.st_ino != by_link.st_ino;

	snprintf(ret, room, "%s", other ? path : self_exe);
}

/* The file to execute: ourselves, or from discfsctl the discfs that belongs to it. */
static int binary_find(char *ret, size_t room, struct reason *why)
{
	char self[PATH_MAX];
	ssize_t length = readlink(self_exe, self, sizeof self - 1);
	char *slash;

	if (length < 0)
		return reason_set(why, errno, "Can't tell which program this is: %s", strerror(errno));
	self[length] = '\0';
	slash = strrchr(self, '/');
	if (!slash || strncmp(slash + 1, "discfsctl", strlen("discfsctl")) != 0) {
		binary_self(self, ret, room);
		return 0;
	}
	*slash = '\0';
	if (snprintf(ret, room, "%s/discfs", self) < (int)room && access(ret, X_OK) == 0)
		return 0;
	if (path_search(ret, room) == 0)
		return 0;
	return reason_set(why, ENOENT, "The program discfs is neither in %s nor in PATH", self);
}

/* Between fork and exec of a process with threads: only what is async-signal-safe. */
static _Noreturn void child_exec(const char *binary, const char *role, int fd, pid_t parent)
{
	char name[] = "discfs", flag[] = "--worker";
	char copy[32];
	char *const argv[] = { name, flag, copy, NULL };
	sigset_t none;
	size_t i = 0;

	for (; i < sizeof copy - 1 && role[i]; i++)
		copy[i] = role[i];
	copy[i] = '\0';
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXEC_FAILED); /* it died before the line above */
	signal(SIGINT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd == WORKER_LINK_FD)
		fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, WORKER_LINK_FD) < 0)
		_exit(EXEC_FAILED);
#ifdef SYS_close_range
	/* All of ours close on exec; this is for what a library or our starter left open. */
	syscall(SYS_close_range, WORKER_LINK_FD + 1, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
#endif
	execv(binary, argv);
	_exit(EXEC_FAILED);
}

int child_start(struct child *child, const char *role, struct reason *why)
{
	char binary[PATH_MAX + sizeof "/discfs"];
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	int pair[2];
	pid_t parent = getpid(), pid;
	int err = binary_find(binary, sizeof binary, why);

	if (err < 0)
		return err;
	err = link_pair(pair);
	if (err < 0)
		return reason_set(why, -err, "Can't make a socket for the %s worker: %s", role,
				  strerror(-err));
	ours = pair[0];
	theirs = pair[1];
	*child = (struct child){ .role = role };
	err = link_open(&child->link, ours);
	if (err < 0)
		return reason_set(why, -err, "No memory for the %s worker", role);
	ours = -1;
	pid = fork();
	if (pid == 0)
		child_exec(binary, role, theirs, parent);
	if (pid < 0) {
		err = errno;
		link_close(&child->link);
		return reason_set(why, err, "Can't start the %s worker: %s", role, strerror(err));
	}
	child->pid = pid;
	return 0;
}

void child_kill(const struct child *child)
{
	if (child->pid > 0)
		kill(child->pid, SIGKILL);
}

/* Gives the worker as long as the link would have waited for a message; then it goes. */
static void child_await(const struct child *child, int timeout)
{
	struct pollfd poller = { .events = POLLIN };
	int ready;

	if (timeout < 0)
		return;
	poller.fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (poller.fd < 0)
		return;
	do
		ready = poll(&poller, 1, timeout);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		child_kill(child);
	close(poller.fd);
}

int child_finish(struct child *child, struct reason *why)
{
	const char *role = child->role;
	int timeout = child->link.timeout_ms, status, err;
	struct rusage usage = { 0 };

	if (child->pid <= 0)
		return 0;
	/* Closing first: it's how a worker learns that nobody listens any more. */
	link_close(&child->link);
	child_await(child, timeout);
	do
		err = wait4(child->pid, &status, 0, &usage) < 0 ? errno : 0;
	while (err == EINTR);
	child->pid = 0;
	child->peak_kib = (uint64_t)usage.ru_maxrss;
	log_debug("the %s worker had %ld KiB of memory at most", role, usage.ru_maxrss);
	if (err)
		return reason_set(why, EIO, "Lost sight of the %s worker: %s", role, strerror(err));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return reason_set(why, EIO,
				  "The %s worker took too long for a disc of this size: damaged or malicious",
				  role);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return reason_set(
		    why, EIO,
		    "The %s worker was stopped at a forbidden system call: the disc is damaged or "
		    "malicious, or discfs has a bug",
		    role);
	if (WIFSIGNALED(status))
		return reason_set(why, EIO, "The %s worker was killed by signal %d", role, WTERMSIG(status));
	if (WEXITSTATUS(status) == EXEC_FAILED)
		return reason_set(why, EIO, "The %s worker could not be started", role);
	if (WEXITSTATUS(status))
		return reason_set(why, EIO, "The %s worker failed with exit status %d", role,
				  WEXITSTATUS(status));
	return 0;
}

/* What a worker says may come from a hostile disc: one line of printable text. */
static void clean_line(const char *from, char *ret, size_t room)
{
	AUTO_TEXT struct text line = { 0 };

	text_add_escaped(&line, from, strlen(from));
	snprintf(ret, room, "%s", line.data && !line.failed ? line.data : "");
}

/* 0, or -EPROTO. */
static int child_warning(struct child *child, struct msg *msg, struct reason *why)
{
	char said[480], line[sizeof said];

	if (!get_warning(msg, said, sizeof said) || child->warnings >= WARNINGS_LIMIT)
		return reason_set(why, EPROTO, "The %s worker talks nonsense", child->role);
	child->warnings++;
	if (child->warnings > WARNINGS_SHOWN)
		return 0;
	clean_line(said, line, sizeof line);
	log_warning("%s: %s%s", child->role, line,
		    child->warnings == WARNINGS_SHOWN ? " (further warnings aren't shown)" : "");
	return 0;
}

static int child_failed(const struct child *child, struct msg *msg, struct reason *why)
{
	struct verb_failed failed;
	char line[sizeof failed.text];

	if (!get_failed(msg, &failed))
		return reason_set(why, EPROTO, "The %s worker talks nonsense", child->role);
	clean_line(failed.text, line, sizeof line);
	return reason_set(why, (int)failed.err, "%s", line);
}

/* The link ended before the answer was complete: say why. */
static int child_lost(struct child *child, struct reason *why)
{
	int err;

	/* One that closed its end is about to exit and has a status to tell; it isn't waited for long. */
	if (child->link.timeout_ms > LAST_BREATH_MS)
		child->link.timeout_ms = LAST_BREATH_MS;
	err = child_finish(child, why);
	return err < 0 ? err : reason_set(why, EIO, "The %s worker ended without an answer", child->role);
}

int child_receive(struct child *child, struct msg *ret, struct reason *why)
{
	for (;;) {
		int got = link_receive(&child->link, ret);
		int err;

		if (got == 0)
			return child_lost(child, why);
		if (got == -ETIMEDOUT)
			return reason_set(why, ETIMEDOUT, "The %s worker said nothing for %d seconds",
					  child->role, child->link.timeout_ms / 1000);
		if (got < 0)
			return reason_set(why, -got, "The link to the %s worker failed: %s", child->role,
					  strerror(-got));
		if (ret->verb == VERB_FAILED)
			return child_failed(child, ret, why);
		if (ret->verb != VERB_WARNING)
			return 0;
		err = child_warning(child, ret, why);
		if (err < 0)
			return err;
	}
}
