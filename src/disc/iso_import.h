/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session loaded into libisofs' tree, with limits that hold against hostile discs. */
#pragma once

#include "disc/iso_lib.h"
#include "disc/tree_check.h"

/* Trees of directories that one session can have beside each other. */
enum iso_trees { TREE_PLAIN, TREE_JOLIET, TREE_ENHANCED, TREES };

struct iso_import {
	struct iso_medium medium;
	IsoImage *image;
	uint64_t session;
	uint64_t inner;	 /* where libisofs' part of it begins, see volume.h */
	uint32_t format; /* enum tree_format: what was read */
	bool enhanced;	 /* the tree is that of ISO 9660:1999 */
	uint64_t nodes;
	/* of iso_import_open_partly: */
	void (*lost)(void *self, const char *text);
	void *self;
	char *at; /* the newest entry: a directory that is being read */
	bool at_is_told;
	struct tree_faults faults[TREES]; /* what its trees are known to be damaged by */
	struct reason refused;		  /* set by the limits while the library works */
};

/* warn gets what libisofs finds odd. Close it whatever the result. */
int iso_import_open(struct iso_import *import, const struct source *source, uint64_t session, uint64_t limit,
		    uint32_t format, void (*warn)(void *self, const char *text), void *self,
		    struct reason *why);
/* What can be read of a damaged disc; lost is told of each directory of which something can't. */
int iso_import_open_partly(struct iso_import *import, const struct source *source, uint64_t session,
			   uint64_t limit, uint32_t format, void (*warn)(void *self, const char *text),
			   void (*lost)(void *self, const char *text), void *self, struct reason *why);
/* As much of it as can be had from a damaged disc, for a check: recorded sums are loaded and not compared
 * with anything, medium.holes counts the sectors that couldn't be read, refused is set where the tree holds
 * what it shouldn't. */
int iso_import_open_damaged(struct iso_import *import, const struct source *source, uint64_t session,
			    struct reason *why);
/* Which of the trees was read. */
enum iso_trees iso_import_tree(const struct iso_import *import);
/* Looks at the directories of one of them into import->faults: as tree_check. */
int iso_import_check(struct iso_import *import, enum iso_trees tree, struct reason *why);
void iso_import_close(struct iso_import *import);
