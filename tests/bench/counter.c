/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A library for LD_PRELOAD that counts what a FUSE daemon does: requests of the kernel by opcode (and
 * attribute), runs of SQLite statements by their text, and calls that sync. The counts lie in the file that
 * COUNTER_FILE names: see count.py, which reads it while the daemon runs.
 *
 * A thread that has read from /dev/fuse does its work "now", while somebody waits; others do it "later". */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <sqlite3.h>

#define SLOTS	   512
#define NAME_ROOM  248 /* bytes; count.py knows it */
#define FUSE_MAJOR 10
#define FUSE_MINOR 229

struct slot {
	char name[NAME_ROOM];
	uint64_t count;
};

static struct slot *slots;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool serves;

static void *next(const char *symbol)
{
	void *found = dlsym(RTLD_NEXT, symbol);

	if (!found)
		abort();
	return found;
}

/* Workers that the daemon starts aren't counted. */
__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("COUNTER_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	unsetenv("LD_PRELOAD");
	if (fd < 0 || ftruncate(fd, SLOTS * sizeof *slots) < 0)
		abort();
	slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (slots == MAP_FAILED)
		abort();
	close(fd);
}

static void add(const char *kind, const char *what)
{
	char name[NAME_ROOM] = "";
	size_t i = 0;

	snprintf(name, sizeof name, "%s %s", kind, what);
	pthread_mutex_lock(&lock);
	while (i < SLOTS - 1 && slots[i].name[0] && strcmp(slots[i].name, name) != 0)
		i++;
	memcpy(slots[i].name, name, sizeof name);
	slots[i].count++;
	pthread_mutex_unlock(&lock);
}

static bool is_fuse(int fd)
{
	static _Atomic int known = -1;
	struct stat st;

	if (fd == known)
		return true;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(FUSE_MAJOR, FUSE_MINOR))
		return false;
	known = fd;
	return true;
}

ssize_t read(int fd, void *data, size_t length)
{
	static ssize_t (*real)(int, void *, size_t);
	const struct fuse_in_header *head = data;
	char what[NAME_ROOM];
	ssize_t got;

	if (!real)
		real = (ssize_t(*)(int, void *, size_t))next("read");
	got = real(fd, data, length);
	if (got >= (ssize_t)sizeof *head && is_fuse(fd)) {
		serves = true;
		if (head->opcode == FUSE_GETXATTR)
			snprintf(what, sizeof what, "%u %s", head->opcode,
				 (const char *)data + sizeof *head + sizeof(struct fuse_getxattr_in));
		else
			snprintf(what, sizeof what, "%u", head->opcode);
		add("fuse", what);
	}
	return got;
}

/* One run of a statement may be many steps. */
int sqlite3_step(sqlite3_stmt *stmt)
{
	static int (*real)(sqlite3_stmt *);

	if (!real)
		real = (int (*)(sqlite3_stmt *))next("sqlite3_step");
	if (stmt && !sqlite3_stmt_busy(stmt))
		add(serves ? "now" : "later", sqlite3_sql(stmt));
	return real(stmt);
}

static int count_sync(const char *symbol, int fd)
{
	int (*real)(int) = (int (*)(int))next(symbol);

	add("sync", serves ? "now" : "later");
	return real(fd);
}

int fsync(int fd)
{
	return count_sync("fsync", fd);
}

int fdatasync(int fildes)
{
	return count_sync("fdatasync", fildes);
}
