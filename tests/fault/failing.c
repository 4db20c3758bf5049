/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The symbols here come before those of libc and libsqlite3, in the program as in its libraries. */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 are two names to a linker */
#include "fault/failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define ORDER_BYTES 64 /* at the start of the file of orders; behind it a line with what was done */

static struct failing_order order;
static _Atomic uint64_t seen, failed;
static _Atomic bool is_on;
static char below[4096];
static bool skip_syncs;
static char *orders; /* the mapped file, or NULL */
static char order_text[ORDER_BYTES];
static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const kind_names[FAILING_KINDS] = {
	"write", "sync", "resize", "read", "step", "statement", "memory",
};

const char *failing_kind_name(enum failing_kind kind)
{
	return kind_names[kind];
}

void failing_below(const char *dir)
{
	snprintf(below, sizeof below, "%s/", dir);
}

void failing_arm(const struct failing_order *wanted)
{
	order = *wanted;
	atomic_store(&seen, 0);
	atomic_store(&failed, 0);
}

void failing_on(bool on)
{
	atomic_store(&is_on, on);
}

uint64_t failing_seen(void)
{
	return atomic_load(&seen);
}

uint64_t failing_failed(void)
{
	return atomic_load(&failed);
}

void failing_skip_syncs(void)
{
	skip_syncs = true;
}

bool failing_has_memory(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return !SANITIZED && !(preload && strstr(preload, "vgpreload"));
}

static int errno_of_name(const char *name)
{
	static const struct {
		const char *name;
		int err;
	} known[] = { { "ENOSPC", ENOSPC },
		      { "EIO", EIO },
		      { "ENOMEM", ENOMEM },
		      { "EDQUOT", EDQUOT },
		      { "SHORT", 0 } };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].err;
	return -1;
}

bool failing_order_parse(const char *text, struct failing_order *ret)
{
	char kind[16] = "", err[16] = "";
	struct failing_order parsed = { 0 };

	*ret = parsed;
	if (sscanf(text, "%15[^:]:%lu:%lu:%15[^: \n]:%31[^ \n]", kind, &parsed.first, &parsed.count, err,
		   parsed.file) < 4)
		return false;
	parsed.err = errno_of_name(err);
	for (unsigned i = 0; i < FAILING_KINDS; i++)
		if (strcmp(kind_names[i], kind) == 0 && parsed.err >= 0) {
			parsed.kind = (enum failing_kind)i;
			*ret = parsed;
			return true;
		}
	return false;
}

/* ---- orders from a file ---- */

static void follow_orders(void)
{
	char text[ORDER_BYTES];

	memcpy(text, orders, sizeof text);
	text[sizeof text - 1] = '\0';
	pthread_mutex_lock(&orders_lock);
	if (strcmp(text, order_text) != 0) {
		struct failing_order parsed;
		bool good = failing_order_parse(text, &parsed);

		atomic_store(&is_on, false);
		memcpy(order_text, text, sizeof order_text);
		failing_arm(&parsed);
		atomic_store(&is_on, good);
	}
	pthread_mutex_unlock(&orders_lock);
}

/* The daemon and its burn program both tell: who has failed in nothing doesn't hide what the other has. */
static void tell_orders(void)
{
	if (orders && (failing_failed() || strncmp(orders + ORDER_BYTES, "0 ", 2) == 0))
		snprintf(orders + ORDER_BYTES, ORDER_BYTES, "%lu %lu\n", failing_failed(), failing_seen());
}

