/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a dry run finds out besides sizes: what the session carries, and what of it can't be expressed where.
 *
 * Made from the rows of the frozen generation, directory by directory, with the same rules that tell its size
 * (model/layout, model/name). All is counted; of what is listed one by one only the first TRIAL_ITEMS of each
 * kind are kept, and no more than TRIAL_BYTES in all. */
#pragma once

#include "store/tree.h"

#include "base/text.h"
#include "wire/verbs.h"
#include "base/vec.h"

#define TRIAL_ITEMS 1000u
#define TRIAL_BYTES 0x100000u

/* Kinds of nodes. */
enum { TRIAL_FILES, TRIAL_DIRS, TRIAL_LINKS, TRIAL_DEVICES, TRIAL_FIFOS, TRIAL_SOCKETS, TRIAL_NODES };

/* Kinds of items. With any of the first five there can be no session. */
enum trial_kind {
	TRIAL_DEPTH,	    /* a directory deeper than TREE_DEPTH_LIMIT allows */
	TRIAL_TARGET,	    /* a symlink's target: see model/target.h */
	TRIAL_ATTRIBUTES,   /* more than XATTR_SET_LIMIT */
	TRIAL_LOST,	    /* a write to it was refused: see store/lost.h */
	TRIAL_CLASHES,	    /* a directory with too many names that become equal */
	TRIAL_CHANGED,	    /* Joliet shows another name: words; NAME_…: why */
	TRIAL_LEFT_OUT,	    /* Joliet doesn't show it; node: what it is */
	TRIAL_UDF_CHANGED,  /* UDF shows another name: words; NAME_…: why */
	TRIAL_UDF_LEFT_OUT, /* what UDF goes without */
	TRIAL_LONG,	    /* a name that Linux' isofs cuts: NAME_LINUX_CUT and more bytes */
	TRIAL_SLASHES,	    /* a symlink's target that loses slashes: see model/target.h */
	TRIAL_TIMES,	    /* a time before 1900 or after 2155 becomes the nearest */
	TRIAL_LITTER,	    /* it isn't burned, and stays staged: see store/held.h */
	TRIAL_KINDS
};
#define TRIAL_REFUSED TRIAL_CHANGED /* the first that a session can be made with */

struct trial_item {
	uint8_t kind, node;
	uint8_t why;
	uint32_t path, words; /* in trial.words, terminated; raw bytes */
};

struct trial {
	uint64_t serial;	     /* of the dry run; 0: none yet */
	char label[LABEL_LIMIT + 1]; /* the volume's name */
	struct changes_count changes;
	uint64_t added[TRIAL_NODES], modified[TRIAL_NODES], deleted[TRIAL_NODES]; /* nodes, not names */
	uint64_t all[TRIAL_NODES];
	uint64_t names;
	uint64_t new_bytes;		/* bodies that are burned, equal ones once */
	uint64_t referenced;		/* bytes of bodies that stay where they are */
	uint64_t directories;		/* sectors of directories and path tables */
	uint64_t beyond;		/* names that readers of UCS-2 alone show with two signs for one */
	uint64_t iso_changed;		/* names that plain ISO 9660 shows otherwise, but for case */
	uint64_t fractions;		/* nodes with a time that isn't a whole second */
	uint64_t beyond_2038;		/* nodes with a time that has no room in 32 bits */
	uint64_t attributed;		/* nodes with extended attributes or ACLs */
	struct session_formats formats; /* of the session; of trees that it won't have nothing is told */
	uint64_t counts[TRIAL_KINDS];
	uint64_t kept[TRIAL_KINDS];
	VEC(struct trial_item) items; /* in the order of the tree */
	struct text words;
};

void trial_clear(struct trial *trial);
/* Looks through the tree as it is in the frozen generation gen. 0 or -errno; -ECANCELED as soon as cancelled
 * is true. */
int trial_make(struct tree *tree, uint32_t gen, const struct session_formats *formats,
	       const _Atomic bool *cancelled, struct trial *ret);
/* The session won't have UDF after all: what was told of that is forgotten. */
void trial_drop_udf(struct trial *trial);
