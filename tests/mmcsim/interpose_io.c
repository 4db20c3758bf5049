/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes, positions, locks and ioctls of a drive's descriptor. Its position is the anchor's own, so it is
 * shared by all duplicates of the descriptor as it should be. */
#undef _FILE_OFFSET_BITS
#include "interpose.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

/* Runs what follows with a drive's descriptor; otherwise libc's. */
#define DRIVE_OR(fd, real_call)                                                                              \
	struct host_drive *host;                                                                             \
	if (!host_enter())                                                                                   \
		return real_call;                                                                            \
	host = host_by_fd(fd);                                                                               \
	if (!host) {                                                                                         \
		host_leave();                                                                                \
		return real_call;                                                                            \
	}

#define DONE(type, result)                                                                                   \
	do {                                                                                                 \
		type done = (type)answer((long)(result));                                                    \
		host_leave();                                                                                \
		return done;                                                                                 \
	} while (0)

/* --- reading ------------------------------------------------------------------- */

static ssize_t read_here(struct host_drive *host, int fd, void *data, size_t length)
{
	off_t at = REAL(lseek)(fd, 0, SEEK_CUR);
	ssize_t r = host_pread(host, data, length, at);

	if (r > 0)
		REAL(lseek)(fd, at + r, SEEK_SET);
	return r;
}

static ssize_t readv_at(struct host_drive *host, const struct iovec *pieces, int count, off_t at)
{
	ssize_t done = 0, r;

	for (int i = 0; i < count; i++) {
		r = host_pread(host, pieces[i].iov_base, pieces[i].iov_len, at + done);
		if (r < 0)
			return done > 0 ? done : r;
		done += r;
		if ((size_t)r < pieces[i].iov_len)
			break;
	}
	return done;
}

static ssize_t readv_here(struct host_drive *host, int fd, const struct iovec *pieces, int count)
{
	off_t at = REAL(lseek)(fd, 0, SEEK_CUR);
	ssize_t r = readv_at(host, pieces, count, at);

	if (r > 0)
		REAL(lseek)(fd, at + r, SEEK_SET);
	return r;
}

EXPORT ssize_t read(int fd, void *data, size_t length)
{
	DRIVE_OR(fd, REAL(read)(fd, data, length))
	DONE(ssize_t, read_here(host, fd, data, length));
}

EXPORT ssize_t readv(int fd, const struct iovec *pieces, int count)
{
	DRIVE_OR(fd, REAL(readv)(fd, pieces, count))
	DONE(ssize_t, readv_here(host, fd, pieces, count));
}

EXPORT ssize_t pread(int fd, void *data, size_t length, off_t offset)
{
	DRIVE_OR(fd, REAL(pread)(fd, data, length, offset))
	DONE(ssize_t, host_pread(host, data, length, offset));
}

EXPORT ssize_t pread64(int fd, void *data, size_t length, off64_t offset)
{
	DRIVE_OR(fd, REAL(pread64)(fd, data, length, offset))
	DONE(ssize_t, host_pread(host, data, length, offset));
}

EXPORT ssize_t preadv(int fd, const struct iovec *pieces, int count, off_t offset)
{
	DRIVE_OR(fd, REAL(preadv)(fd, pieces, count, offset))
	DONE(ssize_t, readv_at(host, pieces, count, offset));
}

EXPORT ssize_t preadv64(int fd, const struct iovec *pieces, int count, off64_t offset)
{
	DRIVE_OR(fd, REAL(preadv64)(fd, pieces, count, offset))
	DONE(ssize_t, readv_at(host, pieces, count, offset));
}

EXPORT ssize_t preadv2(int fd, const struct iovec *pieces, int count, off_t offset, int flags)
{
	DRIVE_OR(fd, REAL(preadv2)(fd, pieces, count, offset, flags))
	DONE(ssize_t,
	     offset == -1 ? readv_here(host, fd, pieces, count) : readv_at(host, pieces, count, offset));
}

EXPORT ssize_t preadv64v2(int fd, const struct iovec *pieces, int count, off64_t offset, int flags)
{
	DRIVE_OR(fd, REAL(preadv64v2)(fd, pieces, count, offset, flags))
	DONE(ssize_t,
	     offset == -1 ? readv_here(host, fd, pieces, count) : readv_at(host, pieces, count, offset));
}

/* What -D_FORTIFY_SOURCE makes of them. */
ssize_t __read_chk(int fd, void *data, size_t length, size_t room);
ssize_t __pread_chk(int fd, void *data, size_t length, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *data, size_t length, off64_t offset, size_t room);

EXPORT ssize_t __read_chk(int fd, void *data, size_t length, size_t room)
{
	return read(fd, data, length);
}

EXPORT ssize_t __pread_chk(int fd, void *data, size_t length, off_t offset, size_t room)
{
	return pread(fd, data, length, offset);
}

