/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A head whose writing was cut off in the middle: the disc then shows neither the old session nor the new
 * one, and no fingerprint leads to its state.
 *
 * While a head is written, an entry in the state directory says whose it may be (state_mark_switch). Where a
 * disc isn't known or can't be read, the journals behind these entries are compared with it block by block:
 * made of the old and the new head, with the new session at its place behind, it's that disc; and the new
 * head, which was verified before the first one was written, is written again. */
#pragma once

#include "commit/disc.h"

/* root: of the states. 1: a head was made whole, so probe again; 0: none was torn; or -errno with why. */
int torn_head_mend(const struct disc *disc, const char *root, struct reason *why);
