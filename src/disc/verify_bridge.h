/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a session has of UDF, against the sums that discfs recorded of it (bridge_sums.h): its front, its
 * tail, and the directories that libisofs' own sum leaves out; and the anchors that lead there. */
#pragma once

#include "disc/checking.h"

/* Sessions without a bridge of ours are passed over. 0 or -errno. */
int verify_bridge(struct checking *checking);