EXPORT ssize_t __pread64_chk(int fd, void *data, size_t length, off64_t offset, size_t room)
{
	return pread64(fd, data, length, offset);
}

/* --- writing ------------------------------------------------------------------- */

static ssize_t write_here(struct host_drive *host, int fd, const void *data, size_t length)
{
	off_t at = REAL(lseek)(fd, 0, SEEK_CUR);
	ssize_t r = host_pwrite(host, data, length, at);

	if (r > 0)
		REAL(lseek)(fd, at + r, SEEK_SET);
	return r;
}

EXPORT ssize_t write(int fd, const void *data, size_t length)
{
	DRIVE_OR(fd, REAL(write)(fd, data, length))
	DONE(ssize_t, write_here(host, fd, data, length));
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
	DRIVE_OR(fd, REAL(pwrite)(fd, data, length, offset))
	DONE(ssize_t, host_pwrite(host, data, length, offset));
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
	DRIVE_OR(fd, REAL(pwrite64)(fd, data, length, offset))
	DONE(ssize_t, host_pwrite(host, data, length, offset));
}

/* Nobody writes to a drive so. It must not reach the anchor, which has to stay empty. */
EXPORT ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	DRIVE_OR(fd, REAL(writev)(fd, pieces, count))
	DONE(ssize_t, -EINVAL);
}

EXPORT int ftruncate(int fd, off_t length)
{
	DRIVE_OR(fd, REAL(ftruncate)(fd, length))
	DONE(int, -EINVAL);
}

EXPORT int ftruncate64(int fd, off64_t length)
{
	DRIVE_OR(fd, REAL(ftruncate64)(fd, length))
	DONE(int, -EINVAL);
}

/* --- copies within the kernel: refused, so that programs read and write themselves ---- */

EXPORT ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length,
			       unsigned flags)
{
	DRIVE_OR(from, REAL(copy_file_range)(from, from_at, to, to_at, length, flags))
	DONE(ssize_t, -EINVAL);
}

EXPORT ssize_t sendfile(int to, int from, off_t *at, size_t length)
{
	DRIVE_OR(from, REAL(sendfile)(to, from, at, length))
	DONE(ssize_t, -EINVAL);
}

EXPORT ssize_t sendfile64(int to, int from, off64_t *at, size_t length)
{
	DRIVE_OR(from, REAL(sendfile64)(to, from, at, length))
	DONE(ssize_t, -EINVAL);
}

EXPORT ssize_t splice(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags)
{
	DRIVE_OR(from, REAL(splice)(from, from_at, to, to_at, length, flags))
	DONE(ssize_t, -EINVAL);
}

/* --- positions ----------------------------------------------------------------- */

static off_t seek_any(struct host_drive *host, int fd, off_t offset, int whence)
{
	off_t at;

	if (whence == SEEK_END) {
		offset += (off_t)host_size(host);
		whence = SEEK_SET;
	} else if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	at = REAL(lseek)(fd, offset, whence);
	return at < 0 ? -errno : at;
}

EXPORT off_t lseek(int fd, off_t offset, int whence)
{
	DRIVE_OR(fd, REAL(lseek)(fd, offset, whence))
	DONE(off_t, seek_any(host, fd, offset, whence));
}

EXPORT off64_t lseek64(int fd, off64_t offset, int whence)
{
	DRIVE_OR(fd, REAL(lseek64)(fd, offset, whence))
	DONE(off64_t, seek_any(host, fd, offset, whence));
}

/* --- ioctl and fcntl ----------------------------------------------------------- */

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	DRIVE_OR(fd, REAL(ioctl)(fd, request, argument))
	DONE(int, host_ioctl(host, fd, request, argument));
}

/* A program's lock "to the end of the file" must leave the end to the locks of host_kernel.c. */
static int lock_drive(int fd, int request, struct flock *lock)
{
	struct flock shorter = *lock;
	int r;

	if (shorter.l_len == 0)
		shorter.l_len = 0x6000000000000000 - (shorter.l_whence == SEEK_SET ? shorter.l_start : 0);
	r = REAL(fcntl)(fd, request, &shorter);
	if (r < 0)
		return -errno;
	if (request == F_GETLK || request == F_OFD_GETLK)
		*lock = shorter;
	return r;
}

static bool is_lock(int request)
{
	return request == F_SETLK || request == F_SETLKW || request == F_GETLK || request == F_OFD_SETLK ||
	       request == F_OFD_SETLKW || request == F_OFD_GETLK;
}

static int fcntl_any(int fd, int request, void *argument)
{
	if (!is_lock(request))
		return REAL(fcntl)(fd, request, argument);
	DRIVE_OR(fd, REAL(fcntl)(fd, request, argument))
	DONE(int, lock_drive(fd, request, argument));
}

EXPORT int fcntl(int fd, int request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return fcntl_any(fd, request, argument);
}

EXPORT int fcntl64(int fd, int request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return fcntl_any(fd, request, argument);
}
