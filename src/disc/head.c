/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/head.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "wire/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int head_open_image(const char *path, int fd, struct reason *why)
{
	AUTO_CLOSE int own = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat there, here;

	if (own < 0)
		return reason_set(why, errno, "%s can't be opened for writing: %s", path, strerror(errno));
	if (fstat(own, &there) != 0 || fstat(fd, &here) != 0 || there.st_dev != here.st_dev ||
	    there.st_ino != here.st_ino)
		return reason_set(why, ESTALE, "%s isn't the file any more that was mounted", path);
	if (!S_ISREG(there.st_mode))
		return reason_set(why, EOPNOTSUPP, "%s isn't an image file: drives can't be written yet",
				  path);
	return TAKE_FD(own);
}

int head_write(const char *path, int fd, const uint8_t *head, struct reason *why)
{
	const size_t half = (size_t)16 * SECTOR;
	AUTO_CLOSE int own = head_open_image(path, fd, why);
	int got;

	if (own < 0)
		return own;
	/* The system area first: where it's the same, nothing changes; the descriptors are what counts. */
	got = fd_pwrite_full(own, head, half, 0);
	if (got == 0)
		got = fd_pwrite_full(own, head + half, HEAD_BYTES - half, half);
	if (got == 0 && fsync(own) != 0)
		got = -errno;
	return got < 0 ? reason_set(why, -got, "can't write the head of %s: %s", path, strerror(-got)) : 0;
}
