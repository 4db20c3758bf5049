/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of which a write was refused: what they hold isn't what was written to them.
 *
 * Mostly nobody is told: the kernel caches writes, so what was refused may come out at close() only, where
 * hardly any program looks. Such a file must not be burned as if it were whole. So each node knows which
 * bytes were refused last (node.lost). They are gone from there when they are written after all, when the
 * file is cut off before them, when it goes, or when what is staged of it is discarded; until then no session
 * is made.
 *
 * What would come to lie behind refused bytes at the end of a file is refused as well, unless there's room
 * for both: so the file ends at its last good byte. */
#pragma once

#include "store/tree.h"

#include "base/vec.h"

enum lost_why { LOST_NO_ROOM = 1, LOST_ERROR = 2 };

/* A write to that range was refused with err (-errno). Needs freeze held shared and inode->io exclusively, as
 * the next ones; notes it in the database at once when it's the first. */
void lost_note(struct tree *tree, struct inode *inode, uint64_t offset, uint64_t length, int err);
/* These bytes were written, or given up. The caller marks the inode dirty. */
void lost_mend(struct inode *inode, uint64_t offset, uint64_t length);
/* to got a range of from by reference: what was refused of that is missing there, too. */
void lost_copy(struct tree *tree, const struct inode *from, uint64_t from_offset, struct inode *to,
	       uint64_t offset, uint64_t length);
/* May bytes from offset to end be added to the file, or may it grow to that size (both alike)? 0, or -ENOSPC
 * as above. */
int lost_allows(struct tree *tree, const struct inode *inode, uint64_t offset, uint64_t end);
/* The next write to it would be refused, as far as that is known: 0 or -errno. It's noted then. Takes locks.
 */
int lost_ahead(struct tree *tree, struct inode *inode);

/* Bytes that may still be staged: what the disc and the spool have room for. */
uint64_t lost_room(struct tree *tree);

struct lost_file {
	char *path; /* owned; without a leading slash */
	enum lost_why why;
};

struct lost_files {
	VEC(struct lost_file) list; /* sorted by path */
	size_t count;		    /* how many there are */
};

/* Those in generations up to gen; at most so many, the oldest. Takes tree->lock. 0 or -errno. */
int lost_list(struct tree *tree, uint32_t gen, size_t most, struct lost_files *ret);
void lost_files_clear(struct lost_files *files);
/* 0 when there's none; else -EIO with a sentence that names the first. */
int lost_refuse(struct tree *tree, uint32_t gen, struct reason *why);
/* "no room is left" or the like. */
const char *lost_word(enum lost_why why);
