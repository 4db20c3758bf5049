/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The content of a session's files, against the sums that are recorded of it or were computed before. */
#pragma once

#include "disc/checking.h"

/* What there is to read: by the tree that was imported, or by UDF's. 0 or -errno. */
int verify_files_collect(struct checking *checking);
int verify_files_collect_udf(struct checking *checking);
/* Reads it. 0 or -errno. */
int verify_files_check(struct checking *checking);
