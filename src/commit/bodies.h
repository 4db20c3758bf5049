/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads whole bodies, frozen or old, to sum or to compare them: with progress, and until somebody cancels.
 *
 * Each function returns 0, or -errno with why: -ECANCELED, -ENOMEM, -ENOMEDIUM, -ESTALE (another disc is in
 * the drive), … Where only that body can't be read, it's 1. */
#pragma once

#include "commit/fill.h"
#include "store/digest.h"

struct bodies {
	struct tree *tree;
	const struct fill_progress *progress;
	struct reason *why;
	uint64_t done, total; /* bytes; total: as far as known */
	uint8_t *data, *other;
};

int bodies_open(struct bodies *bodies, struct tree *tree, const struct fill_progress *progress,
		struct reason *why);
void bodies_clear(struct bodies *bodies);
/* Tells of bytes that are done with. */
int bodies_step(struct bodies *bodies, uint64_t bytes);
/* A node as of generation gen. */
int bodies_load(struct bodies *bodies, uint64_t ino, uint32_t gen, struct node *ret);
/* The sums of a node's first bytes; ret_md5 may be NULL. */
int bodies_sum(struct bodies *bodies, const struct node *node, uint64_t bytes, uint8_t *ret_sha256,
	       uint8_t *ret_md5);
/* Compares two of the same size; what both have at the same place on the disc isn't read. *ret: are they
 * equal? */
int bodies_compare(struct bodies *bodies, const struct node *a, const struct node *b, bool *ret);
