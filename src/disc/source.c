/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/source.h"

#include "base/fd.h"
#include "base/sg.h"
#include "wire/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

int source_open(struct source *source, int fd, uint64_t sectors, struct reason *why)
{
	struct stat info;

	if (fd < 0 || fstat(fd, &info) != 0)
		return reason_set(why, EBADF, "no medium was handed over");
	if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))
		return reason_set(why, EINVAL, "neither an image file nor a drive");
	source->fd = fd;
	source->is_drive = S_ISBLK(info.st_mode);
	source->head = NULL;
	source->sectors = source->is_drive ? sectors : (uint64_t)info.st_size / SECTOR;
	return 0;
}

/* The head as it once was, over what was read. */
static void lay_head(const struct source *source, uint64_t lba, uint32_t count, void *data)
{
	if (source->head && lba < HEAD_SECTORS)
		memcpy(data, source->head + lba * SECTOR, min_u64(count, HEAD_SECTORS - lba) * SECTOR);
}

static int64_t read_bytes(const struct source *source, uint64_t lba, uint32_t count, void *data)
{
	int got;

	if (!source->is_drive)
		return fd_pread_full(source->fd, data, (size_t)count * SECTOR, lba * SECTOR);
	got = sg_read(source->fd, lba, count, data);
	return got < 0 ? got : (int64_t)count * SECTOR;
}

int source_read(const struct source *source, uint64_t lba, uint32_t count, void *data, struct reason *why)
{
	size_t length = (size_t)count * SECTOR;
	int64_t got;

	if (!range_within(lba, count, source->sectors))
		return reason_set(
		    why, EIO, "sector %" PRIu64 " lies beyond the end of the medium (%" PRIu64 " sectors)",
		    lba + count - 1, source->sectors);
	got = read_bytes(source, lba, count, data);
	if (got == -ENOMEDIUM || got == -ESTALE)
		return reason_set(why, (int)-got, "the disc was taken out of the drive");
	if (got == -EAGAIN)
		return reason_set(why, EAGAIN,
				  "the drive doesn't become ready: look at the disc, and try again");
	if (got < 0 && count == 1)
		return reason_set(why, EIO, "sector %" PRIu64 " can't be read: %s", lba, strerror((int)-got));
	if (got < 0)
		return reason_set(why, EIO, "sectors %" PRIu64 "..%" PRIu64 " can't be read: %s", lba,
				  lba + count - 1, strerror((int)-got));
	if ((size_t)got != length)
		return reason_set(why, EIO, "the medium ended while sector %" PRIu64 " was read",
				  lba + (uint64_t)got / SECTOR);
	lay_head(source, lba, count, data);
	return 0;
}
