/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/stale.h"

#include "store/links.h"

void stale_add(struct mount *mount, uint64_t ino)
{
	uint64_t *kept;

	WITH_LOCK(&mount->stale.lock);
	vec_each (&mount->stale.inos, known)
		if (*known == ino)
			return;
	kept = vec_push(&mount->stale.inos);
	if (kept)
		*kept = ino;
	atomic_store(&mount->stale.count, mount->stale.inos.count);
}

void stale_forget(struct mount *mount, uint64_t ino)
{
	if (atomic_load_explicit(&mount->stale.count, memory_order_relaxed) == 0)
		return;
	WITH_LOCK(&mount->stale.lock);
	vec_each (&mount->stale.inos, known)
		if (*known == ino) {
			*known = mount->stale.inos.items[--mount->stale.inos.count];
			break;
		}
	atomic_store(&mount->stale.count, mount->stale.inos.count);
}

static void collect(struct mount *mount, struct links *links)
{
	WITH_LOCK(&mount->stale.lock);
	vec_each (&mount->stale.inos, ino)
		links_add(links, &mount->disc.tree, *ino);
}

/* The next write() then asks us first: see write_ahead in ops_attr.c. It touches no page and takes no lock
 * that anybody holds for long. */
static void forget_attributes(struct mount *mount)
{
	VEC(uint64_t) inos = { 0 };

	{
		WITH_LOCK(&mount->stale.lock);
		vec_each (&mount->stale.inos, ino) {
			uint64_t *kept = vec_push(&inos);

			if (kept)
				*kept = *ino;
		}
	}
	vec_each (&inos, ino)
		fuse_lowlevel_notify_inval_inode(mount->session, *ino, -1, 0);
	vec_clear(&inos);
}

void stale_retry(struct mount *mount)
{
	struct links links = { 0 };
	struct progress_view work;

	if (atomic_load_explicit(&mount->stale.count, memory_order_relaxed) == 0)
		return;
	forget_attributes(mount);
	/* A commit asked for by setxattr holds the root directory's lock in the kernel: it would have to be
	 * waited for. */
	progress_get(&mount->commit.progress, &work);
	if (work.phase != PHASE_IDLE)
		return;
	collect(mount, &links);
	vec_each (&links.list, name)
		fuse_lowlevel_notify_inval_entry(mount->session, name->parent, link_name_bytes(&links, name),
						 name->length);
	links_clear(&links);
}
