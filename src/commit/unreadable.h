/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disc's tree that can't be imported: what is told of it, and what else can be done. */
#pragma once

#include "commit/disc.h"

/* failed: what the import said. Returns -failed->err, with why. */
int unreadable_tell(const struct disc *disc, const struct reason *failed, struct reason *why);
