/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of one directory, taken as a whole: so that rows may be looked at, or changed, while one goes
 * through them. Needs the tree's lock. */
#pragma once

#include "base/text.h"
#include "base/vec.h"
#include "store/rows.h"

struct name {
	size_t at, length; /* in bytes */
	uint64_t ino;
	uint32_t type; /* st_mode >> 12 */
};

struct names {
	VEC(struct name) list; /* in byte order */
	struct text bytes;
};

/* Fills an empty list with what the directory shows in generations up to gen. 0 or -errno. */
int names_take(struct names *names, struct db *db, uint64_t dir, uint32_t gen);
void names_clear(struct names *names);
/* Not NUL-terminated. */
static inline const char *name_bytes(const struct names *names, const struct name *name)
{
	return names->bytes.data + name->at;
}
