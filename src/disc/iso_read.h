/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the tree of one session through libisofs and hands it on, parents before children.
 *
 * Which tree: Rock Ridge, else Joliet, else plain ISO 9660, or the one that's asked for. Names of plain trees
 * are shown as Linux does: without ";1", in lower case. Trees without owners belong to whoever runs this,
 * with modes 0755 and 0644, so that they can be changed. A damaged tree is an error, never a shorter tree,
 * unless that is asked for: what isn't shown would be missing in the next session. */
#pragma once

#include "disc/source.h"
#include "wire/verbs.h"

/* Where it goes; each returns 0 or -errno (ends the import). What they get is only valid during the call. */
struct tree_sink {
	int (*node)(void *self, const struct verb_node *node);
	int (*xattr)(void *self, const struct verb_xattr *xattr);
	int (*extent)(void *self, const struct extent *extent);
	int (*warning)(void *self, const char *text);
	bool own; /* a session that was just written: its sums must be there and agree */
	/* NULL: a damaged tree is an error. Else it's left out what can't be read, and told in a sentence. */
	int (*lost)(void *self, const char *text);
	/* The tree is whole, but may not be what was recorded: told in a sentence. NULL: nobody cares. */
	int (*doubt)(void *self, const char *text);
};

/* Once in a process, before the first tree. */
int iso_read_start(struct reason *why);
/* Of another tree than Rock Ridge's: tells doubt where nobody can say whether there is a better one. */
int iso_read_check_root(const struct source *source, uint64_t session, uint64_t limit,
			const struct tree_sink *sink, void *self, struct reason *why);
/* session: start, 0 = by the head. limit: readable sectors, 0 = all. format: enum tree_format. */
int iso_read_tree(const struct source *source, uint64_t session, uint64_t limit, uint32_t format,
		  const struct tree_sink *sink, void *self, struct verb_imported *ret, struct reason *why);
