/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/umount.h"

#include "ctl/busy.h"
#include "ctl/ctl.h"
#include "ctl/work.h"
#include "host/power.h"
#include "host/service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE_MS 1000 /* after that, say what is waited for */
#define TRIES	    10	 /* whoever just looked at it has gone by then */
#define PAUSE_NS    100000000l

extern char **environ;

/* fusermount3 -u as another user than root. flags: of umount2(2); it knows MNT_DETACH alone. 0 or -errno; it
 * told the reason itself when *ret_told. */
static int detach_by_helper(const char *root, int flags, bool *ret_told)
{
	AUTO_FREE char *where = strdup(root);
	char name[] = "fusermount3", plain[] = "-u", lazy[] = "-uz", end[] = "--";
	char *const argv[] = { name, flags & MNT_DETACH ? lazy : plain, end, where, NULL };
	pid_t pid;
	int status, err = where ? posix_spawnp(&pid, name, NULL, NULL, argv, environ) : ENOMEM;

	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_told = WIFEXITED(status) && WEXITSTATUS(status) != 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

/* Whoever owns a directory above it may have put another one there while a commit was waited for. Only the
 * device is asked for, of the kernel alone: the daemon may have died. */
static bool is_another(const struct target *target)
{
	struct statx found;

	return statx(AT_FDCWD, target->root, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0,
		     &found) == 0 &&
	       makedev(found.stx_dev_major, found.stx_dev_minor) != target->device;
}

static int detach_as_root(const struct target *target, int flags)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	if (is_another(target))
		return -EINVAL;
	for (int i = 0; umount2(target->root, flags | UMOUNT_NOFOLLOW) < 0; i++) {
		if (errno != EBUSY || i == TRIES)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int umount_detach(const struct target *target, int flags)
{
	bool told = false;
	int err;

	/* Standing inside it would keep it busy. */
	if (chdir("/") < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't leave %s: %s", target->root, strerror(errno));
	if (geteuid() == 0)
		err = detach_as_root(target, flags);
	else
		err = detach_by_helper(target->root, flags, &told);
	if (err == -EBUSY)
		return ctl_fail(EXIT_CODE_BUSY,
				"%s stays mounted: a program has files open there or stands in it",
				target->root);
	if (err < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s can't be unmounted: %s", target->root, strerror(-err));
	return EXIT_CODE_DONE;
}

int umount_watch(const struct umount *umount)
{
	return umount->pid > 0 ? (int)syscall(SYS_pidfd_open, umount->pid, 0) : -1;
}

/* Its file system is in the kernel still: under another name (mount --bind), or in another mount namespace.
 */
static bool is_mounted_elsewhere(const struct target *target)
{
	char path[64];

	snprintf(path, sizeof path, "/sys/class/bdi/%u:%u", major(target->device), minor(target->device));
	return access(path, F_OK) == 0;
}

/* Until the daemon has written and closed everything. */
void umount_await(int pidfd, const struct umount *umount)
{
	struct pollfd poller = { .fd = pidfd, .events = POLLIN };
	int timeout = PATIENCE_MS, ready;

	if (pidfd < 0)
		return;
	while ((ready = poll(&poller, 1, timeout)) <= 0) {
		if (ready < 0 && errno != EINTR)
			return;
		if (ready < 0 || timeout != PATIENCE_MS)
			continue;
		if (is_mounted_elsewhere(&umount->target)) {
			fprintf(stderr,
				"discfsctl: %s: the disc stays mounted elsewhere, maybe in another mount "
				"namespace\n",
				umount->target.root);
			return;
		}
		if (!umount->wish.quiet)
			puts("Unmounted; waiting until discfs has put everything in safety…");
		fflush(stdout);
		timeout = -1;
	}
}

int umount_check_busy(const struct target *target)
{
	AUTO_TEXT struct text who = { 0 };

	if (!busy_mount(target, &who))
		return EXIT_CODE_DONE;
	return ctl_fail(EXIT_CODE_BUSY, "%s is in use: %s", target->root,
			who.length && !who.failed ? who.data
						  : "a program has files open there or stands in it");
}

/* A commit that runs. */
static int await_work(const struct umount *umount, struct work_end *ret)
{
	const struct work_watch running = { .timeout_s = -1, .quiet = umount->wish.quiet };
	AUTO_FREE char *root = text_shell_word(umount->target.root);
	int code;

	if (!umount->wish.wait)
		return ctl_fail(EXIT_CODE_BUSY, "a commit is under way (discfsctl wait %s)", root);
	code = work_follow(&umount->target, &running, ret);
	return code ? code : work_report(&ret->result, umount->wish.quiet ? WORK_SILENT : WORK_PLAIN);
}

/* The mount says that a clean unmount commits. */
static bool commits_at_unmount(const struct json *status)
{
	AUTO_FREE char *mode = json_string(status, "$.commit_mode");

	return mode && strcmp(mode, "unmount") == 0;
}

/* … and there's something to be burned. */
static bool means_commit(const struct json *status)
{
	return commits_at_unmount(status) && work_staged(status) > 0;
}

/* The daemon would commit when it's unmounted; not on a disc that takes nothing more. */
static int tell_keep(struct umount *umount)
{
	int err = target_tell(&umount->target, "unmounting keep");

	if (err == -EROFS)
		return EXIT_CODE_DONE;
	umount->told = true;
	return err < 0 ? ctl_fail(exit_code_of_errno(-err), "discfs can't be told to burn nothing: %s",
				  strerror(-err))
		       : EXIT_CODE_DONE;
}

static int say_not_now(struct umount *umount, const char *why)
{
	fprintf(stderr, "discfsctl: %s: nothing is burned now, since %s; what is staged stays staged\n",
		umount->target.root, why);
	return tell_keep(umount);
}

/* A disc that isn't there is no reason to keep its mount: udev ejects first, and has it unmounted then. */
static int commit_now(struct umount *umount)
{
	const struct work_wish wish = { 0 };
	int code = work_commit(&umount->target, &wish, umount->wish.quiet ? WORK_SILENT : WORK_PLAIN, true);

	if (code != EXIT_CODE_NO_MEDIUM)
		return code;
	fprintf(stderr, "discfsctl: %s is unmounted without its disc; what is staged stays staged\n",
		umount->target.root);
	return tell_keep(umount);
}

/* Nobody is there to wait: what -o umount= says. *ret_done: there's nothing more to settle. */
static int ask_mode(struct umount *umount, const struct json *status, bool by_unit, bool *ret_done)
{
	AUTO_FREE char *mode = json_string(status, "$.umount_mode");
	bool works = json_has(status, "$.work"), begins = means_commit(status) && !by_unit;
	int err = 0;

	if (!umount->may_hand_over || !mode || strcmp(mode, "wait") == 0 || (!works && !begins))
		return EXIT_CODE_DONE;
	if (strcmp(mode, "refuse") == 0)
		return ctl_fail(EXIT_CODE_BUSY,
				works ? "a commit is under way, which may take long: try again when it's done"
				      : "unmounting would burn what is staged, which may take long: in a "
					"terminal, discfsctl umount does it");
	if (begins || (by_unit && commits_at_unmount(status)))
		err = target_tell(&umount->target, begins ? "unmounting handover" : "unmounting keep");
	if (err < 0)
		return ctl_fail(exit_code_of_errno(-err), "the commit can't be handed over: %s",
				strerror(-err));
	umount->handed_over = umount->told = true;
	*ret_done = true;
	return EXIT_CODE_DONE;
}

/* What must be over before the mount goes: a commit that runs, and the one that the owner asked for with
 * commit=unmount. systemd unmounts after an idle time-out, and when a device goes, just as when somebody says
 * systemctl stop: by that nothing begins. */
static int commit_first(struct umount *umount, const struct json *status)
{
	CLEANUP(work_end_clear) struct work_end end = { 0 };
	bool works = json_has(status, "$.work"), by_unit = service_is_mount(), going, done = false;
	int code = EXIT_CODE_DONE;

	if (!works && !commits_at_unmount(status))
		return EXIT_CODE_DONE;
	going = power_is_going(); /* then who hands over cuts off */
	if (!going)
		code = ask_mode(umount, status, by_unit, &done);
	if (code || done)
		return code;
	if (works) {
		code = await_work(umount, &end);
		if (code)
			return code;
		status = &end.status;
	}
	going = going || power_is_going();
	if (means_commit(status) && !going && !by_unit)
		return commit_now(umount);
	if (means_commit(status))
		return say_not_now(umount, going ? "the system is going down" : "it's systemd that unmounts");
	return by_unit && commits_at_unmount(status) ? tell_keep(umount) : EXIT_CODE_DONE;
}

/* The daemon's warning says why it would be. */
static int would_lose(const struct umount *umount, const struct json *status)
{
	AUTO_FREE char *warning = json_string(status, "$.warnings[0]");

	return ctl_fail(EXIT_CODE_SYSTEM, "%s stays mounted: %s", umount->target.root,
			warning ? warning : "");
}

int umount_settle(struct umount *umount, int (*busy)(const struct target *target))
{
	AUTO_JSON struct json status = { 0 };
	int code;

	target_sync(&umount->target);
	code = target_status(&umount->target, &status);
	if (code)
		return code;
	umount->pid = (int)json_int(&status, "$.pid");
	umount->lost = json_bool(&status, "$.state_lost") && work_staged(&status);
	if (umount->lost && !umount->wish.force)
		return would_lose(umount, &status);
	code = busy ? busy(&umount->target) : EXIT_CODE_DONE;
	if (!code && !umount->lost)
		code = commit_first(umount, &status);
	umount->died = code == EXIT_CODE_NO_DISCFS;
	if (!code || code == EXIT_CODE_NO_DISCFS || code == EXIT_CODE_INTERRUPTED)
		return code;
	return ctl_fail(code, "%s stays mounted, and what is staged stays staged", umount->target.root);
}

void umount_take_back(struct umount *umount)
{
	if (umount->told)
		target_tell(&umount->target, "unmounting usual");
	umount->told = false;
}

/* Nothing ends by that. */
static int detach_twin(const struct target *target, const char *other, const struct umount_wish *wish)
{
	int code = umount_detach(target, 0);

	if (!code && !wish->quiet)
		printf("%s is unmounted; the disc stays mounted on %s\n", target->root, other);
	return code;
}

int umount_disc(struct target *target, const struct umount_wish *wish)
{
	struct umount umount = { .target = *target, .wish = *wish };
	AUTO_CLOSE int pidfd = -1;
	char other[PATH_MAX];
	int code;

	if (target_has_twin(target, other))
		return detach_twin(target, other, wish);
	code = umount_settle(&umount, umount_check_busy);
	if (code)
		return code;
	pidfd = umount_watch(&umount);
	code = umount_detach(target, 0);
	if (code) {
		umount_take_back(&umount);
		return code;
	}
	umount_await(pidfd, &umount);
	if (!wish->quiet)
		printf("%s is unmounted%s\n", target->root, umount.lost ? "; what was staged is lost" : "");
	return EXIT_CODE_DONE;
}
