/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/spool.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Left free on the host's file system: SQLite must still be able to record what was staged. */
#define HOST_RESERVE (32u << 20)
#define RUN_FIRST    (64u << 10)
#define RUN_LARGEST  (64u << 20)
#define CHECK_EVERY  (4u << 20)
#define WRITE_EARLY  (256u << 10)
#define AGAIN_BYTES  (1u << 20)

/* It may lie elsewhere (spool_place.h): then it must be there, or staged content would seem to be gone. */
static int open_file(int dir_fd, struct reason *why)
{
	int fd = openat(dir_fd, "spool", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		fd = openat(dir_fd, "spool", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return reason_set(why, errno,
				  errno == ENOENT
				      ? "the spool isn't where it was put: is its file system mounted? (%s)"
				      : "the spool can't be opened: %s",
				  strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		return fd;
	close(fd);
	return reason_set(why, EPERM, "the spool isn't a file of the user who mounts");
}

int spool_open(struct spool *spool, int dir_fd, uint64_t limit, struct reason *why)
{
	struct stat st;

	*spool = (struct spool){ .limit = limit, .can_punch = true };
	pthread_mutex_init(&spool->lock, NULL);
	spool->fd = open_file(dir_fd, why);
	if (spool->fd < 0)
		return spool->fd;
	if (fstat(spool->fd, &st) == 0)
		spool->unsynced.high = (uint64_t)st.st_size; /* who died before us may have left it so */
	return 0;
}

void spool_close(struct spool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	vec_clear(&spool->freed);
	extent_map_clear(&spool->shared);
	extent_map_clear(&spool->parted);
	pthread_mutex_destroy(&spool->lock);
	spool->fd = -1;
}

/* Free bytes on the host's file system, and how many of them stay for the database. False: it won't tell. */
static bool host_ask(const struct spool *spool, uint64_t *ret_room, uint64_t *ret_reserve)
{
	struct statvfs vfs;

	if (fstatvfs(spool->fd, &vfs) < 0)
		return false;
	*ret_room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	*ret_reserve = min_u64(HOST_RESERVE, (uint64_t)vfs.f_blocks * vfs.f_frsize / 8);
	return true;
}

static bool host_has_room(struct spool *spool, uint64_t length)
{
	uint64_t reserve, room;

	if (spool->checked >= length) {
		spool->checked -= length;
		return true;
	}
	if (!host_ask(spool, &room, &reserve))
		return true; /* pwrite will tell */
	if (room < reserve + length)
		return false;
	spool->checked = min_u64(CHECK_EVERY, (room - reserve - length) / 2);
	return true;
}

uint64_t spool_room(struct spool *spool)
{
	uint64_t reserve, room;

	if (!host_ask(spool, &room, &reserve))
		room = UINT64_MAX;
	else
		room -= min_u64(room, reserve);
	WITH_LOCK(&spool->lock);
	return spool->limit ? min_u64(room, spool->limit - min_u64(spool->limit, spool->used)) : room;
}

bool spool_waits_for_room(struct spool *spool, uint64_t length)
{
	uint64_t reserve, room;
	bool freed;

	{
		WITH_LOCK(&spool->lock);
		freed = spool->freed.count > 0 && spool->can_punch;
	}
	return freed && host_ask(spool, &room, &reserve) && room < reserve + length;
}

bool spool_find_gap(const struct spool *spool, uint64_t origin, uint64_t length, uint64_t *ret_at,
		    uint64_t *ret_length)
{
	uint64_t end = origin + length;
	off_t hole = lseek(spool->fd, (off_t)origin, SEEK_HOLE), data;

	if (hole < 0 && errno != ENXIO)
		return false; /* a file system that doesn't know */
	if (hole < 0)
		hole = (off_t)origin;
	if ((uint64_t)hole >= end)
		return false;
	data = lseek(spool->fd, hole, SEEK_DATA);
	*ret_at = (uint64_t)hole;
	*ret_length = (data < 0 ? end : min_u64(end, (uint64_t)data)) - (uint64_t)hole;
	return true;
}

bool spool_host_is_low(const struct spool *spool)
{
	uint64_t reserve, room;

	return host_ask(spool, &room, &reserve) && room < reserve / 2;
}

/* A new run; with a run to continue, more than is needed now is reserved behind it: addresses cost nothing.
 */
static void spool_start_run(struct spool *spool, struct spool_run *run, uint64_t length)
{
	run->grow = run->grow ? min_u64(run->grow * 4, RUN_LARGEST) : max_u64(RUN_FIRST, length);
	if (run->origin == 0 && run->left == 0 && length < RUN_FIRST)
		run->grow = length; /* most files are written once, small, and never grow */
	run->origin = spool->next;
	run->left = round_up(max_u64(run->grow, length), SPOOL_ALIGN);
	spool->next += run->left;
}

int spool_allocate(struct spool *spool, struct spool_run *run, uint64_t length, uint64_t *ret_origin,
		   uint64_t *ret_length)
{
	struct spool_run once = { .grow = length };

	WITH_LOCK(&spool->lock);
	if (spool->limit && length > spool->limit - min_u64(spool->limit, spool->used))
		return -ENOSPC;
	if (!host_has_room(spool, length))
		return -ENOSPC;
	if (!run)
		run = &once;
	if (run->left && run->origin < spool->frozen)
		run->left = 0;
	if (run->left == 0)
		spool_start_run(spool, run, length);
	length = min_u64(length, run->left);
	*ret_origin = run->origin;
	*ret_length = length;
	run->origin += length;
	run->left -= length;
	spool->used += length;
	return 0;
}

/* Needs lock. [0, 0) is nothing. */
static void widen_unsynced(struct spool *spool, uint64_t low, uint64_t high)
{
	if (high == 0)
		return;
	spool->unsynced.low = spool->unsynced.high ? min_u64(low, spool->unsynced.low) : low;
	spool->unsynced.high = max_u64(high, spool->unsynced.high);
}

int spool_sync(struct spool *spool)
{
	uint64_t low, high;
	int ret;

	if (atomic_load(&spool->sync_failed))
		return -EAGAIN;
	{
		WITH_LOCK(&spool->lock);
		low = spool->unsynced.low;
		high = spool->unsynced.high;
		spool->unsynced.low = spool->unsynced.high = 0;
	}
	if (high == 0)
		return 0;
	if (fdatasync(spool->fd) == 0)
		return 0;
	ret = -errno;
	WITH_LOCK(&spool->lock);
	widen_unsynced(spool, low, high);
	atomic_store(&spool->sync_failed, true);
	return ret;
}

/* Reads and writes the same bytes. Returns where it came to, or -errno. */
static int64_t write_again(const struct spool *spool, uint64_t at, uint64_t end, uint8_t *buffer)
{
	off_t data = lseek(spool->fd, (off_t)at, SEEK_DATA);
	int64_t got;
	int ret;

	if (data < 0)
		return errno == ENXIO ? (int64_t)end : -errno;
	if ((uint64_t)data >= end)
		return (int64_t)end;
	got = fd_pread_full(spool->fd, buffer, (size_t)min_u64(AGAIN_BYTES, end - (uint64_t)data),
			    (uint64_t)data);
	ret = got > 0 ? fd_pwrite_full(spool->fd, buffer, (size_t)got, (uint64_t)data) : (int)got;
	if (ret < 0)
		return ret;
	return got ? data + got : (int64_t)end;
}

int spool_sync_again(struct spool *spool)
{
	uint8_t *buffer AUTO_FREE = malloc(AGAIN_BYTES);
	int64_t at = (int64_t)spool->unsynced.low;

	if (!buffer)
		return -ENOMEM;
	while (at >= 0 && (uint64_t)at < spool->unsynced.high)
		at = write_again(spool, (uint64_t)at, spool->unsynced.high, buffer);
	if (at < 0)
		return (int)at;
	if (fdatasync(spool->fd) < 0)
		return -errno;
	spool->unsynced.low = spool->unsynced.high = 0;
	atomic_store(&spool->sync_failed, false);
	return 0;
}

/* The disk begins on the pieces of a large file at once, not when somebody syncs: 1 GiB with fsync takes
 * three quarters of the time, and the periodic sync is short. */
int spool_fill(struct spool *spool, const void *data, size_t length, uint64_t origin)
{
	int ret = fd_pwrite_full(spool->fd, data, length, origin);

	{
		/* Behind the write: a sync that begins in between must not take it for done. */
		WITH_LOCK(&spool->lock);
		widen_unsynced(spool, origin, origin + length);
	}
	if (ret == 0 && length >= WRITE_EARLY)
		sync_file_range(spool->fd, (off_t)origin, (off_t)length, SYNC_FILE_RANGE_WRITE);
	return ret;
}

/* Sets how often a range counts where that number is the same all over. */
static int set_count(struct extent_map *map, const struct extent *range, unsigned count)
{
	struct extent counted = { .offset = range->offset, .length = range->length, .origin = range->offset };

	counted.kind = (enum extent_kind)count;
	return count ? extent_map_set(map, &counted) : extent_map_punch(map, range->offset, range->length);
}

/* Counts one more or one less for each byte of a range, all of which count already when it's less. */
static int count_range(struct extent_map *map, uint64_t origin, uint64_t length, int by, uint64_t *ret_done)
{
	int ret = 0;

	*ret_done = 0;
	while (ret == 0 && *ret_done < length) {
		struct extent range;

		extent_map_piece(map, origin + *ret_done, length - *ret_done, &range);
		ret = set_count(map, &range, (unsigned)((int)range.kind + by));
		*ret_done += ret == 0 ? range.length : 0;
	}
	return ret;
}

/* One more for the whole range, or for none of it. */
static int count_more(struct extent_map *map, uint64_t origin, uint64_t length)
{
	uint64_t done, undone;
	int ret = count_range(map, origin, length, 1, &done);

	if (ret < 0) /* the way back needs no memory: the map was as small before */
		count_range(map, origin, done, -1, &undone);
	return ret;
}

int spool_share(struct spool *spool, uint64_t origin, uint64_t length)
{
	WITH_LOCK(&spool->lock);
	return count_more(&spool->shared, origin, length);
}

/* Needs lock. One extent less points at a range that is shared; without memory it stays so, and comes back
 * with the next spool_adopt. A row may still lead there: who is left doesn't overwrite it yet. */
static void part_range(struct spool *spool, const struct extent *range)
{
	struct extent *parted;

	if (count_more(&spool->parted, range->offset, range->length) < 0)
		return;
	parted = vec_push(&spool->freed);
	if (!parted)
		return;
	*parted = (struct extent){ .origin = range->offset, .length = range->length, .kind = EXTENT_SPOOL };
	set_count(&spool->shared, range, (unsigned)range->kind - 1);
}

/* Needs lock. Nothing at all points at the range any more. */
static void free_range(struct spool *spool, uint64_t origin, uint64_t length)
{
	struct extent *freed;

	spool->used -= min_u64(length, spool->used);
	if (origin < spool->frozen)
		return; /* spool_adopt after the commit finds it */
	freed = vec_push(&spool->freed);
	if (freed)
		*freed = (struct extent){ .origin = origin, .length = length };
}

void spool_free(struct spool *spool, uint64_t origin, uint64_t length)
{
	WITH_LOCK(&spool->lock);
	for (uint64_t done = 0; done < length;) {
		struct extent range;

		extent_map_piece(&spool->shared, origin + done, length - done, &range);
		done += range.length;
		if (range.kind)
			part_range(spool, &range);
		else
			free_range(spool, range.offset, range.length);
	}
}

uint64_t spool_writable(struct spool *spool, uint64_t origin, uint64_t length)
{
	struct extent range;

	WITH_LOCK(&spool->lock);
	if (origin < spool->frozen)
		return 0;
	extent_map_piece(&spool->shared, origin, length, &range);
	if (range.kind == 0)
		extent_map_piece(&spool->parted, origin, range.length, &range);
	return range.kind ? 0 : range.length;
}

uint64_t spool_mark(struct spool *spool)
{
	WITH_LOCK(&spool->lock);
	return spool->settled + spool->freed.count;
}

static void spool_punch(struct spool *spool, uint64_t origin, uint64_t length)
{
	if (!spool->can_punch || length == 0)
		return;
	if (fallocate(spool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)origin, (off_t)length) ==
	    0)
		return;
	spool->can_punch = false;
	log_notice("the spool's file system can't punch holes (%s): space comes back when the spool is empty",
		   strerror(errno));
}

static void spool_reset_if_empty(struct spool *spool)
{
	if (spool->used || spool->freed.count || spool->frozen || spool->next == 0)
		return;
	/* Reservations of open files may still point above: the pointer stays, the space goes. */
	if (ftruncate(spool->fd, 0) < 0)
		log_error("the spool can't be truncated: %s", strerror(errno));
}

/* Needs lock. */
static void settle_range(struct spool *spool, const struct extent *freed, bool punch)
{
	uint64_t done;

	if (freed->kind)
		count_range(&spool->parted, freed->origin, freed->length, -1, &done);
	else if (punch)
		spool_punch(spool, freed->origin, freed->length);
}

void spool_settle(struct spool *spool, uint64_t mark)
{
	size_t count;
	bool empty;

	WITH_LOCK(&spool->lock);
	if (mark <= spool->settled)
		return; /* another thread was faster */
	count = (size_t)min_u64(mark - spool->settled, spool->freed.count);
	empty = spool->used == 0 && spool->frozen == 0 && count == spool->freed.count;
	for (size_t i = 0; i < count; i++)
		settle_range(spool, &spool->freed.items[i], !empty);
	spool->freed.count -= count;
	spool->settled += count;
	if (spool->freed.count)
		memmove(spool->freed.items, spool->freed.items + count,
			spool->freed.count * sizeof *spool->freed.items);
	spool_reset_if_empty(spool);
}

void spool_freeze(struct spool *spool)
{
	WITH_LOCK(&spool->lock);
	spool->frozen = spool->next;
}

void spool_thaw(struct spool *spool)
{
	WITH_LOCK(&spool->lock);
	spool->frozen = 0;
}

static int extent_by_origin(const void *a, const void *b)
{
	const struct extent *left = a, *right = b;

	return (left->origin > right->origin) - (left->origin < right->origin);
}

int spool_adopt(struct spool *spool, struct extent *used, size_t count, bool punch)
{
	struct stat st;
	uint64_t at = 0;
	int ret = 0;

	WITH_LOCK(&spool->lock);
	extent_map_clear(&spool->shared);
	extent_map_clear(&spool->parted);
	if (count)
		qsort(used, count, sizeof *used, extent_by_origin);
	spool->used = 0;
	spool->settled += spool->freed.count;
	spool->freed.count = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t end = used[i].origin + used[i].length;

		if (punch && used[i].origin > at)
			spool_punch(spool, at, used[i].origin - at);
		if (used[i].origin < at)
			ret = count_more(&spool->shared, used[i].origin, min_u64(at, end) - used[i].origin);
		if (ret < 0)
			return ret;
		spool->used += end - min_u64(end, max_u64(at, used[i].origin));
		at = max_u64(at, end);
	}
	spool->next = max_u64(spool->next, round_up(at, SPOOL_ALIGN));
	if (fstat(spool->fd, &st) == 0 && (uint64_t)st.st_size > spool->next)
		spool->next = round_up((uint64_t)st.st_size, SPOOL_ALIGN);
	if (punch && at < spool->next)
		spool_punch(spool, at, spool->next - at);
	if (punch)
		spool_reset_if_empty(spool);
	return 0;
}
