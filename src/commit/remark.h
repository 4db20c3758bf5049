/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said behind the sentence of a commit that went well. */
#pragma once

#include "commit/commit.h"
#include "commit/dedupe.h"

void remark(const char *words, struct commit_result *result);
/* What needed no room. */
void remark_saved(const struct dedupe_saved *saved, struct commit_result *result);
/* Old files that had to be copied. */
void remark_carried(uint64_t files, struct commit_result *result);
/* why: the session doesn't get UDF though it was asked for; "": it does. */
void remark_no_udf(const char *why, struct commit_result *result);
