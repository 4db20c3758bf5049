/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two trees, whole: names, types, modes, owners, sizes, devices, targets, times that were set, attributes,
 * bytes, and which names are links to the same file. */
#include "model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PIECE	   (256u << 10)
#define ENOUGH	   20
#define XATTR_ROOM 70000
#define LONG_PATH  4096

struct pair {
	uint64_t a, b;
};

struct comparison {
	const struct rules *rules;
	int top[2];
	unsigned differences;
	uint64_t inodes;
	struct pair *links;
	size_t link_count;
	unsigned char *data[2];
};

__attribute__((format(printf, 3, 4))) static void differ(struct comparison *cmp, const char *path,
							 const char *format, ...)
{
	va_list args;

	if (++cmp->differences > ENOUGH)
		return;
	printf("differs: ");
	path_print(stdout, path);
	printf(": ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void enter(struct comparison *cmp, unsigned side)
{
	if (fchdir(cmp->top[side]) < 0) {
		perror("compare");
		exit(2);
	}
}

/* Files with several names: the same inodes must belong together on both sides. */
static void compare_links(struct comparison *cmp, const char *path, const struct stat st[2])
{
	struct pair own = { st[0].st_ino, st[1].st_ino };

	for (size_t i = 0; i < cmp->link_count; i++) {
		const struct pair *pair = &cmp->links[i];

		if ((pair->a == own.a) != (pair->b == own.b)) {
			differ(cmp, path, "is a link to another file");
			return;
		}
		if (pair->a == own.a)
			return;
	}
	cmp->links = realloc(cmp->links, (cmp->link_count + 1) * sizeof *cmp->links);
	if (!cmp->links)
		abort();
	cmp->links[cmp->link_count++] = own;
}

static void compare_times(struct comparison *cmp, const char *path, const struct stat st[2])
{
	if (!times_agree(&st[0].st_mtim, &st[1].st_mtim, cmp->rules->whole_seconds))
		differ(cmp, path, "mtime %lld.%09ld and %lld.%09ld", (long long)st[0].st_mtim.tv_sec,
		       st[0].st_mtim.tv_nsec, (long long)st[1].st_mtim.tv_sec, st[1].st_mtim.tv_nsec);
}

/* A disc's mode of a file with an ACL has the group's permissions where stat tells the mask; without ACLs
 * that stays. */
static mode_t uncertain_bits(struct comparison *cmp, const char *path)
{
	enter(cmp, 1);
	return cmp->rules->extracted && lgetxattr(path, "system.posix_acl_access", NULL, 0) > 0 ? S_IRWXG : 0;
}

static void compare_attributes(struct comparison *cmp, const char *path, const struct stat st[2])
{
	bool soft = S_ISLNK(st[0].st_mode) && cmp->rules->extracted;

	if (cmp->rules->extracted && strcmp(path, ".") == 0)
		return;
	if ((st[0].st_mode ^ st[1].st_mode) & ~uncertain_bits(cmp, path))
		differ(cmp, path, "mode %o and %o", st[0].st_mode, st[1].st_mode);
	if (!soft && (st[0].st_uid != st[1].st_uid || st[0].st_gid != st[1].st_gid))
		differ(cmp, path, "owner %u:%u and %u:%u", st[0].st_uid, st[0].st_gid, st[1].st_uid,
		       st[1].st_gid);
	if (st[0].st_nlink != st[1].st_nlink)
		differ(cmp, path, "%lu and %lu links", (unsigned long)st[0].st_nlink,
		       (unsigned long)st[1].st_nlink);
	if (!S_ISDIR(st[0].st_mode) && st[0].st_size != st[1].st_size)
		differ(cmp, path, "size %lld and %lld", (long long)st[0].st_size, (long long)st[1].st_size);
	if (st[0].st_rdev != st[1].st_rdev)
		differ(cmp, path, "device %lx and %lx", (unsigned long)st[0].st_rdev,
		       (unsigned long)st[1].st_rdev);
	if (!soft && !S_ISFIFO(st[0].st_mode)) /* see run_stat */
		compare_times(cmp, path, st);
	if (!S_ISDIR(st[0].st_mode) && st[0].st_nlink > 1)
		compare_links(cmp, path, st);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "name=value " of each attribute, in the order of the names, on the side where we are. */
static char *attributes_of(const char *path)
{
	static char names[XATTR_ROOM], value[XATTR_ROOM];
	char *sorted[1024], *text = NULL;
	size_t count = 0, room;
	ssize_t length = llistxattr(path, names, sizeof names);
	FILE *file = open_memstream(&text, &room);

	for (ssize_t at = 0; at < length && count < 1024; at += (ssize_t)strlen(names + at) + 1)
		sorted[count++] = names + at;
	if (length < 0 && errno != EOPNOTSUPP)
		fprintf(file, "can't be listed: %s", strerror(errno));
	qsort(sorted, count, sizeof *sorted, by_name);
	for (size_t i = 0; i < count; i++) {
		length = lgetxattr(path, sorted[i], value, sizeof value);
		fprintf(file, "%s=", sorted[i]);
		if (length < 0)
			fprintf(file, "%s", strerror(errno));
		for (ssize_t k = 0; k < length; k++)
			fprintf(file, "%02x", (unsigned char)value[k]);
		fputc(' ', file);
	}
	fclose(file);
	return text;
}

static void compare_xattrs(struct comparison *cmp, const char *path)
{
	char *text[2];

	for (unsigned i = 0; i < 2; i++) {
		enter(cmp, i);
		text[i] = attributes_of(path);
	}
	if (strcmp(text[0], text[1]) != 0)
		differ(cmp, path, "attributes %.1000s and %.1000s", text[0], text[1]);
	free(text[0]);
	free(text[1]);
}

static void compare_targets(struct comparison *cmp, const char *path)
{
	char target[2][LONG_PATH] = { "", "" };

	for (unsigned i = 0; i < 2; i++) {
		enter(cmp, i);
		if (readlink(path, target[i], LONG_PATH - 1) < 0)
			differ(cmp, path, "can't be read: %s", strerror(errno));
	}
	if (strcmp(target[0], target[1]) != 0)
		differ(cmp, path, "leads to %.1000s and %.1000s", target[0], target[1]);
}

static void compare_pieces(struct comparison *cmp, const char *path, const int fd[2])
{
	ssize_t length[2] = { 1, 1 };
	long long at = 0;

	while (length[0] > 0) {
		for (unsigned i = 0; i < 2; i++)
			length[i] = pread(fd[i], cmp->data[i], PIECE, at);
		if (length[0] != length[1]) {
			differ(cmp, path, "at %lld are %zd and %zd bytes", at, length[0], length[1]);
			return;
		}
		for (ssize_t k = 0; k < length[0]; k++)
			if (cmp->data[0][k] != cmp->data[1][k]) {
				differ(cmp, path, "byte %lld is %02x and %02x", at + k, cmp->data[0][k],
				       cmp->data[1][k]);
				return;
			}
		at += length[0];
	}
	if (length[0] < 0)
		differ(cmp, path, "can't be read");
}

static void compare_bytes(struct comparison *cmp, const char *path)
{
	int fd[2];

	for (unsigned i = 0; i < 2; i++) {
		enter(cmp, i);
		fd[i] = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
		if (fd[i] < 0)
			differ(cmp, path, "%c can't be opened: %s", "AB"[i], strerror(errno));
	}
	if (fd[0] >= 0 && fd[1] >= 0)
		compare_pieces(cmp, path, fd);
	for (unsigned i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

static void settle_time(struct comparison *cmp, const char *path, const struct stat *st)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, st->st_mtim };

	enter(cmp, 1);
	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) < 0)
		differ(cmp, path, "its time can't be set: %s", strerror(errno));
}

static int by_entry(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void compare_node(struct comparison *cmp, const char *path);

/* xorriso unpacks no sockets, nothing of the top itself, nor owners and times of symbolic links. (It would
 * unpack ACLs, but what it makes in a directory with a default ACL inherits that.) */
static bool is_left_out(struct comparison *cmp, const char *path)
{
	struct stat st;

	enter(cmp, 1);
	return cmp->rules->extracted && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Goes through both lists of names at once. */
static void compare_names(struct comparison *cmp, const char *path, struct dirent **list[2],
			  const int count[2])
{
	int at[2] = { 0, 0 };

	while (at[0] < count[0] || at[1] < count[1]) {
		const char *a = at[0] < count[0] ? list[0][at[0]]->d_name : NULL;
		const char *b = at[1] < count[1] ? list[1][at[1]]->d_name : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a, b);
		char below[LONG_PATH];

		snprintf(below, sizeof below, "%s/%s", path, order <= 0 ? a : b);
		if (order < 0)
			differ(cmp, below, "is in A only");
		else if (order > 0 && !is_left_out(cmp, below))
			differ(cmp, below, "is in B only");
		else if (order == 0)
			compare_node(cmp, below);
		at[0] += order <= 0;
		at[1] += order >= 0;
	}
}

static void compare_directory(struct comparison *cmp, const char *path)
{
	struct dirent **list[2] = { NULL, NULL };
	int count[2];

	for (unsigned i = 0; i < 2; i++) {
		enter(cmp, i);
		count[i] = scandir(path, &list[i], is_entry, by_entry);
		if (count[i] < 0)
			differ(cmp, path, "%c can't be listed: %s", "AB"[i], strerror(errno));
	}
	compare_names(cmp, path, list, count);
	for (unsigned i = 0; i < 2; i++) {
		for (int k = 0; k < count[i]; k++)
			free(list[i][k]);
		free(list[i]);
	}
}

static void compare_node(struct comparison *cmp, const char *path)
{
	struct stat st[2];

	for (unsigned i = 0; i < 2; i++) {
		enter(cmp, i);
		if (lstat(path, &st[i]) < 0) {
			differ(cmp, path, "%c can't be asked: %s", "AB"[i], strerror(errno));
			return;
		}
	}
	for (const char *at = path; *at; at++)
		cmp->inodes = cmp->inodes * 1099511628211u + (unsigned char)*at;
	cmp->inodes = (cmp->inodes ^ st[0].st_ino) * 1099511628211u;
	compare_attributes(cmp, path, st);
	if ((st[0].st_mode & S_IFMT) != (st[1].st_mode & S_IFMT))
		return;
	if (!cmp->rules->extracted)
		compare_xattrs(cmp, path);
	if (S_ISLNK(st[0].st_mode))
		compare_targets(cmp, path);
	else if (S_ISREG(st[0].st_mode))
		compare_bytes(cmp, path);
	else if (S_ISDIR(st[0].st_mode))
		compare_directory(cmp, path);
	if (cmp->rules->settle)
		settle_time(cmp, path, &st[0]);
}

unsigned compare_trees(const char *a, const char *b, const struct rules *rules, uint64_t *ret_inodes)
{
	struct comparison cmp = { .rules = rules, .top = { -1, -1 } };
	const char *dirs[2] = { a, b };

	for (unsigned i = 0; i < 2; i++) {
		cmp.top[i] = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cmp.data[i] = malloc(PIECE);
		if (cmp.top[i] < 0 || !cmp.data[i]) {
			perror(dirs[i]);
			exit(2);
		}
	}
	compare_node(&cmp, ".");
	for (unsigned i = 0; i < 2; i++) {
		close(cmp.top[i]);
		free(cmp.data[i]);
	}
	free(cmp.links);
	*ret_inodes = cmp.inodes;
	if (cmp.differences > ENOUGH)
		printf("and %u more differences\n", cmp.differences - ENOUGH);
	return cmp.differences;
}
