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

int disc_read(const struct disc_reader *disc, void *data, size_t length, uint64_t origin)
{
	bool direct = disc->is_drive && atomic_load(&disc->direct);
	int64_t got = 0;

	if (!range_within(origin, length, disc->limit)) {
		log_error("a file's content at byte %llu lies beyond the recorded part of the disc",
			  (unsigned long long)origin);
		return -EIO;
	}
	if (!direct)
		got = fd_pread_full(disc->fd, data, length, origin);
	if (disc->is_drive && got != (int64_t)length)
		got = read_drive(disc, data, length, origin);
	if (got == (int64_t)length)
		return 0;
	log_error("the disc can't be read at sector %llu: %s", (unsigned long long)(origin / SECTOR),
		  got < 0 ? strerror((int)-got) : "it ends there");
	return -EIO;
}
