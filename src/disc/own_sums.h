/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sums in a session that was just written: of its descriptors, its directories, the array of sums of its
 * files, and the tag at its end. What they cover is read; the files aren't, which have been compared by then.
 */
#pragma once

#include "disc/iso_lib.h"
#include "disc/session_tags.h"

/* Where an image that was loaded says that its sums are; false: there are none. */
bool own_sums_place(IsoImage *image, struct sums_place *ret);
/* image: loaded from the session at start. 0, or -EBADMSG: one isn't there or doesn't agree. */
int own_sums_check(const struct source *source, uint64_t start, IsoImage *image, struct reason *why);