/* DISCFS_FAILING_BELOW: the state directory. */
__attribute__((constructor)) static void open_orders(void)
{
	const char *path = getenv("DISCFS_FAILING"), *dir = getenv("DISCFS_FAILING_BELOW");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *mapped;

	if (fd < 0)
		return;
	mapped = mmap(NULL, 2 * ORDER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (mapped == MAP_FAILED)
		return;
	failing_below(dir ? dir : "");
	orders = mapped;
}

/* ---- whose turn it is ---- */

/* Counts a call of a kind. True: it must fail. */
static bool strikes(enum failing_kind kind)
{
	uint64_t number;

	if (order.kind != kind)
		return false;
	number = atomic_fetch_add(&seen, 1) + 1;
	if (order.first == 0 || number < order.first || number - order.first >= order.count) {
		tell_orders();
		return false;
	}
	atomic_fetch_add(&failed, 1);
	tell_orders();
	return true;
}

static bool is_watching(enum failing_kind kind)
{
	if (orders)
		follow_orders();
	return atomic_load_explicit(&is_on, memory_order_relaxed) && order.kind == kind;
}

static bool is_our_file(int fd)
{
	char link[32], path[4096];
	size_t length = strlen(below);
	const char *name;
	ssize_t got;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	got = readlink(link, path, sizeof path - 1);
	if (got < 0)
		return false;
	path[got] = '\0';
	name = strrchr(path, '/');
	return strncmp(path, below, length) == 0 && name &&
	       strncmp(name + 1, order.file, strlen(order.file)) == 0;
}

static bool file_strikes(enum failing_kind kind, int fd)
{
	int kept = errno;
	bool strike = is_watching(kind) && is_our_file(fd) && strikes(kind);

	errno = strike ? order.err : kept;
	return strike;
}

/* ---- files ---- */

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
	if (file_strikes(FAILING_WRITE, fd)) {
		if (order.err)
			return -1;
		length = length / 2;
	}
	return syscall(SYS_pwrite64, fd, data, length, offset);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
	return pwrite64(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length)
{
	if (file_strikes(FAILING_WRITE, fd)) {
		if (order.err)
			return -1;
		length = length / 2;
	}
	return syscall(SYS_write, fd, data, length);
}

ssize_t pread64(int fd, void *data, size_t length, off64_t offset)
{
	if (file_strikes(FAILING_READ, fd)) {
		if (order.err)
			return -1;
		length = length / 2;
	}
	return syscall(SYS_pread64, fd, data, length, offset);
}

ssize_t pread(int fd, void *data, size_t length, off_t offset)
{
	return pread64(fd, data, length, offset);
}

int fsync(int fd)
{
	if (file_strikes(FAILING_SYNC, fd))
		return -1;
	return skip_syncs ? 0 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	if (file_strikes(FAILING_SYNC, fd))
		return -1;
	return skip_syncs ? 0 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate64(int fd, off64_t length)
{
	return file_strikes(FAILING_RESIZE, fd) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length)
{
	return ftruncate64(fd, length);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	return file_strikes(FAILING_RESIZE, fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	return fallocate64(fd, mode, offset, length);
}

/* ---- who asks ---- */

struct range {
	uintptr_t start, end;
};

static struct range ours[2]; /* the program, and SQLite */

static int find_range(struct dl_phdr_info *info, size_t size, void *count)
{
	bool is_program = *(int *)count == 0;
	struct range *range = is_program ? &ours[0] : &ours[1];

	++*(int *)count;
	if (!is_program && !strstr(info->dlpi_name, "libsqlite3"))
		return 0;
	range->start = UINTPTR_MAX;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		range->start = start < range->start ? start : range->start;
		if (start + info->dlpi_phdr[i].p_memsz > range->end)
			range->end = start + info->dlpi_phdr[i].p_memsz;
	}
	return 0;
}

__attribute__((constructor)) static void find_ranges(void)
{
	int count = 0;

	dl_iterate_phdr(find_range, &count);
}

static bool is_between(const struct range *range, const void *caller)
{
	return (uintptr_t)caller >= range->start && (uintptr_t)caller < range->end;
}

/* ---- SQLite ---- */

/* What failed last by our doing, until SQLite is asked again: sqlite3_errcode says so. */
static _Thread_local sqlite3 *failed_handle;
static _Thread_local int failed_code;

static int code_of(int err)
{
	switch (err) {
	case ENOSPC:
		return SQLITE_FULL;
	case ENOMEM:
		return SQLITE_NOMEM;
	default:
		return SQLITE_IOERR;
	}
}

/* sqlite3VdbeHalt (3.40): when a step ends with SQLITE_FULL, IOERR or NOMEM, SQLite undoes the statement
 * alone if it kept a statement journal and the code is FULL or NOMEM; else it rolls the whole transaction
 * back, and is in autocommit mode again. A COMMIT that can't write the log does the same. */
static int fail_step(sqlite3_stmt *stmt, bool whole)
{
	sqlite3 *handle = sqlite3_db_handle(stmt);

	if (whole && !sqlite3_get_autocommit(handle)) {
		bool on = atomic_exchange(&is_on, false);

		sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
		atomic_store(&is_on, on);
	}
	failed_handle = handle;
	failed_code = code_of(order.err);
	return failed_code;
}

int sqlite3_step(sqlite3_stmt *stmt)
{
	static int (*real)(sqlite3_stmt *);

	if (!real)
		real = (int (*)(sqlite3_stmt *))dlsym(RTLD_NEXT, "sqlite3_step");
	failed_handle = NULL;
	if (is_between(&ours[0], __builtin_return_address(0))) {
		if (is_watching(FAILING_STEP) && strikes(FAILING_STEP))
			return fail_step(stmt, true);
		if (is_watching(FAILING_STATEMENT) && strikes(FAILING_STATEMENT))
			return fail_step(stmt, false);
	}
	return real(stmt);
}

/* SQLite asks itself, too, of a new connection at an old one's address. */
static bool tells_failure(const sqlite3 *handle, const void *caller)
{
	return handle && handle == failed_handle && is_between(&ours[0], caller);
}

int sqlite3_errcode(sqlite3 *handle)
{
	static int (*real)(sqlite3 *);

	if (!real)
		real = (int (*)(sqlite3 *))dlsym(RTLD_NEXT, "sqlite3_errcode");
	return tells_failure(handle, __builtin_return_address(0)) ? failed_code : real(handle);
}

int sqlite3_extended_errcode(sqlite3 *handle)
{
	static int (*real)(sqlite3 *);

	if (!real)
		real = (int (*)(sqlite3 *))dlsym(RTLD_NEXT, "sqlite3_extended_errcode");
	return tells_failure(handle, __builtin_return_address(0)) ? failed_code : real(handle);
}

/* ---- memory ---- */

#if !SANITIZED
/* glibc's own names of them: they need no look-up, which would allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

#define STRIKES()                                                                                            \
	(atomic_load_explicit(&is_on, memory_order_relaxed) && memory_strikes(__builtin_return_address(0)))

static bool memory_strikes(const void *caller)
{
	if (order.kind != FAILING_MEMORY ||
	    (!is_between(&ours[0], caller) && !is_between(&ours[1], caller)) || !strikes(FAILING_MEMORY))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return STRIKES() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return STRIKES() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return STRIKES() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return STRIKES() ? NULL : __libc_realloc(old, bytes);
}

char *strdup(const char *text)
{
	size_t length = strlen(text) + 1;
	char *copy = STRIKES() ? NULL : __libc_malloc(length);

	return copy ? memcpy(copy, text, length) : NULL;
}
#endif
