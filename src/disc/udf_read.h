/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the tree of a UDF volume and hands it on, parents before children.
 *
 * What its entries say is shown: owners (files that nobody owns belong to whoever runs this, who may change
 * them), permissions, setuid, setgid and sticky bits, times to the microsecond, hard and symbolic links,
 * devices. Content stays where it is: as byte ranges of the medium, also inside a file entry; what isn't
 * recorded is a hole. Named streams and times of creation have no place here. A damaged tree is an error,
 * never a shorter tree, unless that is asked for: what isn't shown would be missing in the next session. */
#pragma once

#include "disc/iso_read.h"

/* session: start, 0 = of the medium. limit: readable sectors, 0 = all. 0, -EMEDIUMTYPE where there is no UDF,
 * or another -errno. */
int udf_read_tree(const struct source *source, uint64_t session, uint64_t limit, const struct tree_sink *sink,
		  void *self, struct verb_imported *ret, struct reason *why);
