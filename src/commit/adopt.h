/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills an empty tree with the base session of a disc: what an import worker finds becomes generation 0. */
#pragma once

#include "commit/disc.h"

/* One transaction: an import that fails leaves the tree empty. A blank disc gets a root of its own. */
int adopt_disc(struct disc *disc, struct reason *why);
