/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/stopper.h"

#include "base/log.h"
#include "mount/pages.h"
#include "mount/parker.h"
#include "mount/seeker.h"
#include "proc/flush.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_MS 30000 /* whoever sends SIGKILL next waits longer */
#define POKE_US	 50000u

static void wait_for(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
}

/* Ends a wait. */
static void no_handler(int number)
{
}

void stopper_block(void)
{
	const struct sigaction poke = { .sa_handler = no_handler };
	sigset_t set;

	wait_for(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGUSR1, &poke, NULL);
}

/* The loop looks whether the session has ended when its wait is interrupted: it may be just before that wait.
 */
static void end_session(struct mount *mount)
{
	fuse_session_exit(mount->session);
	while (!atomic_load(&mount->stopper.ended)) {
		pthread_kill(mount->stopper.loop, SIGUSR1);
		usleep(POKE_US);
	}
}

static void *stopper(void *self)
{
	struct mount *mount = self;
	struct reason why = { 0 };
	sigset_t set;
	int number = 0;

	wait_for(&set);
	sigwait(&set, &number);
	if (atomic_load(&mount->stopper.ended))
		return NULL;
	log_notice("ending: %s", strsignal(number));
	parker_stop(mount); /* pages that wait to be read can't be called in */
	if (flush_mount(mount->stopper.mountpoint, FLUSH_MS, &why) < 0)
		log_error("what programs wrote last may be lost: %s", why.text);
	pages_call_in_all(mount);
	seeker_stop(mount);
	atomic_store(&mount->stopper.number, number);
	end_session(mount);
	return NULL;
}

int stopper_start(struct mount *mount, const char *mountpoint)
{
	mount->stopper.mountpoint = mountpoint;
	mount->stopper.loop = pthread_self();
	return -pthread_create(&mount->stopper.thread, NULL, stopper, mount);
}

void stopper_poke(struct mount *mount)
{
	pthread_kill(mount->stopper.thread, SIGTERM);
}

int stopper_end(struct mount *mount)
{
	atomic_store(&mount->stopper.ended, true);
	pthread_kill(mount->stopper.thread, SIGTERM);
	pthread_join(mount->stopper.thread, NULL);
	return atomic_load(&mount->stopper.number);
}
