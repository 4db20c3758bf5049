/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drive or image file that a command is about. */
#pragma once

#include "ctl/target.h"

struct place {
	char path[PATH_MAX]; /* absolute, without symbolic links */
	bool is_drive;	     /* else an image file */
	bool mounted;
	struct target mount; /* where */
	bool discfs;	     /* by us */
	bool by_source;	     /* it was found by the name of the drive or file, not by where it's mounted */
	bool offline;	     /* the disc isn't here: path is no path */
};

/* argument: a drive, an image file or, with directories, a directory of a mounted disc. NULL: the disc that
 * is mounted here, if directories count, or else the only drive there is. An exit code. */
int place_find(const char *command, const char *argument, bool directories, struct place *ret);
/* An exit code: says so when the disc isn't here. */
int place_must_be_here(const struct place *place);
/* Says where it's mounted, and that it can't be done therefore: an exit code. */
int place_is_mounted(const struct place *place);
