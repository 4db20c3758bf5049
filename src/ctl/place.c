/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/place.h"

#include "ctl/ctl.h"
#include "ctl/look.h"
#include "ctl/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A drive or a file that is known to be there. */
static int place_of_source(const char *path, struct place *ret)
{
	char type[64] = "";
	struct stat st;

	if (!realpath(path, ret->path) || stat(ret->path, &st) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return ctl_fail(EXIT_CODE_SYSTEM, "%s is neither a drive nor an image file", path);
	ret->is_drive = S_ISBLK(st.st_mode);
	ret->by_source = true;
	ret->mounted =
	    target_of_any(ret->path, ret->is_drive ? st.st_rdev : 0, &ret->mount, type, sizeof type);
	ret->discfs = ret->mounted && strcmp(type, MOUNTS_DISCFS) == 0;
	return EXIT_CODE_DONE;
}

static int place_of_directory(const char *path, struct place *ret)
{
	AUTO_JSON struct json status = { 0 };
	struct stat st;
	int code = target_find(path, &ret->mount);

	if (!code)
		code = target_status(&ret->mount, &status);
	if (code)
		return code;
	/* The status has no bytes that aren't UTF-8. */
	snprintf(ret->path, sizeof ret->path, "%s", ret->mount.source);
	ret->is_drive = stat(ret->path, &st) == 0 && S_ISBLK(st.st_mode);
	ret->offline = json_bool(&status, "$.offline");
	ret->mounted = ret->discfs = true;
	return EXIT_CODE_DONE;
}

static int place_of_nothing(const char *command, bool directories, struct place *ret)
{
	char names[2][LOOK_PATH_ROOM];
	struct target here;
	int count;

	if (directories && target_look(".", &here) == 0)
		return place_of_directory(".", ret);
	count = look_drives(names, 2);
	if (count == 1)
		return place_of_source(names[0], ret);
	if (!count)
		return ctl_fail(EXIT_CODE_SYSTEM, "there is no optical drive");
	return ctl_usage(command, "there are several drives: say which (discfsctl drives)");
}

int place_find(const char *command, const char *argument, bool directories, struct place *ret)
{
	struct stat st;

	*ret = (struct place){ 0 };
	if (!argument)
		return place_of_nothing(command, directories, ret);
	if (stat(argument, &st) < 0)
		return errno == ENOTCONN ? target_died_at(argument)
					 : ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", argument, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return place_of_source(argument, ret);
	if (directories)
		return place_of_directory(argument, ret);
	return ctl_usage(command, "%s is a directory: name the drive", argument);
}

int place_is_mounted(const struct place *place)
{
	AUTO_FREE char *root = text_shell_word(place->mount.root);

	if (place->mount.elsewhere)
		return ctl_fail(
		    EXIT_CODE_BUSY,
		    "%s is mounted in another mount namespace, by process %d: unmount it there first",
		    place->path, (int)place->mount.elsewhere);
	return ctl_fail(EXIT_CODE_BUSY, "%s is mounted on %s: unmount it first (%s %s)", place->path,
			place->mount.root, place->discfs ? "discfsctl umount" : "umount", root);
}

int place_must_be_here(const struct place *place)
{
	return place->offline
		   ? ctl_fail(EXIT_CODE_NO_MEDIUM, "%s is mounted offline: the disc itself isn't here",
			      place->mount.root)
		   : EXIT_CODE_DONE;
}
