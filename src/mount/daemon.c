/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/daemon.h"

#include "base/exit_code.h"
#include "base/log.h"
#include "host/power.h"
#include "host/service.h"
#include "mount/background.h"
#include "mount/flusher.h"
#include "mount/librarian.h"
#include "mount/pages.h"
#include "mount/parker.h"
#include "mount/seeker.h"
#include "mount/session.h"
#include "mount/stopper.h"
#include "mount/teller.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Buffers of a whole request are taken and given back all the time: keep them out of mmap. */
#define LARGEST_REUSED (8 << 20)

/* Mounting burns nothing: an I/O error is just that; no room, or that nothing may be written, is said of the
 * state directory. */
static int fail(const struct reason *why)
{
	enum exit_code code = exit_code_of_errno(why->err);
	bool is_of_burn = code == EXIT_CODE_BURN_FAILED || code == EXIT_CODE_NO_ROOM || why->err == EROFS;

	log_error("%s", why->text);
	service_failed(why->err, why->text);
	return (int)(is_of_burn ? EXIT_CODE_SYSTEM : code);
}

static int open_disc(struct mount *mount, const struct options *options, struct reason *why)
{
	struct disc_options disc = { .source = options->source,
				     .state_root = options->state_root,
				     .spool_dir = options->spool_dir,
				     .spool_limit = options->spool_limit,
				     .read_only = options->read_only,
				     .offline = options->offline,
				     .session = options->session,
				     .import = options->import,
				     .formats = options->formats,
				     .litter = &options->litter,
				     .damaged = options->damaged,
				     .afresh = options->afresh };
	int ret = disc_open(&mount->disc, &disc, why);

	if (ret < 0)
		return ret;
	if (mount->disc.read_only && !options->read_only)
		log_notice("%s is mounted read-only: %s", mount->disc.path, mount->disc.read_only_why);
	pthread_mutex_init(&mount->stale.lock, NULL);
	mount->inhibitor = -1;
	mount->owner = getuid();
	mount->allow_other = options->allow_other;
	pasts_init(&mount->pasts, &mount->disc);
	mount->control = (struct control){ .disc = &mount->disc,
					   .commit = &mount->commit,
					   .pasts = &mount->pasts,
					   .mountpoint = options->mountpoint,
					   .commit_on_unmount = options->commit_on_unmount,
					   .umount_mode = options->umount_mode };
	return 0;
}

/* The mount is gone; whoever unmounted it waits for nothing. What was asked for is done while the locks are
 * held. Returns the exit code. */
static int commit_at_end(struct commit *commit)
{
	struct commit_result last;
	uint64_t serial;
	int ret;

	commit_settle(commit); /* one that is under way doesn't hold what was staged since it began */
	ret = commit_request(commit, &(struct commit_wish){ 0 }, &serial);
	if (ret < 0) {
		log_error("the commit at unmounting is refused: %s; everything is still staged",
			  strerror(-ret));
		return (int)exit_code_of_errno(-ret);
	}
	commit_wait(commit, serial);	 /* the log tells how it ended */
	commit_hand_over(commit, false); /* it's kept: the list of commits tells how it ended */
	commit_last(commit, &last);
	return last.exit_code;
}

/* A signal isn't the owner's wish to burn, nor is the end of the system: only an unmount is. */
static bool is_wish_to_commit(const struct mount *mount, const struct options *options, int signal)
{
	if (signal || !options->commit_on_unmount || mount->disc.read_only ||
	    atomic_load(&mount->commit.keep))
		return false;
	if (!power_is_going())
		return true;
	log_notice("the system is going down: nothing is burned now, and everything stays staged");
	return false;
}

static void call_in(void *self)
{
	pages_call_in_all(self);
}

static void forget(void *self, uint64_t ino)
{
	struct mount *mount = self;

	mount->caches.inode(mount->caches.self, ino);
}

static bool is_written(void *self)
{
	return pages_are_written(self);
}

static void begin_end(void *self)
{
	stopper_poke(self);
}

/* *ret_code: of the process, when it served and the mount came to its end. */
static int serve(struct mount *mount, const struct options *options, int parent, int *ret_code,
		 struct reason *why)
{
	const struct commit_mount hooks = { call_in, forget, teller_writing, teller_ended, mount };
	int ret, signal;
	bool awaited;

	stopper_block();
	ret = session_mount(mount, options, why);
	if (ret < 0)
		return ret;
	mount->end = (struct control_end){ .is_busy = is_written, .begin = begin_end, .self = mount };
	mount->control.end = &mount->end;
	ret = commit_open(&mount->commit, &mount->disc, options->mountpoint, &hooks);
	if (ret == 0)
		ret = flusher_start(mount);
	if (ret == 0)
		ret = seeker_start(mount);
	if (ret == 0)
		ret = parker_start(mount);
	if (ret == 0)
		ret = librarian_start(mount);
	if (ret == 0)
		ret = stopper_start(mount, options->mountpoint);
	if (ret < 0)
		return reason_set(why, -ret, "threads can't be started: %s", strerror(-ret));
	awaited = background_ready(parent) == 0;
	if (awaited) {
		service_ready("mounted");
		ret = session_loop(mount);
	}
	service_stopping();
	signal = stopper_end(mount);
	librarian_stop(mount);
	parker_stop(mount);
	seeker_stop(mount);
	session_detach(mount); /* a commit that is under way may last an hour */
	commit_unmounted(&mount->commit);
	if (awaited && ret == 0 && is_wish_to_commit(mount, options, signal))
		*ret_code = commit_at_end(&mount->commit);
	commit_close(&mount->commit);
	flusher_stop(mount);
	return awaited ? 0
		       : reason_set(why, ECANCELED, "nobody waits for the mount any more: it's unmounted");
}

static int run(const struct options *options)
{
	int parent = options->foreground ? -1 : background_start(); /* who called ends in there */
	struct mount *mount AUTO_FREE = calloc(1, sizeof *mount);
	struct reason why = { 0 };
	int ret, code = EXIT_CODE_DONE;

	if (!mount || (!options->foreground && parent < 0))
		return EXIT_CODE_SYSTEM;
	ret = open_disc(mount, options, &why);
	if (ret < 0)
		return fail(&why);
	ret = serve(mount, options, parent, &code, &why);
	session_unmount(mount);
	vec_clear(&mount->stale.inos);
	pasts_close(&mount->pasts);
	disc_close(&mount->disc);
	return ret < 0 ? fail(&why) : code;
}

int daemon_main(int argc, char **argv)
{
	struct options options CLEANUP(options_clear);
	struct reason why = { 0 };

	mallopt(M_MMAP_THRESHOLD, LARGEST_REUSED);
	mallopt(M_TRIM_THRESHOLD, 2 * LARGEST_REUSED);
	signal(SIGPIPE, SIG_IGN);
	umask(077); /* of the state directory; who makes files in the mount brings an own one */
	log_open("discfs", false);
	if (options_parse(&options, argc, argv, &why) < 0) {
		fail(&why);
		return EXIT_CODE_USAGE;
	}
	log_open("discfs", options.debug);
	if (!options.help && !options.version)
		return run(&options);
	if (options.help)
		options_print_help();
	else
		printf("discfs %s\n", DISCFS_VERSION);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_CODE_DONE : EXIT_CODE_SYSTEM;
}
