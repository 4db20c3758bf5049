/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/source.h"

#include "base/fd.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

int source_open(struct source *source, int fd, struct reason *why)
{
	struct stat info;
	off_t end;

	if (fd < 0 || fstat(fd, &info) != 0)
		return reason_set(why, EBADF, "no medium was handed over");
	if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
		return reason_set(why, EINVAL, "neither an image file nor a drive");
	end = S_ISREG(info.st_mode) ? info.st_size : lseek(fd, 0, SEEK_END);
	if (end < 0)
		return reason_set(why, errno, "can't tell how large the medium is: %s", strerror(errno));
	source->fd = fd;
	source->sectors = (uint64_t)end / SECTOR;
	return 0;
}

int source_read(const struct source *source, uint64_t lba, uint32_t count, void *data, struct reason *why)
{
	size_t length = (size_t)count * SECTOR;
	int64_t got;

	if (!range_within(lba, count, source->sectors))
		return reason_set(
		    why, EIO, "sector %" PRIu64 " lies beyond the end of the medium (%" PRIu64 " sectors)",
		    lba + count - 1, source->sectors);
	got = fd_pread_full(source->fd, data, length, lba * SECTOR);
	if (got < 0)
		return reason_set(why, EIO, "can't read sectors %" PRIu64 "..%" PRIu64 ": %s", lba,
				  lba + count - 1, strerror((int)-got));
	if ((size_t)got != length)
		return reason_set(why, EIO, "the medium ended while sector %" PRIu64 " was read",
				  lba + (uint64_t)got / SECTOR);
	return 0;
}
