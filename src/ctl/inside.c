/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/inside.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Removes "//", "/." and "/x/.." from an absolute path, in place. */
static void path_tidy(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		size_t length;

		from += strspn(from, "/");
		length = strcspn(from, "/");
		if (length == 2 && from[0] == '.' && from[1] == '.') {
			while (to > path && *--to != '/')
				;
		} else if (length && !(length == 1 && from[0] == '.')) {
			*to++ = '/';
			memmove(to, from, length);
			to += length;
		}
		from += length;
	}
	*to = '\0';
}

static int path_absolute(const char *path, char *ret, size_t room)
{
	char here[PATH_MAX] = "";
	int length;

	if (path[0] != '/' && !getcwd(here, sizeof here))
		return -errno;
	length = snprintf(ret, room, "%s/%s", here, path);
	if (length < 0 || (size_t)length >= room)
		return -ENAMETOOLONG;
	path_tidy(ret);
	return 0;
}

bool inside_is_root(const char *path, struct target *target)
{
	char real[PATH_MAX];
	struct stat st;

	/* Of another user's mount nobody sees more than its name. */
	return (lstat(path, &st) < 0 || S_ISDIR(st.st_mode)) && realpath(path, real) &&
	       target_look(path, target) == 0 && strcmp(real, target->root) == 0;
}

static int find(const char *path, struct target *target, char *ret_inside, size_t room)
{
	char whole[2 * PATH_MAX], above[2 * PATH_MAX], real[PATH_MAX];
	size_t length;
	int err = path_absolute(path, whole, sizeof whole);

	if (err < 0)
		return err;
	/* The last name isn't followed: of a symbolic link it's the link that is meant. */
	length = strlen(whole);
	do {
		while (length && whole[length - 1] != '/')
			length--;
		length -= length > 0;
		snprintf(above, sizeof above, "%.*s/", (int)length, whole);
	} while (length && !realpath(above, real));
	if (!length && !realpath("/", real))
		return -errno;
	err = target_look(real, target);
	if (err < 0)
		return err;
	/* Both begin with the mount point: real is it, or below it. */
	snprintf(above, sizeof above, "%s%s", real, whole + length);
	return snprintf(ret_inside, room, "%s", above + strlen(target->root) + 1) < (int)room ? 0
											      : -ENAMETOOLONG;
}

int inside_find(const char *path, struct target *target, char *ret_inside, size_t room)
{
	int err = find(path, target, ret_inside, room);

	if (err == -ENXIO)
		return target_none(path);
	return err < 0 ? ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", path, strerror(-err)) : EXIT_CODE_DONE;
}

int inside_refused(const char *what, int err)
{
	switch (err) {
	case ENOTCONN:
		return ctl_fail(EXIT_CODE_NO_DISCFS, "%s: the discfs there has died", what);
	case EBUSY:
		return ctl_fail(EXIT_CODE_BUSY, "%s: a commit is under way (discfsctl wait)", what);
	case EACCES:
	case EPERM:
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: only the owner of the mount may control it", what);
	}
	return ctl_fail(exit_code_of_errno(err), "%s: %s", what, strerror(err));
}
