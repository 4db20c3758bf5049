/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings a commit that was cut off to an end: forward when its session is whole on the disc, else back. */
#pragma once

#include "commit/disc.h"

/* At mount, with nobody else at work. 0 also when there was nothing to recover. */
int recover_commit(struct disc *disc, struct reason *why);
