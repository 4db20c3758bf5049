/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells what happens to the drives of this machine, until it's interrupted. */
#pragma once

#include <stdbool.h>

/* A line (json: an object a line) for each drive that is there, and then whenever one appears, goes, or its
 * disc changes. Ends on SIGINT, SIGTERM, or when nobody reads any more. An exit code. */
int watch_drives(bool json);
