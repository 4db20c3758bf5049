/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sums of a session that is imported: whether its descriptors and directories are as they were recorded,
 * and those of its files, also where the array that holds them is damaged in part.
 *
 * libisofs refuses a session of which a sum doesn't agree, and drops all sums of files when one of them is
 * damaged. The files are as good as before, and so are most of their sums. */
#pragma once

#include "disc/iso_lib.h"
#include "disc/session_tags.h"
#include "model/node.h"

enum iso_sums_state {
	ISO_SUMS_NONE, /* the tree has none */
	ISO_SUMS_GOOD, /* the tree is as it was recorded */
	ISO_SUMS_BAD
};

struct iso_sums {
	enum iso_sums_state tree;
	struct sums_place place;
	uint8_t *
	    array; /* where libisofs hasn't got it: place.sums of 16 bytes, zeroes where they can't be read */
};

/* image: loaded from the session at start (0: by the head). doubt is told in a sentence what doesn't agree.
 * 0, or -errno: -ENOMEM, -ENOMEDIUM, -ESTALE. */
int iso_sums_open(struct iso_sums *sums, const struct source *source, uint64_t start, IsoImage *image,
		  int (*doubt)(void *self, const char *text), void *self, struct reason *why);
void iso_sums_close(struct iso_sums *sums);
/* The recorded sum of a file's content, if there's one. */
bool iso_sums_find(const struct iso_sums *sums, IsoImage *image, IsoFile *file, uint8_t ret[MD5_LENGTH]);
