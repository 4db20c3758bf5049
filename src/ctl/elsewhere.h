/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Discs that are mounted in other mount namespaces than ours (unshare(1), containers, services with a private
 * one): the list of our own mounts knows nothing of them, but their daemons have the drive. */
#pragma once

#include "ctl/target.h"

/* Looks for a discfs that has the drive or image file of that name, as far as the caller may look into its
 * process; *ret leads there. */
bool elsewhere_find(const char *source, struct target *ret);
