/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks for names in the stored tree of one disc, as things are staged now.
 *
 * One pass over all names, without an index: the patterns are looked at inside SQLite, and only what they
 * match costs a look at its node and a path. Works on any connection, also of a disc that is mounted. */
#pragma once

#include "base/vec.h"
#include "model/pattern.h"
#include "store/db.h"

struct search {
	VEC(struct pattern) patterns; /* any of them; owned */
	uint32_t types;		      /* a bit for each wanted st_mode >> 12; 0: all */
	bool sized;		      /* then only regular files of that many bytes, both included */
	uint64_t size_least, size_most;
	int64_t from_ns, to_ns; /* mtime: from this moment on, and before that one */
	bool staged_only;
};

struct search_hit {
	const char *path; /* without a leading slash; raw bytes, NUL-terminated */
	size_t length;
	uint32_t mode;
	uint64_t size;
	int64_t mtime_ns;
	bool staged; /* not as it is on the disc */
};

/* Calls hit for each, directory by directory. Its nonzero return ends it and is returned. 0 or -errno. */
typedef int search_fn(void *self, const struct search_hit *hit);
int search_tree(struct db *db, const struct search *search, search_fn *hit, void *self);
void search_clear(struct search *search);
