/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on descriptors and content. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define SIZE_LIMIT (1 << 20) /* of a file, about */
#define AT_ONCE	   (300 << 10)

static int64_t pick_offset(struct model *model)
{
	switch (below(model, 6)) {
	case 0:
		return 0;
	case 1:
		return (int64_t)below(model, 64) * 4096;
	case 2:
		return (int64_t)below(model, SIZE_LIMIT);
	case 3:
		return (int64_t)below(model, 200);
	default:
		return (int64_t)below(model, 64 << 10);
	}
}

static int64_t pick_length(struct model *model)
{
	switch (below(model, 8)) {
	case 0:
		return 1 + (int64_t)below(model, 10);
	case 1:
		return 4096 * (1 + (int64_t)below(model, 16));
	case 2:
		return (int64_t)below(model, one_in(model, 4) ? AT_ONCE : 30000);
	default:
		return (int64_t)below(model, 6000);
	}
}

/* n0: flags, n1: mode. Never a device, whoever made it. */
static void make_open(struct model *model, struct op *op)
{
	static const int access[] = { O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY };
	static const struct {
		int flag;
		unsigned one_in;
	} flags[] = {
		{ O_CREAT, 2 },	    { O_EXCL, 8 },	 { O_TRUNC, 8 },   { O_APPEND, 6 },
		{ O_NOFOLLOW, 10 }, { O_DIRECTORY, 30 }, { O_DSYNC, 200 },
	};

	op->slot = (unsigned)below(model, SLOTS);
	op->n[0] = access[below(model, 5)];
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		op->n[0] |= one_in(model, flags[i].one_in) ? flags[i].flag : 0;
	op->n[1] = one_in(model, 3) ? (int64_t)below(model, 010000) : 0666;
	if (op->n[0] & O_CREAT && !one_in(model, 4)) {
		pick_place(model, op->path);
	} else if (one_in(model, 6)) {
		pick_dir(model, op->path);
		op->n[0] = O_RDONLY | O_DIRECTORY;
	} else if (one_in(model, 4)) {
		pick_path(model, op->path);
	} else {
		pick_file(model, op->path);
	}
}

static bool is_device(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

static void run_open(struct side *side, const struct op *op, struct result *ret)
{
	int *fd = &side->fd[op->slot];

	if (*fd >= 0 && close(*fd) < 0)
		tell(side, ret, "close: %d", errno);
	*fd = -1;
	if (is_device(op->path)) {
		tell(side, ret, "a device");
		return;
	}
	*fd = open(op->path, (int)op->n[0] | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, (mode_t)op->n[1]);
	done(ret, *fd < 0 ? -1 : 0);
}

static void after_open(struct model *model, const struct op *op, const struct result *result)
{
	struct stat st;
	bool open = model->side[1].fd[op->slot] >= 0 && fstat(model->side[1].fd[op->slot], &st) == 0;

	model->slot_type[op->slot] = open ? st.st_mode & S_IFMT : 0;
	if (open && op->n[0] & O_CREAT)
		known_add(model, op->path, st.st_mode & S_IFMT);
}

static void make_close(struct model *model, struct op *op)
{
	op->slot = (unsigned)below(model, SLOTS);
}

static void run_close(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, close(side->fd[op->slot]));
	side->fd[op->slot] = -1;
}

/* n0: offset, n1: length, n2: what the bytes are made of */
static void make_io(struct model *model, struct op *op)
{
	op->slot = pick_slot(model, S_IFREG);
	op->n[0] = pick_offset(model);
	op->n[1] = pick_length(model);
	op->n[2] = (int64_t)below(model, 1 << 30);
}

static void got(struct side *side, struct result *ret, ssize_t length)
{
	done(ret, length);
	ret->data = side->data;
	ret->length = length > 0 ? (size_t)length : 0;
}

static void run_pread(struct side *side, const struct op *op, struct result *ret)
{
	got(side, ret, pread(side->fd[op->slot], side->data, (size_t)op->n[1], op->n[0]));
}

static void run_read(struct side *side, const struct op *op, struct result *ret)
{
	got(side, ret, read(side->fd[op->slot], side->data, (size_t)op->n[1]));
}

/* The bytes in three parts. */
static void split(unsigned char *data, int64_t length, struct iovec parts[3])
{
	size_t third = (size_t)length / 3;

	parts[0] = (struct iovec){ data, third };
	parts[1] = (struct iovec){ data + third, third / 2 };
	parts[2] = (struct iovec){ data + third + third / 2, (size_t)length - third - third / 2 };
}

static void run_preadv(struct side *side, const struct op *op, struct result *ret)
{
	struct iovec parts[3];

	split(side->data, op->n[1], parts);
	got(side, ret, preadv(side->fd[op->slot], parts, 3, op->n[0]));
}

static void run_pwrite(struct side *side, const struct op *op, struct result *ret)
{
	fill_bytes(side->data, (size_t)op->n[1], (uint64_t)op->n[2]);
	done(ret, pwrite(side->fd[op->slot], side->data, (size_t)op->n[1], op->n[0]));
}

static void run_pwritev(struct side *side, const struct op *op, struct result *ret)
{
	struct iovec parts[3];

	fill_bytes(side->data, (size_t)op->n[1], (uint64_t)op->n[2]);
	split(side->data, op->n[1], parts);
	done(ret, pwritev(side->fd[op->slot], parts, 3, op->n[0]));
}

/* At the descriptor's position; that must then be the same. Behind SIZE_LIMIT it starts at 0 again. */
static void run_write(struct side *side, const struct op *op, struct result *ret)
{
	int fd = side->fd[op->slot];

	if (lseek(fd, 0, SEEK_CUR) > SIZE_LIMIT)
		lseek(fd, 0, SEEK_SET);
	fill_bytes(side->data, (size_t)op->n[1], (uint64_t)op->n[2]);
	done(ret, write(fd, side->data, (size_t)op->n[1]));
	tell(side, ret, "%lld", (long long)lseek(fd, 0, SEEK_CUR));
}

