/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/head.h"

#include "base/bytes.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/sg.h"
#include "disc/anchor.h"
#include "disc/drive.h"
#include "disc/udf_record.h"
#include "model/head_mix.h"

#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int head_open_image(const char *path, int fd, struct reason *why)
{
	AUTO_CLOSE int own = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat there, here;

	if (own < 0 && (errno == ENOENT || errno == ENOTDIR))
		return reason_set(why, ESTALE, "%s isn't there any more: put the image that was mounted back",
				  path);
	if (own < 0)
		return reason_set(why, errno, "%s can't be opened for writing: %s", path, strerror(errno));
	if (fstat(own, &there) != 0 || fstat(fd, &here) != 0 || there.st_dev != here.st_dev ||
	    there.st_ino != here.st_ino)
		return reason_set(why, ESTALE, "%s isn't the file any more that was mounted", path);
	if (!S_ISREG(there.st_mode))
		return reason_set(why, EOPNOTSUPP, "%s isn't an image file", path);
	return TAKE_FD(own);
}

/* Systems that read UDF show the session before as long as it isn't there; those that read ISO 9660 show the
 * new one. So the head comes first, and that alone is no reason to take it back. An old head may come from
 * anywhere: it leads nowhere else than where anchors stand. */
static uint32_t anchor_at(const uint8_t *head, uint64_t capacity)
{
	uint32_t at = udf_record_anchor_at(head + HEAD_ANCHOR);

	return at == BRIDGE_ANCHOR || (uint64_t)at + 1 == capacity ? at : 0;
}

static void anchor_failed(uint32_t at, int err, struct reason *warning)
{
	reason_set(warning, err,
		   "sector %" PRIu32
		   " can't be written (%s): systems that read UDF show the session before until "
		   "the next commit",
		   at, strerror(err));
}

static int write_anchor_of_image(int fd, const uint8_t *head, uint32_t at)
{
	int got = fault_point(FAULT_HEAD_ANCHOR);

	if (got == 0)
		got = fd_pwrite_full(fd, head + HEAD_ANCHOR, SECTOR, (uint64_t)at * SECTOR);
	return got == 0 && fsync(fd) != 0 ? -errno : got;
}

int head_write(const char *path, int fd, const uint8_t *head, struct reason *warning, struct reason *why)
{
	const size_t half = (size_t)16 * SECTOR;
	AUTO_CLOSE int own = head_open_image(path, fd, why);
	uint32_t at = anchor_at(head, 0);
	int got;

	if (own < 0)
		return own;
	/* The system area first: where it's the same, nothing changes; the descriptors are what counts. */
	got = fd_pwrite_full(own, head, half, 0);
	if (got == 0)
		got = fd_pwrite_full(own, head + half, HEAD_BYTES - half, half);
	if (got == 0 && fsync(own) != 0)
		got = -errno;
	if (got == 0 && at) {
		int late = write_anchor_of_image(own, head, at);

		if (late < 0)
			anchor_failed(at, -late, warning);
	}
	return got < 0 ? reason_set(why, -got, "can't write the head of %s: %s", path, strerror(-got)) : 0;
}

static int other_disc(const char *path, struct reason *why)
{
	return reason_set(why, ESTALE,
			  "the disc in %s isn't the one that was burned: nothing on it was changed now; "
			  "put the right disc back",
			  path);
}

/* One by one where they can't be read together: a write that was cut off leaves such. */
static int read_now(int fd, uint8_t *ret, uint32_t *ret_unreadable)
{
	int got = sg_read(fd, 0, HEAD_SECTORS, ret);

	*ret_unreadable = 0;
	if (got != -EIO)
		return got;
	for (uint32_t block = 0; block < HEAD_SECTORS; block++) {
		got = sg_read(fd, block, 1, ret + (size_t)block * SECTOR);
		if (got == -EIO)
			*ret_unreadable |= 1u << block;
		else if (got < 0)
			return got;
	}
	return 0;
}

/* Not by libburn: it tries again when the drive says that the disc was changed, and writes the head of one
 * disc to another one. Between this reading and this writing nobody can change it unnoticed. */
static int write_unless_changed(const char *path, int fd, const uint8_t *head, const uint8_t *before,
				struct reason *why)
{
	AUTO_FREE uint8_t *now = malloc(HEAD_BYTES);
	uint32_t unreadable;
	int got = now ? read_now(fd, now, &unreadable) : -ENOMEM;

	if (got == -ESTALE || (got == 0 && head_mix_of(now, unreadable, before, head) == HEAD_IS_OTHER))
		return other_disc(path, why);
	if (got == 0)
		got = sg_write_now(fd, 0, HEAD_SECTORS, head);
	if (got == -ESTALE)
		return other_disc(path, why);
	return got < 0 ? reason_set(why, got == -ENOMEDIUM ? ENOMEDIUM : EIO,
				    "the disc's descriptors can't be written: %s", strerror(-got))
		       : 0;
}

/* With what shares its error correction, which is empty: see anchor.c. */
static int write_anchor(int fd, struct drive *drive, const uint8_t *head, uint32_t at, struct reason *why)
{
	AUTO_FREE uint8_t *window = calloc(ANCHOR_WINDOW, SECTOR);
	uint32_t within = at % ANCHOR_WINDOW;
	uint8_t now[SECTOR];
	int got = window ? fault_point(FAULT_HEAD_ANCHOR) : -ENOMEM;

	if (got < 0)
		return got;
	memcpy(window + (size_t)within * SECTOR, head + HEAD_ANCHOR, SECTOR);
	got = sg_write_now(fd, at - within, ANCHOR_WINDOW, window);
	if (got == 0)
		got = drive_read(drive, at, 1, now, why);
	return got == 0 && memcmp(now, head + HEAD_ANCHOR, SECTOR) != 0 ? -EIO : got;
}

int head_write_medium(const char *path, const uint8_t *head, const uint8_t *before, struct reason *warning,
		      struct reason *why)
{
	CLEANUP(drive_release) struct drive drive = { 0 };
	AUTO_FREE uint8_t *now = malloc(HEAD_BYTES);
	AUTO_CLOSE int fd = -1;
	uint32_t at;
	int got = now ? drive_grab(&drive, path, why) : reason_set(why, ENOMEM, "out of memory");

	if (got < 0)
		return got;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return reason_set(why, errno, "%s can't be opened for writing: %s", path, strerror(errno));
	got = write_unless_changed(path, fd, head, before, why);
	if (got == 0)
		got = drive_read(&drive, 0, HEAD_SECTORS, now, why);
	if (got == 0 && memcmp(now, head, HEAD_BYTES) != 0)
		got = reason_set(why, EIO, "the disc's descriptors aren't what was written");
	at = got == 0 ? anchor_at(head, drive_capacity(&drive)) : 0;
	if (at) {
		struct reason ignored = { 0 };
		int late = write_anchor(fd, &drive, head, at, &ignored);

		if (late < 0)
			anchor_failed(at, -late, warning);
	}
	return got;
}
