/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that a session is written to instead of to the medium.
 *
 * Until it's whole and synced it has no name, or a hidden one where the file system can't do without; on a
 * failure nothing is left. A session that is appended to an overwriteable medium has a second file,
 * FILE.head, with the 64 KiB that put it in force. */
#pragma once

#include "base/text.h"
#include "commit/disc.h"

#include <limits.h>

/* One of the two, before it has its name. */
struct outfile_part {
	int fd;	    /* -1: not open */
	bool named; /* under hidden */
	char hidden[NAME_MAX + 1];
	char name[NAME_MAX + 1]; /* that it shall have */
	const char *suffix;	 /* of the path, in it */
};

struct outfile {
	int dir;
	const char *path; /* the wish's */
	bool replace;
	struct outfile_part session, head;
};

struct outfile_wish {
	const char *path;	/* absolute */
	const char *mountpoint; /* of the disc, "" when there's none: no file may be in it */
	bool replace;		/* a file that is there already */
};

#define OUTFILE_NONE                                                                                         \
	{                                                                                                    \
		.dir = -1, .session.fd = -1, .head.fd = -1                                                   \
	}

/* 0, or -errno with why: -EINVAL (not absolute, inside the mount, the disc's own image, no ordinary file),
 * -EEXIST, -EISDIR, … ret must be OUTFILE_NONE; close it always. */
int outfile_open(struct outfile *ret, const struct outfile_wish *wish, const struct disc *disc,
		 struct reason *why);
/* It's written and synced by now. head: what must stand in the disc's blocks 0..31, empty on media without.
 * Both get their names. */
int outfile_finish(struct outfile *file, const struct disc *disc, const struct blob *head,
		   struct reason *why);
/* A second file goes with it. */
bool outfile_has_head(const struct disc *disc);
/* A command line that puts the session at `start` of the disc where it belongs. */
void outfile_how(const struct disc *disc, const char *path, uint64_t start, struct text *ret);
void outfile_close(struct outfile *file);
