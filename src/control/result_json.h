/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a commit ended, for programs. */
#pragma once

#include "base/text.h"
#include "commit/commit.h"

/* An object; null for a result without a serial. */
void result_to_json(const struct commit_result *result, struct text *text);
