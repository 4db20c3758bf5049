/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/target.h"
#include "ctl/ctl.h"
#include "ctl/elsewhere.h"
#include "ctl/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_AT_ONCE 500000u /* one request of the kernel, which takes up to 1 MiB */

struct look {
	const char *path;
	size_t best; /* length of the longest mount point above path, + 1 */
	bool discfs;
	struct target *target;
};

static bool path_below(const char *path, const char *point)
{
	size_t length = strlen(point);

	if (strcmp(point, "/") == 0)
		return true;
	return strncmp(path, point, length) == 0 && (path[length] == '/' || !path[length]);
}

/* The innermost mount counts, and of several at one place the newest. */
static void look_match(void *self, const struct mounts_line *line)
{
	struct look *look = self;

	if (strlen(line->point) + 1 < look->best || !path_below(look->path, line->point))
		return;
	look->best = strlen(line->point) + 1;
	look->discfs = line->discfs;
	look->target->owner = line->uid;
	look->target->device = line->device;
	snprintf(look->target->root, sizeof look->target->root, "%s", line->point);
	snprintf(look->target->source, sizeof look->target->source, "%s", mounts_source(line));
}

static int target_open(const struct target *target, const char *name, int flags)
{
	char path[PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof path, "%s/.discfs/%s", target->root, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int target_look(const char *path, struct target *ret)
{
	char real[PATH_MAX];
	struct look look = { .path = real, .target = ret };
	int err;

	if (!realpath(path, real))
		return -errno;
	err = mounts_each(MOUNTS_OURS, look_match, &look);
	if (err < 0)
		return err;
	return look.discfs ? 0 : -ENXIO;
}

/* What the kernel answers when the daemon is gone, and to who waited for it just then (fs/fuse/dev.c). */
static bool is_death(int err)
{
	return err == -ENOTCONN || err == -ECONNABORTED || err == -ECONNREFUSED;
}

int target_died(const char *root)
{
	AUTO_FREE char *word = text_shell_word(root);

	return ctl_fail(EXIT_CODE_NO_DISCFS,
			"%s: the discfs there has died; clear it away with: fusermount3 -u %s", root, word);
}

/* Nothing below the mount point can be looked up. */
int target_died_at(const char *path)
{
	AUTO_FREE char *above = strdup(path);
	struct target target;
	char *slash;

	for (; above; *slash = '\0') {
		if (target_look(above, &target) == 0)
			return target_died(target.root);
		slash = strrchr(above, '/');
		if (!slash)
			break;
	}
	return target_died(*path != '/' && target_look(".", &target) == 0 ? target.root : path);
}

int target_none(const char *path)
{
	char real[PATH_MAX];
	struct target target;

	if (realpath(path, real) && target_of_source(real, &target))
		return ctl_fail(EXIT_CODE_NO_DISCFS, "%s is the disc itself: say where it's mounted, %s",
				path, target.root);
	return ctl_fail(EXIT_CODE_NO_DISCFS,
			"%s is not in a disc that discfs has mounted (mount -t fuse.discfs lists them)",
			path);
}

int target_find(const char *path, struct target *ret)
{
	int err = target_look(path, ret);

	if (err == -ENXIO)
		return target_none(path);
	if (is_death(err))
		return target_died_at(path);
	if (err < 0)
		return ctl_fail(err == -ENOENT ? EXIT_CODE_NO_DISCFS : EXIT_CODE_SYSTEM, "%s: %s", path,
				strerror(-err));
	return EXIT_CODE_DONE;
}

struct point_look {
	const char *path;
	struct target_owner *owner;
	dev_t device;
	bool discfs, below;
};

static void point_match(void *self, const struct mounts_line *line)
{
	struct point_look *look = self;

	if (strcmp(line->point, look->path) != 0) {
		look->below |= path_below(line->point, look->path);
		return;
	}
	look->discfs = line->discfs;
	look->device = line->device;
	if (look->owner)
		*look->owner = (struct target_owner){ line->uid, line->gid };
}

/* The name of a mount point is looked up without a look at what is mounted there: its daemon may have died.
 */
static bool real_point(const char *path, char ret[PATH_MAX])
{
	AUTO_FREE char *copy = strdup(path);
	char above[PATH_MAX];
	char *slash;

	while (copy && strlen(copy) > 1 && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	slash = copy ? strrchr(copy, '/') : NULL;
	if (!copy || !*copy || (slash && !slash[1]))
		return false;
	if (slash)
		*slash = '\0';
	if (!realpath(slash ? (slash == copy ? "/" : copy) : ".", above))
		return false;
	return snprintf(ret, PATH_MAX, "%s/%s", strcmp(above, "/") == 0 ? "" : above,
			slash ? slash + 1 : copy) < PATH_MAX;
}

int target_at(const char *point, struct target *ret, struct target_owner *ret_owner)
{
	struct point_look look = { .path = ret->root, .owner = ret_owner };

	if (!real_point(point, ret->root) || mounts_each(MOUNTS_OURS, point_match, &look) < 0 || !look.discfs)
		return ctl_fail(EXIT_CODE_NO_DISCFS, "no discfs is mounted on %s", point);
	ret->device = look.device;
	return EXIT_CODE_DONE;
}

bool target_has_below(const struct target *target)
{
	struct point_look look = { .path = target->root };

	return mounts_each(MOUNTS_OURS, point_match, &look) == 0 && look.below;
}

struct twin_look {
	dev_t device;
	const char *root;
	char *ret_point;
	unsigned count;
};

static void twin_match(void *self, const struct mounts_line *line)
{
	struct twin_look *look = self;

	if (line->device != look->device)
		return;
	look->count++;
	if (strcmp(line->point, look->root) != 0 || look->count == 1)
		snprintf(look->ret_point, PATH_MAX, "%s", line->point);
}

bool target_has_twin(const struct target *target, char ret_point[PATH_MAX])
{
	struct twin_look look = { .device = target->device, .root = target->root, .ret_point = ret_point };

	return mounts_each(MOUNTS_OURS, twin_match, &look) == 0 && look.count > 1;
}

struct source_look {
	const char *source;
	dev_t device;
	struct target *target;
	char type[64]; /* of the newest one found */
	bool others;   /* any file system counts */
	bool found;
};

static void source_match(void *self, const struct mounts_line *line)
{
	struct source_look *look = self;

	if (!line->discfs && !look->others)
		return;
	if (strcmp(mounts_source(line), look->source) != 0 &&
	    (line->discfs || !look->device || line->device != look->device))
		return;
	snprintf(look->target->root, sizeof look->target->root, "%s", line->point);
	snprintf(look->type, sizeof look->type, "%s", line->type);
	look->target->owner = line->uid;
	look->target->device = line->device;
	look->found = true;
}

bool target_of_source(const char *source, struct target *ret)
{
	struct source_look look = { .source = source, .target = ret };

	return mounts_each(MOUNTS_OURS, source_match, &look) == 0 && look.found;
}

bool target_of_any(const char *source, dev_t device, struct target *ret, char *ret_type, size_t room)
{
	struct source_look look = { .source = source, .device = device, .target = ret, .others = true };

	*ret = (struct target){ 0 };
	if (mounts_each(MOUNTS_OURS, source_match, &look) < 0)
		return false;
	if (!look.found && !elsewhere_find(source, ret))
		return false;
	snprintf(ret_type, room, "%s", look.found ? look.type : MOUNTS_DISCFS);
	return true;
}

static int read_all(int fd, struct text *text)
{
	char buffer[16384];
	ssize_t got;

	while ((got = read(fd, buffer, sizeof buffer)) != 0) {
		if (got > 0)
			text_add_bytes(text, buffer, (size_t)got);
		else if (errno != EINTR)
			return -errno;
	}
	text_add_bytes(text, "", 0);
	return text->failed ? -ENOMEM : 0;
}

int target_read(const struct target *target, const char *name, struct text *text)
{
	AUTO_CLOSE int fd = target_open(target, name, O_RDONLY);
	int err = fd < 0 ? fd : read_all(fd, text);

	if (is_death(err))
		return target_died(target->root);
	if (err == -ENOENT)
		return ctl_fail(EXIT_CODE_NO_DISCFS, "%s: no discfs answers there", target->root);
	if (err == -EACCES) /* FUSE lets root in no more than others */
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: only user %u, who mounted it, may ask and control it",
				target->root, (unsigned)target->owner);
	if (err < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s/.discfs/%s: %s", target->root, name, strerror(-err));
	return EXIT_CODE_DONE;
}

int target_status(const struct target *target, struct json *ret)
{
	AUTO_TEXT struct text text = { 0 };
	int code = target_read(target, "status.json", &text);

	if (code)
		return code;
	if (json_open(ret, text.data, text.length) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: discfs gave a status that can't be read",
				target->root);
	return EXIT_CODE_DONE;
}

int target_peek(const struct target *target, struct json *ret)
{
	AUTO_CLOSE int fd = target_open(target, "status.json", O_RDONLY);
	AUTO_TEXT struct text text = { 0 };
	int err = fd < 0 ? fd : read_all(fd, &text);

	return err < 0 ? err : json_open(ret, text.data, text.length);
}

int target_tell(const struct target *target, const char *line)
{
	AUTO_CLOSE int fd = target_open(target, "control", O_WRONLY);
	AUTO_TEXT struct text text = { 0 };

	if (fd < 0)
		return is_death(fd) ? -ENOTCONN : fd;
	text_add(&text, "%s\n", line);
	if (text.failed)
		return -ENOMEM;
	/* One write, one command: its errno is the answer. */
	if (write(fd, text.data, text.length) >= 0)
		return 0;
	return is_death(-errno) ? -ENOTCONN : -errno;
}

int target_write_lines(const struct target *target, const char *name, const char *lines, size_t length)
{
	AUTO_CLOSE int fd = target_open(target, name, O_WRONLY);

	if (fd < 0)
		return fd;
	while (length) {
		size_t piece = length < LINES_AT_ONCE ? length : LINES_AT_ONCE;

		while (piece < length && piece && lines[piece - 1] != '\n')
			piece--;
		if (!piece)
			return -EINVAL;
		if (write(fd, lines, piece) < 0)
			return -errno;
		lines += piece;
		length -= piece;
	}
	return 0;
}

void target_sync(const struct target *target)
{
	AUTO_CLOSE int fd = open(target->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		syncfs(fd);
}
