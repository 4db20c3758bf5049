/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells what a dry run found out (.discfs/trial). */
#pragma once

#include "ctl/target.h"

/* On stdout, behind the sentence that the result itself has; of each list the first few only, or all. An exit
 * code; says why. */
int trial_show(const struct target *target, bool all);
/* The result as an object, with what was found out as its "trial". last: JSON. */
int trial_show_json(const struct target *target, const char *last);
