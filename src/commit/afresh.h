/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting afresh (-o base=blank): everything that the disc's tree holds is staged as deleted, so that the
 * next session holds only what is staged from then on. Older sessions stay on the disc, and `discard` brings
 * back what they hold.
 *
 * A disc whose tree can't be read can be continued so, too: then its base is an empty tree, and only mounts
 * that start afresh get it. */
#pragma once

#include "commit/disc.h"

/* At mount, with nobody else at work, when it's asked for. Refused where other work is staged already, which
 * would be lost among what is deleted, and where nothing can be appended. Nothing is done where it was done
 * before and the disc got no session since. 0 or -errno with why. */
int afresh_begin(struct disc *disc, struct reason *why);
/* The import failed for that reason: an empty tree takes its place. */
int afresh_without_base(struct disc *disc, const struct reason *failed, struct reason *why);
/* The base is such a tree. 1, 0 or -errno. */
int afresh_has_no_base(struct disc *disc);
