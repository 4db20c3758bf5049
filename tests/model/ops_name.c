/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on names. */
#include "model.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const mode_t modes[] = { 0644, 0600, 0666, 0755, 0777, 0640, 04755, 02770, 0444, 0, 01777, 06711 };

static void make_mode(struct model *model, struct op *op)
{
	op->n[0] = one_in(model, 2) ? 0777 : modes[below(model, sizeof modes / sizeof *modes)];
}

static void after_made(struct model *model, const struct op *op, const struct result *result)
{
	struct stat st;

	if (result->ret == 0 && fstatat(model->side[1].top, op->path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		known_add(model, op->path, st.st_mode & S_IFMT);
}

/* n0: mode */
static void make_mkdir(struct model *model, struct op *op)
{
	make_mode(model, op);
	if (one_in(model, 8))
		pick_path(model, op->path);
	else
		pick_place(model, op->path);
}

static void run_mkdir(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, mkdir(op->path, (mode_t)op->n[0]));
}

/* n0: mode and type, n1: device. Devices are never opened. */
static void make_mknod(struct model *model, struct op *op)
{
	static const mode_t types[] = { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFREG };

	make_mkdir(model, op);
	op->n[0] |= types[below(model, 5)];
	op->n[1] =
	    (int64_t)makedev(below(model, 400), below(model, 2) ? below(model, 256) : below(model, 1 << 20));
}

static void run_mknod(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, mknod(op->path, (mode_t)op->n[0], (dev_t)op->n[1]));
}

/* path2: target. A target leads down only, or nowhere: so no path leads above the top, and nothing else is
 * touched. */
static void make_symlink(struct model *model, struct op *op)
{
	char name[PATH_ROOM];
	uint64_t kind = below(model, 20);

	pick_place(model, op->path);
	pick_name(model, op->path2);
	if (strlen(op->path2) > 255)
		strcpy(op->path2, "a");
	if (kind < 6) {
		pick_name(model, name);
		if (strlen(name) <= 255) {
			strcat(op->path2, "/");
			strcat(op->path2, name);
		}
	} else if (kind == 6) {
		strcpy(op->path2, "/nowhere/to be found");
	} else if (kind == 7) {
		strcpy(op->path2, "nowhere/../../a");
	} else if (kind == 8) {
		/* long, in several records of a disc */
		size_t length = 300 + below(model, 700);

		for (size_t i = 0; i < length; i++)
			op->path2[i] = i % 50 == 49 ? '/' : 'n';
		strcpy(op->path2 + length, "n");
	}
}

static void run_symlink(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, symlink(op->path2, op->path));
}

static void make_link(struct model *model, struct op *op)
{
	if (one_in(model, 4))
		pick_path(model, op->path2);
	else
		pick_file(model, op->path2);
	if (one_in(model, 6))
		pick_path(model, op->path);
	else
		pick_place(model, op->path);
	op->n[0] = one_in(model, 4) ? AT_SYMLINK_FOLLOW : 0;
}

static void run_link(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, linkat(AT_FDCWD, op->path2, AT_FDCWD, op->path, (int)op->n[0]));
}

/* A name for a descriptor's file, as long as it has another. */
static void make_link_fd(struct model *model, struct op *op)
{
	pick_place(model, op->path);
	op->slot = (unsigned)below(model, SLOTS);
}

static void run_link_fd(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, linkat(side->fd[op->slot], "", AT_FDCWD, op->path, AT_EMPTY_PATH));
}

static void make_dir_path(struct model *model, struct op *op)
{
	if (one_in(model, 5))
		pick_path(model, op->path);
	else
		pick_dir(model, op->path);
}

static void make_link_path(struct model *model, struct op *op)
{
	if (one_in(model, 5))
		pick_path(model, op->path);
	else
		pick_type(model, S_IFLNK, op->path);
}

static void make_unlink(struct model *model, struct op *op)
{
	if (one_in(model, 3))
		pick_path(model, op->path);
	else
		pick_file(model, op->path);
}

static void run_unlink(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, unlink(op->path));
}

static void run_rmdir(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, rmdir(op->path));
}

/* renameat2's flags: n0 */
static void make_rename(struct model *model, struct op *op)
{
	static const unsigned flags[] = { 0, 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };

	op->n[0] = flags[below(model, 6)];
	if (one_in(model, 8))
		pick_path(model, op->path);
	else
		pick_any(model, op->path);
	if (one_in(model, 2))
		pick_path(model, op->path2);
	else
		pick_place(model, op->path2);
}

static void run_rename(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, renameat2(AT_FDCWD, op->path, AT_FDCWD, op->path2, (unsigned)op->n[0]));
}

