/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories of UDF: file identifier descriptors (ECMA-167 4/14.4), and the components of symbolic links. */
#pragma once

#include "disc/udf_icb.h"
#include "disc/udf_name.h"

struct udf_entry {
	struct udf_address icb;
	uint32_t icb_length; /* 0: it has none */
	char name[UDF_NAME_ROOM];
	size_t name_length; /* 0: it can't be told */
	bool hidden;
};

/* The next entry that counts at or behind *at: neither deleted nor the directory's own parent. Hidden ones
 * do: there's nothing like it here, and what isn't shown would be missing in the next session. 1, 0 at the
 * end, or -EBADMSG. */
/* Behind an entry that's damaged: to the next one that isn't, or the end. */
void udf_dir_skip(const struct blob *content, size_t *at);
int udf_dir_next(const struct blob *content, size_t *at, struct udf_entry *ret, struct reason *why);
/* The target that a symbolic link's content stands for. Returns its length, 0 where it's none, or too long.
 */
size_t udf_link_target(const struct blob *content, char *ret, size_t room);
