/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a drive's node looks like: block device 11:N with the anchor's mode and owner. */
#undef _FILE_OFFSET_BITS
#include "interpose.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void as_device(const struct host_drive *host, struct stat *status)
{
	status->st_mode = S_IFBLK | (status->st_mode & 07777);
	status->st_rdev = makedev(DEVICE_MAJOR, host->number);
	status->st_size = 0;
	status->st_blocks = 0;
	status->st_blksize = 4096;
}

static int stat_drive(struct host_drive *host, struct stat *ret)
{
	if (REAL(fstatat)(AT_FDCWD, host->anchor, ret, 0) < 0)
		return -1;
	as_device(host, ret);
	return 0;
}

static int stat_any(int dirfd, const char *path, struct stat *ret, int flags)
{
	struct host_drive *host;
	int r;

	if (!host_enter())
		return REAL(fstatat)(dirfd, path, ret, flags);
	host = host_by_path(dirfd, path, false);
	r = host ? stat_drive(host, ret) : REAL(fstatat)(dirfd, path, ret, flags);
	if (r == 0 && !host) {
		host = host_by_stat(ret);
		if (host)
			as_device(host, ret);
	} else if (r < 0 && errno == ENOENT && !(flags & AT_SYMLINK_NOFOLLOW)) {
		host = host_by_path(dirfd, path, true);
		if (host)
			r = stat_drive(host, ret);
		else
			errno = ENOENT;
	}
	host_leave();
	return r;
}

static int fstat_any(int fd, struct stat *ret)
{
	struct host_drive *host;
	int r = REAL(fstat)(fd, ret);

	if (r < 0 || !host_enter())
		return r;
	host = host_by_stat(ret);
	if (host)
		as_device(host, ret);
	host_leave();
	return r;
}

EXPORT int stat(const char *path, struct stat *ret)
{
	return stat_any(AT_FDCWD, path, ret, 0);
}

EXPORT int lstat(const char *path, struct stat *ret)
{
	return stat_any(AT_FDCWD, path, ret, AT_SYMLINK_NOFOLLOW);
}

EXPORT int fstat(int fd, struct stat *ret)
{
	return fstat_any(fd, ret);
}

EXPORT int fstatat(int dirfd, const char *path, struct stat *ret, int flags)
{
	return stat_any(dirfd, path, ret, flags);
}

EXPORT int stat64(const char *path, struct stat64 *ret)
{
	return stat_any(AT_FDCWD, path, (struct stat *)ret, 0);
}

EXPORT int lstat64(const char *path, struct stat64 *ret)
{
	return stat_any(AT_FDCWD, path, (struct stat *)ret, AT_SYMLINK_NOFOLLOW);
}

EXPORT int fstat64(int fd, struct stat64 *ret)
{
	return fstat_any(fd, (struct stat *)ret);
}

EXPORT int fstatat64(int dirfd, const char *path, struct stat64 *ret, int flags)
{
	return stat_any(dirfd, path, (struct stat *)ret, flags);
}

/* Programs built before glibc 2.33. */
int __xstat(int version, const char *path, struct stat *ret);
int __lxstat(int version, const char *path, struct stat *ret);
int __fxstat(int version, int fd, struct stat *ret);
int __fxstatat(int version, int dirfd, const char *path, struct stat *ret, int flags);
int __xstat64(int version, const char *path, struct stat64 *ret);
int __lxstat64(int version, const char *path, struct stat64 *ret);
int __fxstat64(int version, int fd, struct stat64 *ret);
int __fxstatat64(int version, int dirfd, const char *path, struct stat64 *ret, int flags);

EXPORT int __xstat(int version, const char *path, struct stat *ret)
{
	return stat_any(AT_FDCWD, path, ret, 0);
}

EXPORT int __lxstat(int version, const char *path, struct stat *ret)
{
	return stat_any(AT_FDCWD, path, ret, AT_SYMLINK_NOFOLLOW);
}

EXPORT int __fxstat(int version, int fd, struct stat *ret)
{
	return fstat_any(fd, ret);
}

EXPORT int __fxstatat(int version, int dirfd, const char *path, struct stat *ret, int flags)
{
	return stat_any(dirfd, path, ret, flags);
}

EXPORT int __xstat64(int version, const char *path, struct stat64 *ret)
{
	return stat_any(AT_FDCWD, path, (struct stat *)ret, 0);
}

EXPORT int __lxstat64(int version, const char *path, struct stat64 *ret)
{
	return stat_any(AT_FDCWD, path, (struct stat *)ret, AT_SYMLINK_NOFOLLOW);
}

EXPORT int __fxstat64(int version, int fd, struct stat64 *ret)
{
	return fstat_any(fd, (struct stat *)ret);
}

EXPORT int __fxstatat64(int version, int dirfd, const char *path, struct stat64 *ret, int flags)
{
	return stat_any(dirfd, path, (struct stat *)ret, flags);
}