static void after_rename(struct model *model, const struct op *op, const struct result *result)
{
	if (result->ret == 0)
		known_refresh(model);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* As rm -r does, but in an order that both sides share. Says what couldn't go. */
static void remove_tree(struct side *side, const char *path, struct result *ret)
{
	struct dirent **entries;
	struct stat st;
	int count = 0;

	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
		count = scandir(path, &entries, NULL, by_name);
	for (int i = 0; i < count; i++) {
		char below[2 * PATH_ROOM];

		snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
		if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
			remove_tree(side, below, ret);
		free(entries[i]);
	}
	if (count > 0)
		free(entries);
	if (remove(path) < 0)
		tell(side, ret, "%d ", errno);
}

/* n0: a threshold on how many names there are, by which the tree stays small */
static void make_rmtree(struct model *model, struct op *op)
{
	pick_dir(model, op->path);
	if (strcmp(op->path, ".") == 0 || model->known.count < model->options.files / 2)
		pick_place(model, op->path);
	else if (model->known.count > model->options.files * 2 && strchr(op->path, '/'))
		*strchr(op->path, '/') = '\0';
}

static void run_rmtree(struct side *side, const struct op *op, struct result *ret)
{
	remove_tree(side, op->path, ret);
}

static void after_rmtree(struct model *model, const struct op *op, const struct result *result)
{
	known_refresh(model);
}

static void run_readlink(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, readlink(op->path, (char *)side->data, PATH_ROOM));
	ret->data = side->data;
	ret->length = ret->ret > 0 ? (size_t)ret->ret : 0;
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names with their types, whatever their order, from a descriptor's directory or a path's. A's inode
 * numbers must be those that stat tells. */
static void tell_directory(struct side *side, DIR *dir, struct result *ret)
{
	char *lines[2000];
	size_t count = 0;
	struct dirent *entry;
	struct stat st;

	while (count < 2000 && (errno = 0, entry = readdir(dir))) {
		bool same = strcmp(entry->d_name, "..") == 0 ||
			    (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			     st.st_ino == entry->d_ino);

		if (asprintf(&lines[count++], "%s:%u%s ", entry->d_name, entry->d_type,
			     same ? "" : " other inode") < 0)
			abort();
	}
	done(ret, errno ? -1 : (long)count);
	qsort(lines, count, sizeof *lines, by_line);
	for (size_t i = 0; i < count; i++) {
		tell(side, ret, "%s", lines[i]);
		free(lines[i]);
	}
}

static void run_readdir(struct side *side, const struct op *op, struct result *ret)
{
	DIR *dir = opendir(op->path);

	if (!dir) {
		done(ret, -1);
		return;
	}
	tell_directory(side, dir, ret);
	closedir(dir);
}

static void make_slot(struct model *model, struct op *op)
{
	op->slot = pick_slot(model, S_IFDIR);
}

static void run_readdir_fd(struct side *side, const struct op *op, struct result *ret)
{
	int fd = fcntl(side->fd[op->slot], F_DUPFD_CLOEXEC, 3);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir) {
		done(ret, -1);
		if (fd >= 0)
			close(fd);
		return;
	}
	rewinddir(dir);
	tell_directory(side, dir, ret);
	rewinddir(dir); /* the descriptor's position is shared, and its end is another on each side */
	closedir(dir);
}

/* In a directory that is open, and may have been moved or removed. n0: mode */
static void make_mkdir_at(struct model *model, struct op *op)
{
	make_mode(model, op);
	make_slot(model, op);
	pick_name(model, op->path);
}

static void run_mkdir_at(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, mkdirat(side->fd[op->slot], op->path, (mode_t)op->n[0]));
}

const struct kind name_kinds[] = {
	{ .name = "mkdir", .weight = 30, .make = make_mkdir, .run = run_mkdir, .after = after_made },
	{ .name = "mknod", .weight = 8, .make = make_mknod, .run = run_mknod, .after = after_made },
	{ .name = "symlink", .weight = 12, .make = make_symlink, .run = run_symlink, .after = after_made },
	{ .name = "link", .weight = 20, .make = make_link, .run = run_link, .after = after_made },
	{ .name = "link_fd", .weight = 4, .make = make_link_fd, .run = run_link_fd, .after = after_made },
	{ .name = "unlink", .weight = 30, .make = make_unlink, .run = run_unlink },
	{ .name = "rmdir", .weight = 15, .make = make_dir_path, .run = run_rmdir },
	{ .name = "rename", .weight = 50, .make = make_rename, .run = run_rename, .after = after_rename },
	{ .name = "rmtree", .weight = 3, .make = make_rmtree, .run = run_rmtree, .after = after_rmtree },
	{ .name = "readlink", .weight = 5, .make = make_link_path, .run = run_readlink },
	{ .name = "readdir", .weight = 15, .make = make_dir_path, .run = run_readdir },
	{ .name = "readdir_fd", .weight = 5, .make = make_slot, .run = run_readdir_fd },
	{ .name = "mkdir_at", .weight = 4, .make = make_mkdir_at, .run = run_mkdir_at },
	{ 0 },
};
