/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/parker.h"

#include "store/body.h"

#include <errno.h>
#include <string.h>

struct parked {
	struct mount *mount;
	fuse_req_t req;
	struct inode *inode;
	size_t size;
	uint64_t offset;
	bool again;		  /* worth another try; by parker.lock */
	_Atomic bool interrupted; /* the caller has a signal */
};

/* False: it needs the disc, and that is held. */
static bool answer_read(struct tree *tree, fuse_req_t req, struct inode *inode, size_t size, uint64_t offset)
{
	char *buffer AUTO_FREE = malloc(size);
	int64_t got = buffer ? body_read(tree, inode, buffer, size, offset) : -ENOMEM;

	if (got == -EAGAIN && !tree->disc.missing) /* that may last for years */
		return false;
	if (got < 0 && atomic_load(&inode->writers))
		atomic_store(&inode->unread, true); /* see is_echo in ops_attr.c */
	if (got < 0)
		reply_err(req, (int)got);
	else
		fuse_reply_buf(req, buffer, (size_t)got);
	return true;
}

static void wake(struct mount *mount)
{
	WITH_LOCK(&mount->parker.lock);
	pthread_cond_signal(&mount->parker.wake);
}

/* libfuse may call it from within fuse_req_interrupt_func, and goes on with the request afterwards: so the
 * answer is left to the thread. */
static void interrupted(fuse_req_t req, void *self)
{
	struct parked *parked = self;

	atomic_store(&parked->interrupted, true);
	wake(parked->mount);
}

static bool add(struct parked *parked)
{
	struct mount *mount = parked->mount;
	struct parked **place;

	WITH_LOCK(&mount->parker.lock);
	place = mount->parker.stop ? NULL : vec_push(&mount->parker.parked);
	if (!place)
		return false;
	*place = parked;
	atomic_store(&mount->disc.tree.disc.waiting, mount->parker.parked.count);
	pthread_cond_signal(&mount->parker.wake); /* the disc may be free by now */
	return true;
}

/* The request is on nobody's list. */
static void refuse(struct parked *parked, int err)
{
	fuse_req_interrupt_func(parked->req, NULL, NULL);
	reply_err(parked->req, err);
	free(parked);
}

static void park(struct parked *parked)
{
	fuse_req_interrupt_func(parked->req, interrupted, parked);
	if (!add(parked))
		refuse(parked, -ENOTCONN);
}

void parker_read(struct mount *mount, fuse_req_t req, struct inode *inode, size_t size, uint64_t offset)
{
	struct parked *parked;

	if (answer_read(&mount->disc.tree, req, inode, size, offset))
		return;
	parked = calloc(1, sizeof *parked);
	if (!parked) {
		reply_err(req, -ENOMEM);
		return;
	}
	*parked =
	    (struct parked){ .mount = mount, .req = req, .inode = inode, .size = size, .offset = offset };
	park(parked);
}

/* Needs parker.lock. Takes one off the list that waits no more: *ret_err says how to answer it, 0 = try. */
static struct parked *take_ready(struct mount *mount, int *ret_err)
{
	bool held = disc_reader_is_held(&mount->disc.tree.disc);

	for (size_t i = 0; i < mount->parker.parked.count; i++) {
		struct parked **place = &mount->parker.parked.items[i], *parked = *place;

		*ret_err = mount->parker.stop ? -ENOTCONN : atomic_load(&parked->interrupted) ? -EINTR : 0;
		if (*ret_err == 0 && held && !parked->again)
			continue;
		parked->again = false;
		memmove(place, place + 1, (--mount->parker.parked.count - i) * sizeof *place);
		atomic_store(&mount->disc.tree.disc.waiting, mount->parker.parked.count);
		return parked;
	}
	return NULL;
}

/* NULL: the end. */
static struct parked *next(struct mount *mount, int *ret_err)
{
	struct parked *parked;

	WITH_LOCK(&mount->parker.lock);
	while (!(parked = take_ready(mount, ret_err)) && !mount->parker.stop)
		pthread_cond_wait(&mount->parker.wake, &mount->parker.lock);
	return parked;
}

static void try_again(struct parked *parked)
{
	fuse_req_interrupt_func(parked->req, NULL, NULL); /* nobody has a hand on it now */
	if (answer_read(&parked->mount->disc.tree, parked->req, parked->inode, parked->size, parked->offset))
		free(parked);
	else
		park(parked);
}

static void *parker(void *self)
{
	struct parked *parked;
	int err;

	while ((parked = next(self, &err)))
		if (err < 0)
			refuse(parked, err);
		else
			try_again(parked);
	return NULL;
}

static void disc_released(void *self)
{
	wake(self);
}

int parker_start(struct mount *mount)
{
	pthread_mutex_init(&mount->parker.lock, NULL);
	pthread_cond_init(&mount->parker.wake, NULL);
	mount->disc.tree.disc.self = mount;
	mount->disc.tree.disc.released = disc_released;
	return -pthread_create(&mount->parker.thread, NULL, parker, mount);
}

void parker_stop(struct mount *mount)
{
	{
		WITH_LOCK(&mount->parker.lock);
		if (mount->parker.stop)
			return;
		mount->parker.stop = true;
		pthread_cond_signal(&mount->parker.wake);
	}
	pthread_join(mount->parker.thread, NULL);
	vec_clear(&mount->parker.parked);
}

void parker_changed(struct mount *mount, const struct inode *inode)
{
	if (atomic_load_explicit(&mount->disc.tree.disc.waiting, memory_order_relaxed) == 0)
		return;
	WITH_LOCK(&mount->parker.lock);
	vec_each (&mount->parker.parked, parked)
		(*parked)->again |= (*parked)->inode == inode;
	pthread_cond_signal(&mount->parker.wake);
}
