/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's list of mounts, of our own mount namespace or of another process's (proc(5), mountinfo). */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define MOUNTS_DISCFS "fuse.discfs" /* the type of ours */
#define MOUNTS_OURS   "/proc/self/mountinfo"

struct mounts_line {
	dev_t device;
	char point[PATH_MAX];
	char type[64];
	char source[PATH_MAX]; /* of ours it begins with "discfs:" */
	uid_t uid;	       /* who mounted it, as FUSE knows them */
	gid_t gid;
	bool discfs;
};

/* Calls match for each mount, oldest first. 0 or -errno. */
int mounts_each(const char *table, void (*match)(void *self, const struct mounts_line *line), void *self);
/* The drive or the image file, or whatever another file system is mounted from. */
const char *mounts_source(const struct mounts_line *line);
