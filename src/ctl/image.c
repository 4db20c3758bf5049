/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/image.h"

#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define IMAGE_BLOCKS 32u
#define IMAGE_BYTES  (IMAGE_BLOCKS * SECTOR)

bool image_has_mark(int fd, struct medium_mark *ret)
{
	uint8_t block[SECTOR];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)IMAGE_BYTES &&
	       fd_pread_full(fd, block, sizeof block, (uint64_t)MEDIUM_MARK_BLOCK * SECTOR) == SECTOR &&
	       medium_mark_read(block, ret);
}

bool image_is_blank(int fd)
{
	static uint8_t image[IMAGE_BYTES];
	struct medium_mark mark;
	struct stat st;

	if (!image_has_mark(fd, &mark) || fstat(fd, &st) < 0 || st.st_size != IMAGE_BYTES ||
	    fd_pread_full(fd, image, sizeof image, 0) != IMAGE_BYTES)
		return false;
	memset(image + MEDIUM_MARK_BLOCK * SECTOR, 0, SECTOR);
	for (size_t i = 0; i < sizeof image; i++)
		if (image[i])
			return false;
	return true;
}

int image_reset(int fd, const struct medium_mark *mark)
{
	static uint8_t image[IMAGE_BYTES];
	int err;

	memset(image, 0, sizeof image);
	medium_mark_write(mark, image + MEDIUM_MARK_BLOCK * SECTOR);
	/* The head first: without it, what is behind it is nothing. */
	err = fd_pwrite_full(fd, image, sizeof image, 0);
	if (err == 0 && (ftruncate(fd, IMAGE_BYTES) < 0 || fsync(fd) < 0))
		err = -errno;
	return err;
}
