/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the directories of an ISO 9660 tree for what libisofs passes over: it takes a sector of zeroes or
 * of noise for a directory's end, and shows a shorter tree.
 *
 * What no writer does is a fault, what careless ones do isn't: numbers that are recorded in one byte order
 * only, rubbish behind a sector's last record, empty sectors at a directory's end, odd names. Where the file
 * system has sums over its directories and they agree, there's nothing to look for. */
#pragma once

#include "base/vec.h"
#include "disc/source.h"

enum tree_fault_kind {
	TREE_LOST = 1, /* names are missing, or may be */
	TREE_ODD       /* they're there, but may not be what was recorded */
};

struct tree_fault {
	enum tree_fault_kind kind;
	bool unreadable; /* the medium gave an error */
	uint64_t lba;
	char text[400]; /* "PATH: what is wrong", for people */
};

/* A sector that can't be taken as it is. */
struct tree_mended {
	uint64_t lba;
	uint32_t keep;		      /* bytes at its begin that are good */
	uint32_t dir, length, parent; /* of a directory's first sector: its place; else dir is 0 */
};

struct tree_faults {
	VEC(struct tree_fault) items;	/* the first ones */
	uint64_t count;			/* of all of them */
	VEC(struct tree_mended) mended; /* ascending */
};

/* format: enum tree_format, one of ISO 9660's; enhanced: that of ISO 9660:1999. limit: readable sectors. 1:
 * there is such a tree, faults or not; 0: none; or -errno: -ENOMEM, -ENOMEDIUM, -ESTALE. */
int tree_check(const struct source *source, uint64_t session, uint64_t limit, uint32_t format, bool enhanced,
	       struct tree_faults *ret, struct reason *why);
/* Whether the plain tree's root can be read and is one, as far as its first sector goes: where it isn't,
 * nobody can tell whether it is Rock Ridge's. 1 (or there's no such tree), 0, or as above. */
int tree_check_root(const struct source *source, uint64_t session, uint64_t limit, struct reason *why);
void tree_faults_clear(struct tree_faults *faults);
/* ret: SECTOR bytes as they were read, or anything. True: lba is one of them, and what can't be right there
 * has gone: no names, or none but a directory's first two. */
bool tree_faults_mend(const struct tree_faults *faults, uint64_t lba, uint8_t *ret);
/* The first of a kind, or NULL. */
const struct tree_fault *tree_faults_first(const struct tree_faults *faults, enum tree_fault_kind kind);
