/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that aren't meant for a disc: what file managers and systems leave behind. What is new under such a
 * name, with all that is in it, is staged but not burned (store/hold.h). */
#pragma once

#include "base/reason.h"
#include "base/vec.h"
#include "model/pattern.h"

/* Only what nobody makes by hand and nobody misses: the trash, what desktops keep by themselves, and the
 * files that stand for another one for a moment. */
#define LITTER_DEFAULT                                                                                       \
	".Trash:.Trash-*:.Trashes:.DS_Store:.Spotlight-V100:.fseventsd:.TemporaryItems:"                     \
	"Thumbs.db:$RECYCLE.BIN:System Volume Information:.goutputstream-*:.fuse_hidden*:.nfs*:.xdp-*:"      \
	".~lock.*#:.thumbnails:.sh_thumbnails:.directory"

struct litter {
	VEC(struct pattern) patterns;
	bool paths; /* there is one for paths */
};

/* list: globs, one after another with a colon between them; those with a slash are for paths from the root of
 * the mount on. Empty: nothing is litter. 0, or -EINVAL or -ENOMEM with why; free with litter_clear in any
 * case. */
int litter_parse(struct litter *litter, const char *list, struct reason *why);
void litter_clear(struct litter *litter);
bool litter_has_name(const struct litter *litter, const char *name, size_t length);
/* path: without a leading slash. */
bool litter_has_path(const struct litter *litter, const char *path, size_t length);
