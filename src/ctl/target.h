/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mounted disc that a command is about: found from any path inside it, asked and told through .discfs/.
 */
#pragma once

#include "base/text.h"
#include "ctl/json.h"

#include <limits.h>
#include <sys/types.h>

struct target {
	char root[PATH_MAX];   /* the mount point */
	char source[PATH_MAX]; /* the drive or the image; set by target_look and target_find */
	dev_t device;	       /* of the file system that is mounted there; set by these and by target_at */
	uid_t owner;	       /* who mounted it */
	pid_t elsewhere;       /* the process in whose mount namespace that is, if it isn't ours; else 0 */
};

/* Finds the mount that path is in. An exit code; says why on stderr. */
int target_find(const char *path, struct target *ret);
/* Says that path is in no such mount, and returns EXIT_CODE_NO_DISCFS. */
int target_none(const char *path);
/* As target_find, quietly: 0 or -errno (-ENXIO: no discfs). path must exist. */
int target_look(const char *path, struct target *ret);
/* Who mounted it, as FUSE knows them. */
struct target_owner {
	uid_t uid;
	gid_t gid;
};

/* The mount at just that place, asked of the kernel alone. An exit code; says why. */
int target_at(const char *point, struct target *ret, struct target_owner *ret_owner);
/* Something else is mounted below it. */
bool target_has_below(const struct target *target);
/* The same file system is mounted at another place, too (mount --bind). ret_point: there. */
bool target_has_twin(const struct target *target, char ret_point[PATH_MAX]);
/* The mount point of a source ("/dev/sr0"), if it is mounted. */
bool target_of_source(const char *source, struct target *ret);
/* The same for whatever file system it is mounted with, and for a discfs in another mount namespace. device:
 * the number of the block device, 0 for an image file. */
bool target_of_any(const char *source, dev_t device, struct target *ret, char *ret_type, size_t room);

/* Reads one of the files of .discfs/ into text (added). An exit code; says why. */
int target_read(const struct target *target, const char *name, struct text *text);
/* Reads .discfs/status.json. An exit code; says why. */
int target_status(const struct target *target, struct json *ret);
/* The same, quietly: 0 or -errno. */
int target_peek(const struct target *target, struct json *ret);
/* Says that the daemon of a mount is gone, and returns EXIT_CODE_NO_DISCFS. root: the mount point; path:
 * that, or what is below it. */
int target_died(const char *root);
int target_died_at(const char *path);
/* Writes one command line to .discfs/control. 0 or -errno: the daemon's answer; -ENOTCONN: it's gone. */
int target_tell(const struct target *target, const char *line);
/* Writes whole lines to another file of .discfs/, in pieces that fit. 0 or -errno. */
int target_write_lines(const struct target *target, const char *name, const char *lines, size_t length);
/* Makes the kernel hand what programs wrote to the daemon. Best effort. */
void target_sync(const struct target *target);
