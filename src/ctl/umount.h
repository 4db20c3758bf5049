/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a mounted disc out of the tree of files: umount, eject, and the helper of umount(8). */
#pragma once

#include "ctl/target.h"

#include <stdbool.h>

struct umount_wish {
	bool wait;  /* for a commit that is under way; else that is refused */
	bool force; /* even if staged work is lost by it */
	bool quiet; /* says nothing on stdout, and shows no progress */
};

/* Commits first where the mount says commit=unmount, detaches, and waits until the daemon has put everything
 * in safety. Where the disc stays mounted at another place it only detaches. An exit code. */
int umount_disc(struct target *target, const struct umount_wish *wish);

/* The same in steps. What it comes to: */
struct umount {
	struct target target;
	struct umount_wish wish;
	bool may_hand_over; /* nobody sits there who waits: as -o umount= says */
	bool handed_over;   /* the daemon brings it to its end alone */
	bool told;	    /* the daemon was told something about the unmounting */
	bool lost;	    /* what is staged is, with its state directory */
	bool died;	    /* the daemon did, while it was waited for */
	int pid;	    /* of the daemon; 0: not known */
};

/* All that must be done before the mount goes. busy: asked when something irreversible comes next. */
int umount_settle(struct umount *umount, int (*busy)(const struct target *target));
/* EXIT_CODE_BUSY, and says by whom; or EXIT_CODE_DONE. */
int umount_check_busy(const struct target *target);
/* flags: of umount2(2). */
int umount_detach(const struct target *target, int flags);
/* It wasn't unmounted after all. */
void umount_take_back(struct umount *umount);
/* Opens the daemon's process to wait for it, -1; and waits. */
int umount_watch(const struct umount *umount);
void umount_await(int pidfd, const struct umount *umount);

/* What umount(8) starts for a mount of type fuse.discfs: umount.fuse.discfs DIR [-nlfvr] … */
int umount_helper(int argc, char **argv);