/* As a shell's >> does: a descriptor for one write. Not to files that have grown large. */
static void make_append(struct model *model, struct op *op)
{
	pick_file(model, op->path);
	op->n[1] = 1 + (int64_t)below(model, one_in(model, 10) ? 50000 : 300);
	op->n[2] = (int64_t)below(model, 1 << 30);
}

static void run_append(struct side *side, const struct op *op, struct result *ret)
{
	struct stat st;
	int fd;

	if (stat(op->path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SIZE_LIMIT) {
		tell(side, ret, "no file for it");
		return;
	}
	fd = open(op->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0) {
		done(ret, -1);
		return;
	}
	fill_bytes(side->data, (size_t)op->n[1], (uint64_t)op->n[2]);
	done(ret, write(fd, side->data, (size_t)op->n[1]));
	close(fd);
}

/* A whole file of a few bytes or more, as most programs write them. */
static void make_put(struct model *model, struct op *op)
{
	if (one_in(model, 3))
		pick_file(model, op->path);
	else
		pick_place(model, op->path);
	op->n[1] = pick_length(model);
	op->n[2] = (int64_t)below(model, 1 << 30);
}

static void run_put(struct side *side, const struct op *op, struct result *ret)
{
	int fd;

	if (is_device(op->path)) {
		tell(side, ret, "a device");
		return;
	}
	fd = open(op->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
	done(ret, fd);
	if (fd < 0)
		return;
	fill_bytes(side->data, (size_t)op->n[1], (uint64_t)op->n[2]);
	done(ret, write(fd, side->data, (size_t)op->n[1]));
	close(fd);
}

static void after_put(struct model *model, const struct op *op, const struct result *result)
{
	if (result->ret >= 0)
		known_add(model, op->path, S_IFREG);
}

/* n0: size */
static void make_truncate(struct model *model, struct op *op)
{
	pick_file(model, op->path);
	op->slot = pick_slot(model, S_IFREG);
	op->n[0] = one_in(model, 5) ? 0 : pick_offset(model) + (int64_t)below(model, 3);
}

/* Only to another size. To the same, POSIX has truncate() leave the times; ext4 doesn't, and FUSE's kernel
 * side does. */
static void run_truncate(struct side *side, const struct op *op, struct result *ret)
{
	struct stat st;

	if (stat(op->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == op->n[0])
		tell(side, ret, "has that size");
	else
		done(ret, truncate(op->path, op->n[0]));
}

static void run_ftruncate(struct side *side, const struct op *op, struct result *ret)
{
	struct stat st;

	if (fstat(side->fd[op->slot], &st) == 0 && S_ISREG(st.st_mode) && st.st_size == op->n[0])
		tell(side, ret, "has that size");
	else
		done(ret, ftruncate(side->fd[op->slot], op->n[0]));
}

static void make_lseek(struct model *model, struct op *op)
{
	op->slot = pick_slot(model, S_IFREG);
	op->n[0] = pick_offset(model) - (one_in(model, 10) ? 100 : 0);
	op->n[1] = (int64_t)below(model, 3); /* SEEK_SET, SEEK_CUR, SEEK_END */
	if (op->n[1])
		op->n[0] = -(int64_t)below(model, 5000);
}

/* Not in directories, whose offsets mean something to their file system only. */
static void run_lseek(struct side *side, const struct op *op, struct result *ret)
{
	struct stat st;

	if (fstat(side->fd[op->slot], &st) == 0 && !S_ISREG(st.st_mode))
		tell(side, ret, "no file for it");
	else
		done(ret, lseek(side->fd[op->slot], op->n[0], (int)op->n[1]));
}

static void make_fsync(struct model *model, struct op *op)
{
	op->slot = (unsigned)below(model, SLOTS);
	op->n[0] = (int64_t)below(model, 3);
}

/* n0: 0 fsync, 1 fdatasync, 2 syncfs */
static void run_fsync(struct side *side, const struct op *op, struct result *ret)
{
	int fd = side->fd[op->slot];

	done(ret, op->n[0] == 0 ? fsync(fd) : op->n[0] == 1 ? fdatasync(fd) : syncfs(fd));
}

const struct kind file_kinds[] = {
	{ .name = "open", .weight = 60, .make = make_open, .run = run_open, .after = after_open },
	{ .name = "close", .weight = 15, .make = make_close, .run = run_close, .after = after_open },
	{ .name = "pread", .weight = 30, .make = make_io, .run = run_pread },
	{ .name = "read", .weight = 15, .make = make_io, .run = run_read },
	{ .name = "preadv", .weight = 8, .make = make_io, .run = run_preadv },
	{ .name = "pwrite", .weight = 50, .make = make_io, .run = run_pwrite },
	{ .name = "write", .weight = 25, .make = make_io, .run = run_write },
	{ .name = "pwritev", .weight = 8, .make = make_io, .run = run_pwritev },
	{ .name = "append", .weight = 15, .make = make_append, .run = run_append },
	{ .name = "put", .weight = 25, .make = make_put, .run = run_put, .after = after_put },
	{ .name = "truncate", .weight = 10, .make = make_truncate, .run = run_truncate },
	{ .name = "ftruncate", .weight = 15, .make = make_truncate, .run = run_ftruncate },
	{ .name = "lseek", .weight = 6, .make = make_lseek, .run = run_lseek },
	{ .name = "fsync", .weight = 2, .make = make_fsync, .run = run_fsync },
	{ 0 },
};
