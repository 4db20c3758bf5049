/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One ISO 9660 volume descriptor (ECMA-119 8.4), read from the disc and checked. */
#pragma once

#include "disc/source.h"

#define VOLUME_LABEL 32u

struct volume {
	uint64_t start;	 /* sector of the session: the descriptor lies 16 behind it */
	uint64_t size;	 /* volume space size as recorded: see sessions.h for what it counts from */
	uint64_t root;	 /* first sector of the root directory */
	int64_t time;	 /* seconds since 1970 of the newest of modification and creation; 0 unknown */
	int64_t created; /* volume creation; 0 unknown */
	int64_t expires, effective; /* the same way */
	char label[VOLUME_LABEL + 1];
	bool ours;     /* written by this program */
	bool headless; /* ours, on a medium that has no head to say whether the session is in force */
	uint8_t block[SECTOR];
};

/* Who prepared the data (8.4.19) of the sessions that this program writes; the first is the application
 * (8.4.20), too, where no other program is that already. */
#define VOLUME_APPLICATION	    "DISCFS"
#define VOLUME_APPLICATION_HEADLESS "APPENDED BY DISCFS"

bool volume_is_our_name(const char *name);
/* Reads the primary volume descriptor of the session that starts at a sector. 1 = found, 0 = there's
 * something else, -EMEDIUMTYPE = one that can't be used, -EIO. */
int volume_read(const struct source *source, uint64_t start, struct volume *ret, struct reason *why);
/* The same where its own descriptor may be lost, but not the one that it's a copy of, behind the front of a
 * bridge: then that one, whose size counts from there. */
int volume_read_either(const struct source *source, uint64_t start, struct volume *ret, struct reason *why);
/* Where the checksums of the session at start count from, and libisofs is to read it: behind the front of a
 * bridge (bridge.h), which has copies of the descriptors, or start itself. Those copies may be lost. */
uint64_t volume_inner(const struct source *source, uint64_t start);
/* Where libisofs' part begins, if the session at start is a bridge. */
uint64_t volume_behind_front(uint64_t start);
/* Does its root directory say, in its record ".", that it stands where the descriptor has it (ECMA-119
 * 6.8.2.2)? Then it can be read, and it's a session in its place, not an image within a file. */
bool volume_has_root(const struct source *source, const struct volume *volume);
