/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions that went to a file: the disc gets them later, elsewhere, by another program.
 *
 * Until then everything stays staged. Each such session is known by its place and its own first blocks
 * (`print` in verbs.h): ROOT/to-file/<hex> leads to the state of the disc that it was made for. When a mount
 * finds that this session is the disc's newest one, it's compared with what is staged, as after a commit.
 * When all of it is the same, the session becomes the base. Otherwise, because the staged work went on
 * meanwhile, everything stays staged above the old base, and belongs to the disc as it is now: nothing is
 * lost, and the next session holds it all. */
#pragma once

#include "commit/disc.h"

/* Before the file can be seen: a session of that print may come back. 0 or -errno with why. */
int away_note(struct disc *disc, const uint8_t *print, struct reason *why);
/* At mount, with the tree open that a link led to. 1: the disc is the one that a file was made for, and got
 * it; 0: it isn't; or -errno. */
int away_fits(struct disc *disc);
/* Then, with nobody else at work: the session becomes the base, or the staged work moves to the disc as it
 * is. */
int away_take(struct disc *disc, struct reason *why);
