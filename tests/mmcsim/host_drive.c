/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which simulated drives there are, and which of them a path or a descriptor means. */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRIVES 16u

static struct host_drive drives[DRIVES];
static atomic_uint drive_count; /* those below it never change any more */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool in_use;
static __thread unsigned depth;
static __thread int cancel_state;

static char folder[400]; /* $MMCSIM, absolute: daemons change their directory; empty: no drives */

static const char *host_folder(void)
{
	return *folder ? folder : NULL;
}

bool host_enter(void)
{
	if (depth > 0 || !host_folder())
		return false;
	depth++;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	return true;
}

void host_leave(void)
{
	int saved = errno;

	pthread_setcancelstate(cancel_state, NULL);
	depth--;
	errno = saved;
}

bool host_in_use(void)
{
	return atomic_load(&in_use);
}

/* A child of fork has one thread, and this mutex must not belong to another. */
static void before_fork(void)
{
	pthread_mutex_lock(&opening);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&opening);
}

__attribute__((constructor)) static void host_init(void)
{
	const char *name = getenv("MMCSIM");
	char full[PATH_MAX];

	pthread_atfork(before_fork, after_fork, after_fork);
	if (!name || !*name || !realpath(name, full) || strlen(full) >= sizeof(folder))
		return;
	strcpy(folder, full);
	/* Programs that this one starts are elsewhere, too. */
	setenv("MMCSIM", folder, 1);
}

static struct host_drive *host_known(unsigned number)
{
	for (unsigned i = 0; i < atomic_load(&drive_count); i++)
		if (drives[i].number == number)
			return &drives[i];
	return NULL;
}

/* Opens drive N of the folder for this process. The probe's descriptor is a high one, as programs count on
 * low ones. */
static int host_attach(struct host_drive *host, unsigned number)
{
	struct host_drive fresh = { .number = number };
	struct stat status;
	char dir[512];
	int fd, r;

	snprintf(dir, sizeof(dir), "%s/sr%u", host_folder(), number);
	snprintf(fresh.anchor, sizeof(fresh.anchor), "%s/anchor", dir);
	if (stat(fresh.anchor, &status) < 0)
		return -errno;
	fresh.dev = status.st_dev;
	fresh.ino = status.st_ino;
	/* Users without rights on the device may ask for its status, no more. */
	fd = open(fresh.anchor, O_RDONLY | O_CLOEXEC);
	fresh.probe = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 600);
	if (fd >= 0)
		close(fd);
	r = drive_open(&fresh.drive, dir);
	if (r < 0) {
		if (fresh.probe >= 0)
			close(fresh.probe);
		return r;
	}
	*host = fresh;
	return 0;
}

static struct host_drive *host_get(unsigned number)
{
	struct host_drive *host = host_known(number);
	unsigned count;

	if (host)
		return host;
	pthread_mutex_lock(&opening);
	host = host_known(number);
	count = atomic_load(&drive_count);
	if (!host && count < DRIVES && host_attach(&drives[count], number) == 0) {
		host = &drives[count];
		atomic_store(&drive_count, count + 1);
	}
	pthread_mutex_unlock(&opening);
	return host;
}

static bool name_number(const char *name, unsigned *ret)
{
	char *end;
	unsigned long number;

	if (strncmp(name, "sr", 2) != 0 || name[2] < '0' || name[2] > '9')
		return false;
	number = strtoul(name + 2, &end, 10);
	if (*end != '\0' || number > 255)
		return false;
	*ret = (unsigned)number;
	return true;
}

/* Where a dangling link points: udev's links, /dev/cdrom, those of a test. */
static struct host_drive *host_by_link(int dirfd, const char *path, unsigned links)
{
	char target[4096];
	unsigned number;
	ssize_t length;

	if (strncmp(path, "/dev/", 5) == 0 && name_number(path + 5, &number))
		return host_get(number);
	if (links == 0)
		return NULL;
	length = readlinkat(dirfd, path, target, sizeof(target) - 1);
	if (length <= 0)
		return NULL;
	target[length] = '\0';
	return host_by_link(dirfd, target, links - 1);
}

struct host_drive *host_by_path(int dirfd, const char *path, bool follow)
{
	return path ? host_by_link(dirfd, path, follow ? 8 : 0) : NULL;
}

/* Drives whose paths this process hasn't used yet: a descriptor may have come from another one. */
static void host_attach_all(void)
{
	DIR *list = opendir(host_folder());
	struct dirent *entry;
	unsigned number;

	while (list && (entry = readdir(list)))
		if (name_number(entry->d_name, &number))
			host_get(number);
	if (list)
		closedir(list);
}

static struct host_drive *host_known_by_stat(const struct stat *status)
{
	for (unsigned i = 0; i < atomic_load(&drive_count); i++)
		if (drives[i].ino == status->st_ino && drives[i].dev == status->st_dev) {
			atomic_store(&in_use, true);
			return &drives[i];
		}
	return NULL;
}

struct host_drive *host_by_stat(const struct stat *status)
{
	struct host_drive *host;

	/* An anchor is always empty. */
	if (!S_ISREG(status->st_mode) || status->st_size != 0)
		return NULL;
	host = host_known_by_stat(status);
	if (host)
		return host;
	host_attach_all();
	return host_known_by_stat(status);
}

struct host_drive *host_by_fd(int fd)
{
	struct stat status;
	int saved = errno;
	struct host_drive *host = fstat(fd, &status) == 0 ? host_by_stat(&status) : NULL;

	errno = saved;
	return host;
}
