/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fd.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int fd_keep_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -EBADF;
	return 0;
}

int64_t fd_pread_full(int fd, void *data, size_t length, uint64_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got = pread(fd, (char *)data + done, length - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (int64_t)done;
}

int fd_pwrite_full(int fd, const void *data, size_t length, uint64_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t put = pwrite(fd, (const char *)data + done, length - done, (off_t)(offset + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

int fd_sync_dir(const char *path)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Some file systems can't sync a directory, and say EINVAL. */
	return (fd < 0 || fsync(fd) < 0) && errno != EINVAL ? -errno : 0;
}
