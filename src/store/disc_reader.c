/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/disc_reader.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/sg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK	  (32u * SECTOR)
#define MISSED_MS 30000
#define CHANGE_MS 3000 /* nobody opens a tray, changes the disc and has it spun up in that time */

void disc_reader_init(struct disc_reader *disc)
{
	*disc = (struct disc_reader){ .fd = -1 };
	pthread_mutex_init(&disc->lock, NULL);
	pthread_cond_init(&disc->idle, NULL);
}

void disc_reader_destroy(struct disc_reader *disc)
{
	pthread_mutex_destroy(&disc->lock);
	pthread_cond_destroy(&disc->idle);
}

static bool begin(struct disc_reader *disc)
{
	WITH_LOCK(&disc->lock);
	disc->reading += !disc->held;
	return !disc->held;
}

static void end(struct disc_reader *disc)
{
	WITH_LOCK(&disc->lock);
	if (--disc->reading == 0 && disc->held)
		pthread_cond_signal(&disc->idle);
}

/* Whole sectors, and of those what was asked for. */
static int64_t read_drive(const struct disc_reader *disc, uint8_t *data, size_t length, uint64_t origin)
{
	AUTO_FREE uint8_t *sectors = malloc(CHUNK);

	if (!sectors)
		return -ENOMEM;
	for (size_t done = 0; done < length;) {
		uint64_t at = origin + done;
		size_t skip = at % SECTOR;
		size_t take = min_u64(length - done, CHUNK - skip);
		int got = sg_read(disc->fd, at / SECTOR, (uint32_t)sectors_of(skip + take), sectors);

		if (got < 0)
			return got;
		memcpy(data + done, sectors + skip, take);
		done += take;
	}
	return (int64_t)length;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The drive tells once that its disc may have been changed: whether it was, is to be seen. */
static int read_identity(const struct disc_reader *disc, uint64_t lba, uint8_t ret[2 * SECTOR])
{
	int got = sg_read(disc->fd, lba, 2, ret);

	return got == -ESTALE ? sg_read(disc->fd, lba, 2, ret) : got;
}

int disc_reader_know(struct disc_reader *disc, uint64_t lba)
{
	uint8_t blocks[2 * SECTOR];
	int got = read_identity(disc, lba, blocks);

	if (got < 0)
		return got;
	WITH_LOCK(&disc->lock);
	disc->identity.known = true;
	disc->identity.lba = lba;
	disc->identity.seen_ms = now_ms();
	memcpy(disc->identity.blocks, blocks, sizeof blocks);
	return 0;
}

void disc_reader_forget(struct disc_reader *disc)
{
	WITH_LOCK(&disc->lock);
	disc->identity.known = false;
}

/* Whether the disc is still the one, when that can't be taken for granted. */
static int check_identity(struct disc_reader *disc)
{
	uint8_t blocks[2 * SECTOR];
	int got;

	WITH_LOCK(&disc->lock);
	if (!disc->identity.known || now_ms() - disc->identity.seen_ms < CHANGE_MS)
		return 0;
	got = read_identity(disc, disc->identity.lba, blocks);
	if (got == 0 && memcmp(blocks, disc->identity.blocks, sizeof blocks) != 0)
		got = -ESTALE;
	if (got < 0 && !disc->identity.gone)
		log_error("the disc that is mounted isn't in the drive any more (%s): reading its files "
			  "fails until "
			  "it is back",
			  got == -ESTALE ? "there's another one" : strerror(-got));
	disc->identity.gone = got < 0;
	disc->identity.seen_ms = got < 0 ? 0 : now_ms();
	return got;
}

static void seen(struct disc_reader *disc)
{
	WITH_LOCK(&disc->lock);
	if (disc->identity.seen_ms) /* not when it was missed meanwhile */
		disc->identity.seen_ms = now_ms();
}

static int64_t read_medium(const struct disc_reader *disc, void *data, size_t length, uint64_t origin)
{
	bool direct = disc->is_drive && atomic_load(&disc->direct);
	int64_t got = direct ? 0 : fd_pread_full(disc->fd, data, length, origin);

	return disc->is_drive && got != (int64_t)length ? read_drive(disc, data, length, origin) : got;
}

/* A program that looks at every file asks thousands of times. */
static int tell_missing(struct disc_reader *disc)
{
	WITH_LOCK(&disc->lock);
	if (disc->missed_ms && now_ms() - disc->missed_ms < MISSED_MS)
		return -EAGAIN;
	disc->missed_ms = now_ms();
	log_warning("a program wants to read what only the disc %s holds, and that is mounted offline",
		    disc->missing);
	return -EAGAIN;
}

int disc_read(struct disc_reader *disc, void *data, size_t length, uint64_t origin)
{
	int64_t got;

	if (!range_within(origin, length, disc->limit)) {
		log_error("a file's content at byte %llu lies beyond the recorded part of the disc",
			  (unsigned long long)origin);
		return -EIO;
	}
	if (disc->missing)
		return tell_missing(disc);
	if (!begin(disc))
		return -EAGAIN;
	got = disc->is_drive ? check_identity(disc) : 0;
	if (got == 0)
		got = read_medium(disc, data, length, origin);
	end(disc);
	if (got == (int64_t)length) {
		if (disc->is_drive)
			seen(disc);
		return 0;
	}
	if (got == -ENOMEDIUM || got == -ESTALE)
		return (int)got;
	log_error("the disc can't be read at sector %llu: %s", (unsigned long long)(origin / SECTOR),
		  got < 0 ? strerror((int)-got) : "it ends there");
	return -EIO;
}

int disc_reader_enter(struct disc_reader *disc)
{
	if (disc->missing)
		tell_missing(disc);
	return disc->missing ? -ENOMEDIUM : begin(disc) ? 0 : -EAGAIN;
}

void disc_reader_leave(struct disc_reader *disc)
{
	end(disc);
}

void disc_reader_hold(struct disc_reader *disc)
{
	WITH_LOCK(&disc->lock);
	disc->held = true;
	while (disc->reading)
		pthread_cond_wait(&disc->idle, &disc->lock);
}

void disc_reader_release(struct disc_reader *disc)
{
	{
		WITH_LOCK(&disc->lock);
		if (!disc->held)
			return;
		disc->held = false;
	}
	if (disc->released)
		disc->released(disc->self);
}

bool disc_reader_is_held(struct disc_reader *disc)
{
	WITH_LOCK(&disc->lock);
	return disc->held;
}