/* --- statx --------------------------------------------------------------------- */

static void statx_as_device(const struct host_drive *host, struct statx *status)
{
	status->stx_mode = (uint16_t)(S_IFBLK | (status->stx_mode & 07777));
	status->stx_rdev_major = DEVICE_MAJOR;
	status->stx_rdev_minor = host->number;
	status->stx_size = status->stx_blocks = 0;
}

/* A file that isn't a drive by its name may be one by its inode. It's asked once, as the program wants it: a
 * stat besides would hang a file system that may ask itself only what is cached (AT_STATX_DONT_SYNC). */
static struct host_drive *host_by_statx(const struct statx *status)
{
	const struct stat file = { .st_dev = makedev(status->stx_dev_major, status->stx_dev_minor),
				   .st_ino = status->stx_ino };

	return status->stx_mask & STATX_INO ? host_by_stat(&file) : NULL;
}

EXPORT int statx(int dirfd, const char *restrict path, int flags, unsigned mask, struct statx *restrict ret)
{
	struct host_drive *host;
	int r;

	if (!host_enter())
		return REAL(statx)(dirfd, path, flags, mask, ret);
	host = host_by_path(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW));
	r = host ? REAL(statx)(AT_FDCWD, host->anchor, 0, mask, ret)
		 : REAL(statx)(dirfd, path, flags, mask, ret);
	if (r == 0 && !host)
		host = host_by_statx(ret);
	if (r == 0 && host)
		statx_as_device(host, ret);
	host_leave();
	return r;
}

/* --- rights -------------------------------------------------------------------- */

static int access_any(int dirfd, const char *path, int mode, int flags)
{
	struct host_drive *host;
	int r;

	if (!host_enter())
		return REAL(faccessat)(dirfd, path, mode, flags);
	host = host_by_path(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW));
	r = host ? REAL(faccessat)(AT_FDCWD, host->anchor, mode, flags)
		 : REAL(faccessat)(dirfd, path, mode, flags);
	host_leave();
	return r;
}

EXPORT int access(const char *path, int mode)
{
	return access_any(AT_FDCWD, path, mode, 0);
}

EXPORT int faccessat(int dirfd, const char *path, int mode, int flags)
{
	return access_any(dirfd, path, mode, flags);
}

EXPORT int euidaccess(const char *path, int mode)
{
	return access_any(AT_FDCWD, path, mode, AT_EACCESS);
}

EXPORT int eaccess(const char *path, int mode)
{
	return access_any(AT_FDCWD, path, mode, AT_EACCESS);
}

/* --- names --------------------------------------------------------------------- */

char *__realpath_chk(const char *path, char *ret, size_t room);

static char *device_name(const struct host_drive *host, char *ret)
{
	char name[16] = "/dev/sr";
	unsigned number = host->number;
	size_t end = strlen(name);

	if (number >= 100)
		name[end++] = (char)('0' + number / 100);
	if (number >= 10)
		name[end++] = (char)('0' + number / 10 % 10);
	name[end++] = (char)('0' + number % 10);
	name[end] = '\0';
	return ret ? strcpy(ret, name) : strdup(name);
}

static char *realpath_any(const char *path, char *ret)
{
	struct host_drive *host;
	char *found;

	if (!host_enter())
		return REAL(realpath)(path, ret);
	host = host_by_path(AT_FDCWD, path, true);
	found = host ? device_name(host, ret) : REAL(realpath)(path, ret);
	host_leave();
	return found;
}

EXPORT char *realpath(const char *restrict path, char *restrict ret)
{
	return realpath_any(path, ret);
}

EXPORT char *__realpath_chk(const char *path, char *ret, size_t room)
{
	return realpath_any(path, ret);
}

EXPORT char *canonicalize_file_name(const char *path)
{
	return realpath_any(path, NULL);
}

/* /proc/self/fd/N of a drive is the drive's name. */
static ssize_t readlink_any(int dirfd, const char *path, char *ret, size_t room)
{
	char name[16];
	struct stat status;
	struct host_drive *host;
	ssize_t length = REAL(readlinkat)(dirfd, path, ret, room);

	if (length <= 0 || strncmp(path, "/proc/", 6) != 0 || !host_enter())
		return length;
	host = REAL(fstatat)(dirfd, path, &status, 0) == 0 ? host_by_stat(&status) : NULL;
	if (host) {
		device_name(host, name);
		length = (ssize_t)(strlen(name) < room ? strlen(name) : room);
		memcpy(ret, name, (size_t)length);
	}
	host_leave();
	return length;
}

EXPORT ssize_t readlink(const char *restrict path, char *restrict ret, size_t room)
{
	return readlink_any(AT_FDCWD, path, ret, room);
}

EXPORT ssize_t readlinkat(int dirfd, const char *restrict path, char *restrict ret, size_t room)
{
	return readlink_any(dirfd, path, ret, room);
}
