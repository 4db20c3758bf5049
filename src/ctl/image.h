/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Image files that stand for discs, as `create` makes them. */
#pragma once

#include "model/medium.h"

/* True when the open file was made by `create`: it has a mark. */
bool image_has_mark(int fd, struct medium_mark *ret);
/* True when it's nothing but that: never written to, or blanked. */
bool image_is_blank(int fd);
/* Makes it blank: nothing in it but the mark. 0 or -errno. */
int image_reset(int fd, const struct medium_mark *mark);
