/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual xattrs user.discfs.*: never listed, never stored. One table. */
#pragma once

#include "control/control.h"

struct control_xattr {
	const char *name;
	bool root_only; /* on the mount's root, else on any file */
	int (*get)(struct control *control, uint64_t ino, struct text *ret); /* NULL: can't be read */
	int (*set)(struct control *control, uint64_t ino, const char *value,
		   size_t length);			      /* NULL: can't be set; owner only */
	int (*remove)(struct control *control, uint64_t ino); /* the same */
};

#define CONTROL_XATTR_PREFIX "user.discfs."

/* NULL when there's none of that name for that node. */
const struct control_xattr *control_xattr_find(const char *name, uint64_t ino);
