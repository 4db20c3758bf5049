/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a mounted disc out of the tree of files: umount and eject. */
#pragma once

#include "ctl/target.h"

#include <stdbool.h>

struct umount_wish {
	bool wait;  /* for a commit that is under way; else that is refused */
	bool force; /* even if staged work is lost by it */
	bool quiet; /* says nothing on stdout, and shows no progress */
};

/* Commits first where the mount says commit=unmount, detaches, and waits until the daemon has put everything
 * in safety. An exit code. */
int umount_disc(struct target *target, const struct umount_wish *wish);
