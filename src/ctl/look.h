/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A look at a drive of this machine: what it is, what is in it, who uses it.
 *
 * Nobody is disturbed: a drive whose disc is mounted, or that somebody has for himself, isn't asked anything;
 * what is known of it comes from the mount's status and from the kernel. */
#pragma once

#include "base/text.h"
#include "proc/drive.h"

#include <limits.h>

#define LOOK_DRIVES_LIMIT 256 /* /dev/sr0 to sr255 */
#define LOOK_PATH_ROOM	  32

enum look_access {
	LOOK_ASKED = 0, /* facts are there */
	LOOK_MOUNTED,	/* its disc is mounted: facts are there where discfs mounted it, but no tracks */
	LOOK_BURNING,	/* by a discfs that has it mounted */
	LOOK_BUSY,	/* somebody has it for himself */
	LOOK_FAILED	/* why says it */
};

enum look_state {
	LOOK_UNKNOWN = 0, /* where access isn't LOOK_ASKED */
	LOOK_EMPTY,
	LOOK_UNFORMATTED,
	LOOK_BLANK,
	LOOK_APPENDABLE,
	LOOK_CLOSED,
	LOOK_UNREADABLE
};

struct look {
	char path[PATH_MAX];
	enum look_access access;
	struct reason why;
	char vendor[9], product[17], revision[5];
	char mountpoint[PATH_MAX]; /* empty: not mounted */
	char filesystem[64];	   /* of the mount */
	enum look_state state;
	const char *medium; /* a name of medium.h; NULL unknown */
	const char *title;
	char label[LABEL_LIMIT + 1]; /* empty: none, or not known */
	uint64_t capacity, free;     /* sectors; 0: unknown, or none */
	struct drive_facts facts;    /* where access is LOOK_ASKED */
};

/* "appendable", "no disc"… for scripts: never change them. */
const char *look_state_name(enum look_state state);

/* The names of the drives that there are, in the order of their numbers. Returns how many. */
int look_drives(char (*ret)[LOOK_PATH_ROOM], int most);
/* path: of a drive, absolute, without symbolic links. May take a minute. look_clear it always. */
void look_at(const char *path, struct look *ret);
/* The same of what a drive has just said: takes facts over. */
void look_from_facts(const char *path, struct drive_facts *facts, struct look *ret);
/* The part of it that is known without asking the drive. True: more can't be known now. */
bool look_from_afar(const char *path, struct look *ret);
/* What it has in it, by medium.h. */
void look_set_medium(struct look *look, const char *profile);
void look_clear(struct look *look);

/* One line for people, without its end; all as JSON. */
void look_to_line(const struct look *look, struct text *text);
void look_to_json(const struct look *look, struct text *text);
/* Everything that a drive can write and read at: indented lines. */
void look_speeds(const struct look *look, struct text *text);
