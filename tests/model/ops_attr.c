/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on modes, owners and times, and what stat and access tell of them. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Some operations come on paths and on descriptors: n3 says which. */
static void make_target(struct model *model, struct op *op)
{
	op->n[3] = one_in(model, 4);
	op->slot = (unsigned)below(model, SLOTS);
	if (!op->n[3])
		pick_path(model, op->path);
}

/* n0: mode */
static void make_chmod(struct model *model, struct op *op)
{
	make_target(model, op);
	op->n[0] = (int64_t)below(model, 010000) | (one_in(model, 2) ? 0700 : 0);
}

static void run_chmod(struct side *side, const struct op *op, struct result *ret)
{
	mode_t mode = (mode_t)op->n[0];

	done(ret, op->n[3] ? fchmod(side->fd[op->slot], mode) : chmod(op->path, mode));
}

/* n0, n1: owner, group; -1 leaves it, but not both: FUSE's kernel side then asks nobody, and setuid stays.
 * n2: flags */
static void make_chown(struct model *model, struct op *op)
{
	static const int64_t ids[] = { -1, 0, 1000, 1001, 2000, 70000 };

	make_target(model, op);
	op->n[0] = ids[below(model, 6)];
	op->n[1] = ids[op->n[0] == -1 ? 1 + below(model, 5) : below(model, 6)];
	op->n[2] = one_in(model, 2) ? AT_SYMLINK_NOFOLLOW : 0;
}

static void run_chown(struct side *side, const struct op *op, struct result *ret)
{
	uid_t uid = (uid_t)op->n[0];
	gid_t gid = (gid_t)op->n[1];

	done(ret, op->n[3] ? fchown(side->fd[op->slot], uid, gid)
			   : fchownat(AT_FDCWD, op->path, uid, gid, (int)op->n[2]));
}

/* n0: seconds, n1: nanoseconds or UTIME_NOW or UTIME_OMIT, n2: flags. Such times lie where no clock of today
 * is. */
static void make_utimes(struct model *model, struct op *op)
{
	make_target(model, op);
	op->n[0] = one_in(model, 20) ? 2200000000 + (int64_t)below(model, 1000000000)
				     : (int64_t)below(model, 1600000000);
	op->n[1] = one_in(model, 4) ? 0 : (int64_t)below(model, 1000000000);
	if (one_in(model, 12))
		op->n[1] = one_in(model, 2) ? UTIME_NOW : UTIME_OMIT;
	op->n[2] = one_in(model, 2) ? AT_SYMLINK_NOFOLLOW : 0;
}

static void run_utimes(struct side *side, const struct op *op, struct result *ret)
{
	const struct timespec times[2] = { { op->n[0] / 2, 0 }, { op->n[0], op->n[1] } };

	done(ret, op->n[3] ? futimens(side->fd[op->slot], times)
			   : utimensat(AT_FDCWD, op->path, times, (int)op->n[2]));
}

/* n2: flags */
static void make_stat(struct model *model, struct op *op)
{
	make_target(model, op);
	op->n[2] = one_in(model, 2) ? AT_SYMLINK_NOFOLLOW : 0;
}

/* A directory's size is its file system's own affair. FUSE's kernel side gives a FIFO no time when it's
 * written to. */
static void run_stat(struct side *side, const struct op *op, struct result *ret)
{
	struct stat st;

	done(ret,
	     op->n[3] ? fstat(side->fd[op->slot], &st) : fstatat(AT_FDCWD, op->path, &st, (int)op->n[2]));
	if (ret->ret < 0)
		return;
	tell(side, ret, "mode %o, owner %u:%u, %lu links, device %u:%u, size %lld", st.st_mode, st.st_uid,
	     st.st_gid, (unsigned long)st.st_nlink, major(st.st_rdev), minor(st.st_rdev),
	     S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size);
	ret->timed = !S_ISFIFO(st.st_mode);
	ret->mtime = st.st_mtim;
}

/* n0: what is asked */
static void make_access(struct model *model, struct op *op)
{
	pick_path(model, op->path);
	op->n[0] = (int64_t)below(model, 8);
}

static void run_access(struct side *side, const struct op *op, struct result *ret)
{
	done(ret, faccessat(AT_FDCWD, op->path, (int)op->n[0], AT_EACCESS));
}

/* n0: the mask. The process has one for both sides, so doing it twice changes nothing. */
static void make_umask(struct model *model, struct op *op)
{
	static const int64_t masks[] = { 022, 027, 077, 0, 002, 0777 };

	op->n[0] = masks[below(model, 6)];
}

static void run_umask(struct side *side, const struct op *op, struct result *ret)
{
	umask((mode_t)op->n[0]);
	done(ret, 0);
}

const struct kind attr_kinds[] = {
	{ .name = "chmod", .weight = 20, .make = make_chmod, .run = run_chmod },
	{ .name = "chown", .weight = 15, .make = make_chown, .run = run_chown },
	{ .name = "utimes", .weight = 30, .make = make_utimes, .run = run_utimes },
	{ .name = "stat", .weight = 60, .make = make_stat, .run = run_stat },
	{ .name = "access", .weight = 10, .make = make_access, .run = run_access },
	{ .name = "umask", .weight = 2, .make = make_umask, .run = run_umask },
	{ 0 },
};
