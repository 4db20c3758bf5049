/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/flusher.h"

#include "base/log.h"
#include "commit/lost_state.h"
#include "mount/session.h"
#include "mount/stale.h"
#include "mount/teller.h"
#include "store/lost.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define FLUSH_MS    500
#define SYNC_EVERY  10 /* flushes */
#define LOOK_EVERY  4
#define ROOM_ENOUGH (16u << 20)

/* Returns true when the mount ends. */
static bool pause_flusher(struct mount *mount)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += FLUSH_MS * 1000000l;
	until.tv_sec += until.tv_nsec / NS_PER_SEC;
	until.tv_nsec %= NS_PER_SEC;
	WITH_LOCK(&mount->flusher_lock);
	while (!mount->flusher_stop)
		if (pthread_cond_timedwait(&mount->flusher_wake, &mount->flusher_lock, &until) == ETIMEDOUT)
			break;
	return mount->flusher_stop;
}

/* Once a write was refused, until there's room to speak of again. */
static void look_for_room(struct tree *tree)
{
	if (!atomic_load(&tree->short_of_room) || lost_room(tree) < ROOM_ENOUGH)
		return;
	atomic_store(&tree->short_of_room, false);
	atomic_store(&tree->lost_told, 0);
}

static void *flusher(void *self)
{
	struct mount *mount = self;
	struct tree *tree = &mount->disc.tree;
	uint64_t synced = 0;
	int told = 0;

	session_raise_read_ahead(mount->control.mountpoint);
	for (unsigned round = 1; !pause_flusher(mount); round++) {
		uint64_t stamp = atomic_load(&tree->stamp);
		bool sync = round % SYNC_EVERY == 0 && stamp != synced;
		struct reason lost = { 0 };
		int ret = round % LOOK_EVERY == 0 ? lost_state_check(&mount->disc, &lost) : 0;

		if (ret == 0)
			ret = sync ? tree_sync(tree) : tree_flush(tree);

		if (sync && ret == 0)
			synced = stamp;
		if (ret < 0 && ret != told && !atomic_load(&mount->disc.state_lost))
			log_error("staged work can't be written to %s: %s", mount->disc.state.path,
				  strerror(-ret));
		told = ret;
		db_checkpoint(&tree->db, ret < 0); /* an emptied log can be written again on a full disk */
		disc_update_room(&mount->disc);
		look_for_room(tree);
		stale_retry(mount);
		teller_tick(mount);
	}
	return NULL;
}

int flusher_start(struct mount *mount)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&mount->flusher_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&mount->flusher_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return -pthread_create(&mount->flusher, NULL, flusher, mount);
}

void flusher_stop(struct mount *mount)
{
	{
		WITH_LOCK(&mount->flusher_lock);
		mount->flusher_stop = true;
		pthread_cond_signal(&mount->flusher_wake);
	}
	pthread_join(mount->flusher, NULL);
}
