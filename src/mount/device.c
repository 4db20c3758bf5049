/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/device.h"

#include "mount/killpriv.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS 4000000
#define SMALL_WRITE (16u << 10)

/* Needs neither a device nor a sync. A large write is copied by one thread while another writes the one
 * before. */
static bool is_short(const struct fuse_in_header *head)
{
	static const uint64_t names_and_attributes =
	    1ull << FUSE_LOOKUP | 1ull << FUSE_FORGET | 1ull << FUSE_BATCH_FORGET | 1ull << FUSE_GETATTR |
	    1ull << FUSE_SETATTR | 1ull << FUSE_MKNOD | 1ull << FUSE_MKDIR | 1ull << FUSE_SYMLINK |
	    1ull << FUSE_LINK | 1ull << FUSE_UNLINK | 1ull << FUSE_RMDIR | 1ull << FUSE_RENAME |
	    1ull << FUSE_RENAME2 | 1ull << FUSE_CREATE | 1ull << FUSE_OPEN | 1ull << FUSE_RELEASE |
	    1ull << FUSE_GETXATTR;

	if (is_virtual(head->nodeid) || head->opcode >= 64)
		return false;
	if (head->opcode == FUSE_WRITE)
		return head->len <= SMALL_WRITE;
	return names_and_attributes >> head->opcode & 1;
}

static void unlock(void *lock)
{
	pthread_mutex_unlock(lock);
}

/* One of those who wait keeps an eye on the one who reads. Sleeps as long as nothing is being done; ends the
 * turn of one who has been at the same request all the time. */
static void watch(struct turn *turn)
{
	struct timespec until;
	uint64_t at = turn->request;

	turn->watched = true;
	if (turn->busy) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += PATIENCE_NS;
		until.tv_sec += until.tv_nsec / NS_PER_SEC;
		until.tv_nsec %= NS_PER_SEC;
		if (pthread_cond_timedwait(&turn->watch, &turn->lock, &until) == ETIMEDOUT && turn->busy &&
		    turn->request == at)
			turn->taken = turn->busy = false;
	} else {
		turn->asleep = true;
		pthread_cond_wait(&turn->watch, &turn->lock);
		turn->asleep = false;
	}
	turn->watched = false;
}

/* A thread may be cancelled while it waits: when the mount ends. */
static void take_turn(struct turn *turn)
{
	pthread_mutex_lock(&turn->lock);
	pthread_cleanup_push(unlock, &turn->lock);
	if (!turn->busy || !pthread_equal(turn->owner, pthread_self())) {
		while (turn->taken)
			if (turn->watched)
				pthread_cond_wait(&turn->wait, &turn->lock);
			else
				watch(turn);
		turn->taken = true;
		turn->owner = pthread_self();
		if (!turn->watched)
			pthread_cond_signal(&turn->wait); /* who watches now? */
	}
	turn->busy = false;
	pthread_cleanup_pop(1);
}

static void got_request(struct turn *turn, bool keep)
{
	WITH_LOCK(&turn->lock);
	turn->request++;
	turn->busy = turn->taken = keep;
	if (keep ? turn->asleep : turn->watched)
		pthread_cond_signal(&turn->watch);
	else if (!keep)
		pthread_cond_signal(&turn->wait);
}

static ssize_t read_request(int fd, void *buffer, size_t room, void *self)
{
	struct mount *mount = self;
	ssize_t got;

	take_turn(&mount->turn);
	got = read(fd, buffer, room);
	got_request(&mount->turn, got >= (ssize_t)sizeof(struct fuse_in_header) && is_short(buffer));
	return got;
}

/* The first reply of all is that to INIT: the kernel sends nothing else before it. */
static ssize_t write_reply(int fd, struct iovec *iov, int count, void *self)
{
	struct mount *mount = self;

	if (!atomic_exchange_explicit(&mount->promised, true, memory_order_relaxed))
		killpriv_promise(iov, count);
	return writev(fd, iov, count);
}

int device_open(struct mount *mount)
{
	static const struct fuse_custom_io io = { .read = read_request, .writev = write_reply };
	pthread_condattr_t monotonic;

	pthread_mutex_init(&mount->turn.lock, NULL);
	pthread_cond_init(&mount->turn.wait, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&mount->turn.watch, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return fuse_session_custom_io(mount->session, &io, fuse_session_fd(mount->session));
}
