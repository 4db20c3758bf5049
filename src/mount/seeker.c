/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/seeker.h"

#include "mount/pages.h"
#include "store/body.h"

#include <errno.h>

#define THREADS_MOST 16u

static void answer(struct mount *mount, const struct seek *seek)
{
	int64_t at;

	pages_call_in(mount, seek->ino);
	at = body_seek(seek->inode, seek->offset, seek->whence);
	if (at < 0)
		reply_err(seek->req, (int)at);
	else
		fuse_reply_lseek(seek->req, at);
}

/* False: the end, and nothing is left to do. */
static bool next(struct mount *mount, struct seek *ret)
{
	WITH_LOCK(&mount->seeker.lock);
	mount->seeker.idle++;
	while (mount->seeker.asked.count == 0 && !mount->seeker.stop)
		pthread_cond_wait(&mount->seeker.wake, &mount->seeker.lock);
	mount->seeker.idle--;
	if (mount->seeker.asked.count == 0)
		return false;
	*ret = mount->seeker.asked.items[--mount->seeker.asked.count];
	return true;
}

static void *seeker(void *self)
{
	struct seek seek;

	while (next(self, &seek))
		answer(self, &seek);
	return NULL;
}

/* Needs seeker.lock, or nobody else at work. */
static int add_thread(struct mount *mount)
{
	pthread_t *thread = vec_push(&mount->seeker.threads);
	int ret = thread ? -pthread_create(thread, NULL, seeker, mount) : -ENOMEM;

	if (thread && ret < 0)
		mount->seeker.threads.count--;
	return ret;
}

int seeker_start(struct mount *mount)
{
	pthread_mutex_init(&mount->seeker.lock, NULL);
	pthread_cond_init(&mount->seeker.wake, NULL);
	return add_thread(mount);
}

void seeker_stop(struct mount *mount)
{
	{
		WITH_LOCK(&mount->seeker.lock);
		if (mount->seeker.stop)
			return;
		mount->seeker.stop = true;
		pthread_cond_broadcast(&mount->seeker.wake);
	}
	vec_each (&mount->seeker.threads, thread)
		pthread_join(*thread, NULL);
	vec_clear(&mount->seeker.threads);
	vec_clear(&mount->seeker.asked);
}

void seeker_ask(struct mount *mount, const struct seek *seek)
{
	struct seek *asked;

	WITH_LOCK(&mount->seeker.lock);
	asked = mount->seeker.stop ? NULL : vec_push(&mount->seeker.asked);
	if (!asked) {
		reply_err(seek->req, mount->seeker.stop ? -EINTR : -ENOMEM);
		return;
	}
	*asked = *seek;
	if (mount->seeker.asked.count > mount->seeker.idle && mount->seeker.threads.count < THREADS_MOST)
		add_thread(mount); /* without it, it waits for the others */
	pthread_cond_signal(&mount->seeker.wake);
}
