/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths of things in a mount, which may be gone by now. */
#pragma once

#include "ctl/target.h"

/* The mount point itself, and no symbolic link to it. */
bool inside_is_root(const char *path, struct target *target);
/* Splits a path, which may be of something deleted together with its directory, into the mount and the path
 * in it. An exit code; says why. */
int inside_find(const char *path, struct target *target, char *ret_inside, size_t room);
/* Says why a change of what is staged was refused, where that is the same for all of them: an exit code. */
int inside_refused(const char *what, int err);
