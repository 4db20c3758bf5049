/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the directories of the tree take in the next session.
 *
 * Each directory's cost was reckoned once, by laying it out as libisofs does (model/layout), and is kept in
 * the table `room`. A change isn't reckoned at once, since it may move every record behind it: it adds the
 * most that it can cost. When somebody wants to know, and these bounds have become loose, the directories
 * that changed are laid out anew. So a change costs the same in a directory of any size, the sum is never
 * below the truth, and what is told is close to it.
 *
 * Why these bounds hold: records are put into sectors in their order, and one more record, wherever it comes,
 * takes at most one sector more. A new name can make one other name get a number, which is a record moved;
 * where names were numbered already all of them may get other numbers. Continuation areas hop over the ends
 * of sectors, so that a shift may change what is lost at each: at most their own length and a quarter.
 *
 * Needs the tree's lock, but for dir_costs_sectors and dir_costs_loose, which need account. */
#pragma once

#include "model/layout.h"
#include "store/fresh_dirs.h"
#include "store/rows.h"

struct tree;

#define DIR_BUCKETS 4096u

struct dir_entry {
	uint64_t ino;
	struct dir_cost cost;
	uint64_t more; /* its part of costs->more */
	uint64_t more_sums;
	bool touched;
	bool gone;
	bool unsaved;
	bool fresh; /* see fresh_dirs */
	struct dir_entry *next;
};

struct dir_costs {
	struct dir_entry **buckets;	/* by lock: what was touched, or isn't stored yet */
	struct session_formats formats; /* which trees count; these by account */
	struct dir_cost sum;		/* as reckoned, of all; path tables without the root's record */
	uint64_t more_sums;		/* names of files with an MD5 */
	uint64_t written;		/* old empty files that aren't empty any more: until all is counted */
	uint64_t more;			/* bytes that changes since may have added at most */
	uint64_t less;			/* bytes that they may have taken away */
	bool unsure;			/* nothing is known until all is counted */
	bool counted;			/* all is in memory, and what the table has is old */
	bool rows_only;			/* the rows are ahead of what memory has of the nodes; by lock */
	bool stored_stale;		/* what the database says of the table */
	struct fresh_dirs fresh;
};

/* Reads the sums. Those of a tree that wasn't closed in order are unsure. */
int dir_costs_open(struct tree *tree);
void dir_costs_close(struct tree *tree);
/* Is there anything to store? */
bool dir_costs_pending(const struct tree *tree);
/* With the next COMMIT: writes what isn't stored. */
int dir_costs_store(struct tree *tree);
void dir_costs_stored(struct tree *tree);

/* The entry of a directory. 1, 0: nothing is known of it, or -errno. */
int dir_costs_find(struct tree *tree, uint64_t ino, struct dir_entry **ret);

/* A directory is made, or gone with all that was in it. */
void dir_costs_add(struct tree *tree, uint64_t dir);
void dir_costs_drop(struct tree *tree, uint64_t dir);
/* A name of that node came into a directory, or its record there changed. */
void dir_costs_name(struct tree *tree, uint64_t dir, size_t name_length, const struct record_facts *facts);
/* A name went. */
void dir_costs_no_name(struct tree *tree, uint64_t dir, size_t name_length, const struct record_facts *facts);
/* The records of all names of a node changed. */
void dir_costs_node(struct tree *tree, uint64_t ino, const struct record_facts *facts);
/* Anything may have happened to the node or directory: to be followed by dir_costs_reckon. */
void dir_costs_suspect(struct tree *tree, uint64_t ino, bool is_dir);

/* The same, whatever it is or was. */
void dir_costs_suspect_any(struct tree *tree, uint64_t ino);

/* All must be counted before anything is told again. */
void dir_costs_distrust(struct tree *tree);

/* Lays out what changed since. 0 or -errno: then the bounds go on counting. */
int dir_costs_reckon(struct tree *tree);
/* Lays out all. */
int dir_costs_count(struct tree *tree);

/* Sectors of directories and path tables, in the trees that count: never below the truth. */
uint64_t dir_costs_sectors(const struct dir_costs *costs);
/* MD5s of files: the same; a file of several names is counted with each. */
uint64_t dir_costs_sums(const struct dir_costs *costs);
/* Bytes by which that may be too much. */
uint64_t dir_costs_loose(const struct dir_costs *costs);
