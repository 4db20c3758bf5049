/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a mounted disc out of the tree of files: umount and eject. */
#pragma once

#include "ctl/target.h"

/* Commits first where the mount says commit=unmount, detaches, and waits until the daemon has put everything
 * in safety. wait: for a commit that is under way; else that is refused. quiet: says nothing on stdout, and
 * shows no progress. An exit code. */
int umount_disc(struct target *target, bool wait, bool quiet);
