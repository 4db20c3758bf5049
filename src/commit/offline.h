/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disc that isn't here, mounted from what is stored of it: names and attributes are there, work can be
 * staged, and whatever needs the disc's own bytes gets EAGAIN.
 *
 * The state is the disc's own, with its lock: the next mount of the disc itself finds what was staged.
 * Nothing is known of the medium but what the last mount left (store/shelf.h): room is predicted from that.
 */
#pragma once

#include "commit/disc.h"

/* disc_open for options->offline. -ENOENT: not in the catalogue; -ENOTUNIQ; -ENOMEDIUM: the disc itself is
 * needed first. */
int offline_open(struct disc *disc, const struct disc_options *options, struct reason *why);
/* -ENOMEDIUM, with a sentence. */
int offline_missing(const struct disc *disc, struct reason *why);
