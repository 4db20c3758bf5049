/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open, close and their kin. */
#undef _FILE_OFFSET_BITS
#include "interpose.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dirfd, const char *path, int flags);
int __openat64_2(int dirfd, const char *path, int flags);

/* A descriptor opened by a name below /proc or /dev/fd may be a drive's, and that was an open of the drive.
 */
static long finish_open(int fd, const char *path, int flags)
{
	struct host_drive *host;
	int r;

	if (fd < 0 || (flags & O_PATH) ||
	    (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/dev/fd", 7) != 0))
		return fd;
	host = host_by_fd(fd);
	r = host ? host_opened(host, fd, flags) : 0;
	if (r == 0)
		return fd;
	REAL(close)(fd);
	errno = -r;
	return -1;
}

static int open_any(int dirfd, const char *path, int flags, mode_t mode)
{
	struct host_drive *host;
	long r;

	if (!host_enter())
		return REAL(openat)(dirfd, path, flags, mode);
	host = host_by_path(dirfd, path, false);
	r = host ? -1 : REAL(openat)(dirfd, path, flags & ~(host ? O_CREAT : 0), mode);
	if (r >= 0 || (!host && errno != ENOENT))
		r = finish_open((int)r, path ? path : "", flags);
	else {
		if (!host)
			host = host_by_path(dirfd, path, !(flags & O_NOFOLLOW));
		if (host)
			r = answer(host_open(host, flags));
		else
			errno = ENOENT;
	}
	host_leave();
	return (int)r;
}

#define TAKE_MODE(flags, mode)                                                                               \
	mode_t mode = 0;                                                                                     \
	if ((flags) & (O_CREAT | O_TMPFILE)) {                                                               \
		va_list arguments;                                                                           \
		va_start(arguments, flags);                                                                  \
		mode = va_arg(arguments, mode_t);                                                            \
		va_end(arguments);                                                                           \
	}

EXPORT int open(const char *path, int flags, ...)
{
	TAKE_MODE(flags, mode)
	return open_any(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
	TAKE_MODE(flags, mode)
	return open_any(AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int dirfd, const char *path, int flags, ...)
{
	TAKE_MODE(flags, mode)
	return open_any(dirfd, path, flags, mode);
}

EXPORT int openat64(int dirfd, const char *path, int flags, ...)
{
	TAKE_MODE(flags, mode)
	return open_any(dirfd, path, flags, mode);
}

/* What -D_FORTIFY_SOURCE makes of them. */
EXPORT int __open_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}

EXPORT int __open64_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}

EXPORT int __openat_2(int dirfd, const char *path, int flags)
{
	return open_any(dirfd, path, flags, 0);
}

EXPORT int __openat64_2(int dirfd, const char *path, int flags)
{
	return open_any(dirfd, path, flags, 0);
}

EXPORT int creat(const char *path, mode_t mode)
{
	return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

EXPORT int creat64(const char *path, mode_t mode)
{
	return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* --- stdio --------------------------------------------------------------------- */

static int mode_flags(const char *mode)
{
	int flags = strchr(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;

	return flags | (strchr(mode, 'e') ? O_CLOEXEC : 0) | (strchr(mode, 'x') ? O_EXCL | O_CREAT : 0);
}

static FILE *fopen_drive(struct host_drive *host, const char *mode)
{
	int fd = host_open(host, mode_flags(mode));
	FILE *file;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	file = fdopen(fd, mode);
	if (!file)
		REAL(close)(fd);
	return file;
}

/* stdio reads by itself, not through read: good enough for programs that open a drive this way to see whether
 * they may. */
#define DEFINE_FOPEN(name)                                                                                   \
	EXPORT FILE *name(const char *path, const char *mode)                                                \
	{                                                                                                    \
		struct host_drive *host;                                                                     \
		FILE *file;                                                                                  \
		if (!host_enter())                                                                           \
			return REAL(name)(path, mode);                                                       \
		host = host_by_path(AT_FDCWD, path, false);                                                  \
		file = host ? fopen_drive(host, mode) : REAL(name)(path, mode);                              \
		host_leave();                                                                                \
		return file;                                                                                 \
	}
DEFINE_FOPEN(fopen)
DEFINE_FOPEN(fopen64)

/* --- close --------------------------------------------------------------------- */

static int close_drive(struct host_drive *host, int fd)
{
	int r = REAL(close)(fd);

	host_closed(host);
	return r;
}

EXPORT int close(int fd)
{
	struct host_drive *host;
	int r;

	/* Closing asks for a lock, so it mustn't for descriptors that are none of ours. */
	if (!host_enter())
		return REAL(close)(fd);
	host = host_by_fd(fd);
	r = host ? close_drive(host, fd) : 0;
	host_leave();
	return host ? r : REAL(close)(fd);
}
