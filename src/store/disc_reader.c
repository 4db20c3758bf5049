/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/disc_reader.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (32u * SECTOR)

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

static int64_t read_medium(const struct disc_reader *disc, void *data, size_t length, uint64_t origin)
{
	bool direct = disc->is_drive && atomic_load(&disc->direct);
	int64_t got = direct ? 0 : fd_pread_full(disc->fd, data, length, origin);

	return disc->is_drive && got != (int64_t)length ? read_drive(disc, data, length, origin) : got;
}

int disc_read(struct disc_reader *disc, void *data, size_t length, uint64_t origin)
{
	int64_t got;

	if (!range_within(origin, length, disc->limit)) {
		log_error("a file's content at byte %llu lies beyond the recorded part of the disc",
			  (unsigned long long)origin);
		return -EIO;
	}
	if (!begin(disc))
		return -EAGAIN;
	got = read_medium(disc, data, length, origin);
	end(disc);
	if (got == (int64_t)length)
		return 0;
	log_error("the disc can't be read at sector %llu: %s", (unsigned long long)(origin / SECTOR),
		  got < 0 ? strerror((int)-got) : "it ends there");
	return -EIO;
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
