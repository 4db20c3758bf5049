/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the disc in a drive ready for the next session. */
#pragma once

#include "commit/disc.h"

/* Closes what a broken burn left open: what is appended inside an open track becomes a part of it. Formats an
 * overwriteable medium that isn't yet. probe: as it is; replaced when something was done. Image files need
 * nothing. touched: set as soon as the disc may have been changed. 0 or -errno: -ESTALE when the disc isn't
 * the same any more. */
int prepare_medium(struct disc *disc, struct probe *probe, bool *touched, struct reason *why);
