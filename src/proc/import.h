/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs an import worker and hands on what it found, checked. */
#pragma once

#include "wire/verbs.h"

/* What the caller gets, in order; each returns 0 or -errno (ends the import). All numbers are checked by
 * then: parents exist and are directories, names are legal and unique in the stream's sense (no ".", "..",
 * '/', NUL), types are known, extents lie within the medium, in order, without overlap and within the file's
 * size; xattrs are well-formed. */
struct import_sink {
	/* One complete node with its first name: attr.ino and parent are the worker's numbers (1 = root). The
	 * node is borrowed; its map and xattrs may be taken (left empty). */
	int (*node)(void *self, struct node *node, uint64_t parent, const char *name, size_t name_length,
		    struct reason *why);
	/* A further name of a node that came before (never of a directory). */
	int (*link)(void *self, uint64_t ino, uint64_t parent, const char *name, size_t name_length,
		    struct reason *why);
	bool own;		 /* a session that was just written: its sums must agree, or -EBADMSG */
	struct verb_front front; /* of it, where it is known: likewise */
	const struct blob *head; /* blocks 0..31 as they once were; NULL: as they are */
	/* NULL: a tree that can't be read in whole is an error. Else told of each part that is missing, in
	 * printable text. */
	int (*lost)(void *self, const char *text, struct reason *why);
	/* NULL: of no interest. Else told why a tree that seems whole may not be what was recorded, likewise.
	 */
	int (*doubt)(void *self, const char *text, struct reason *why);
};

/* fd: the medium, borrowed. session: start sector, 0 = by the head. limit: sectors readable. format: enum
 * tree_format. */
int import_run(int fd, const char *path, uint64_t session, uint64_t limit, uint32_t format,
	       const struct import_sink *sink, void *self, struct verb_imported *ret, struct reason *why);
