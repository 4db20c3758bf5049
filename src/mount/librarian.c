/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/librarian.h"

#include "base/log.h"
#include "mount/past.h"

#include <errno.h>
#include <string.h>

/* Tells why only where the caller can't guess it. */
static int hold(struct mount *mount, uint32_t number, struct past **ret)
{
	struct reason why = { 0 };
	int err = pasts_hold(&mount->pasts, number, true, ret, &why);

	if (err == 0 || err == -ENOENT || err == -EBUSY || err == -ENOMEDIUM)
		return err;
	log_error("session %u can't be shown: %s", (unsigned)number, why.text);
	return err == -ENOMEM || err == -ENOSPC ? err : -EIO;
}

static void answer(struct mount *mount, const struct request *request)
{
	struct past *past;
	int err = hold(mount, request->session, &past);

	if (err < 0) {
		reply_err(request->req, err);
		return;
	}
	past_reply_root(request->req, past, request->entry);
	pasts_release(&mount->pasts, past);
}

/* False: the end. */
static bool next(struct mount *mount, struct request *ret)
{
	WITH_LOCK(&mount->librarian.lock);
	while (mount->librarian.asked.count == 0 && !mount->librarian.stop)
		pthread_cond_wait(&mount->librarian.wake, &mount->librarian.lock);
	if (mount->librarian.stop)
		return false;
	*ret = mount->librarian.asked.items[0];
	memmove(mount->librarian.asked.items, mount->librarian.asked.items + 1,
		--mount->librarian.asked.count * sizeof *ret);
	return true;
}

static void *librarian(void *self)
{
	struct request request;

	while (next(self, &request))
		answer(self, &request);
	return NULL;
}

int librarian_start(struct mount *mount)
{
	pthread_mutex_init(&mount->librarian.lock, NULL);
	pthread_cond_init(&mount->librarian.wake, NULL);
	return -pthread_create(&mount->librarian.thread, NULL, librarian, mount);
}

void librarian_stop(struct mount *mount)
{
	{
		WITH_LOCK(&mount->librarian.lock);
		if (mount->librarian.stop)
			return;
		mount->librarian.stop = true;
		pthread_cond_signal(&mount->librarian.wake);
	}
	pthread_join(mount->librarian.thread, NULL);
	vec_each (&mount->librarian.asked, request)
		reply_err(request->req, -ENOTCONN);
	vec_clear(&mount->librarian.asked);
}

static bool add(struct mount *mount, const struct request *request)
{
	struct request *asked;

	WITH_LOCK(&mount->librarian.lock);
	asked = mount->librarian.stop ? NULL : vec_push(&mount->librarian.asked);
	if (!asked)
		return false;
	*asked = *request;
	pthread_cond_signal(&mount->librarian.wake);
	return true;
}

void librarian_ask(struct mount *mount, const struct request *request)
{
	struct reason unsaid = { 0 };
	struct past *past;

	if (pasts_hold(&mount->pasts, request->session, false, &past, &unsaid) == 0) {
		past_reply_root(request->req, past, request->entry);
		pasts_release(&mount->pasts, past);
	} else if (!add(mount, request)) {
		reply_err(request->req, -ENOTCONN);
	}
}
