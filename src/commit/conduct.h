/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One commit from the wish to the result, on the conductor's thread. */
#pragma once

#include "commit/commit.h"

/* result: err, exit_code, message, session, start and sectors are set. */
void conduct(struct commit *commit, const struct commit_wish *wish, struct commit_result *result);
