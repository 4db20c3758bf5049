/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/spool_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where it lies now: NULL = in the state directory, or nowhere yet. Owned by the caller. */
static int current_place(const struct state *state, char **ret, struct reason *why)
{
	char target[PATH_LIMIT];
	ssize_t length = readlinkat(state->dir_fd, "spool", target, sizeof target - 1);

	*ret = NULL;
	if (length < 0)
		return errno == EINVAL || errno == ENOENT
			   ? 0
			   : reason_set(why, errno, "%s/spool: %s", state->path, strerror(errno));
	target[length] = '\0';
	*ret = strdup(target);
	return *ret ? 0 : reason_set(why, ENOMEM, "out of memory");
}

/* What is staged would be lost from sight. */
static int check_empty(const struct state *state, const char *now, struct reason *why)
{
	struct stat st;

	if (fstatat(state->dir_fd, "spool", &st, 0) < 0)
		return errno == ENOENT && !now
			   ? 0
			   : reason_set(why, errno, "the spool %s: %s", now ? now : "", strerror(errno));
	if (st.st_size == 0)
		return 0;
	return reason_set(why, EBUSY,
			  "staged content lies in %s%s: commit or discard it before it is kept elsewhere, or "
			  "mount without spool=",
			  now ? now : state->path, now ? "" : "/spool");
}

/* One that was made before a crash. What somebody else put there isn't taken. */
static bool is_left_empty(const char *path)
{
	struct stat st;
	int fd AUTO_CLOSE = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       st.st_nlink == 1 && st.st_size == 0 && (st.st_mode & 0077) == 0;
}

/* New and ours. */
static int make_empty(const char *path, struct reason *why)
{
	int fd AUTO_CLOSE = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if ((fd >= 0 && fsync(fd) == 0) || (fd < 0 && errno == EEXIST && is_left_empty(path)))
		return 0;
	return reason_set(why, errno, "the spool %s can't be made: %s", path, strerror(errno));
}

/* From one moment to the next it leads there: without a link, or with one to nothing, the disc couldn't be
 * mounted any more. */
static int put_link(const struct state *state, const char *path, struct reason *why)
{
	unlinkat(state->dir_fd, "spool.new", 0);
	if (symlinkat(path, state->dir_fd, "spool.new") == 0 &&
	    renameat(state->dir_fd, "spool.new", state->dir_fd, "spool") == 0)
		return 0;
	return reason_set(why, errno, "%s/spool: %s", state->path, strerror(errno));
}

int spool_place(const struct state *state, const char *dir, struct reason *why)
{
	char path[PATH_LIMIT];
	char *now AUTO_FREE = NULL;
	int ret = dir ? current_place(state, &now, why) : 0;

	if (ret < 0 || !dir)
		return ret;
	if ((size_t)snprintf(path, sizeof path, "%s/discfs-%s.spool", dir, state->id) >= sizeof path)
		return reason_set(why, ENAMETOOLONG, "spool=%s: the name is too long", dir);
	if (now && strcmp(now, path) == 0)
		return 0;
	ret = check_empty(state, now, why);
	if (ret == 0)
		ret = make_empty(path, why);
	if (ret == 0)
		ret = put_link(state, path, why);
	if (ret == 0 && now)
		unlink(now);
	return ret;
}
