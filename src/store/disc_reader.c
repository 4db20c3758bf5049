/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/disc_reader.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>

int disc_read(const struct disc_reader *disc, void *data, size_t length, uint64_t origin)
{
	int64_t got;

	if (!range_within(origin, length, disc->limit)) {
		log_error("a file's content at byte %llu lies beyond the recorded part of the disc",
			  (unsigned long long)origin);
		return -EIO;
	}
	got = fd_pread_full(disc->fd, data, length, origin);
	if (got == (int64_t)length)
		return 0;
	log_error("the disc can't be read at sector %llu: %s", (unsigned long long)(origin / SECTOR),
		  got < 0 ? strerror((int)-got) : "it ends there");
	return -EIO;
}
