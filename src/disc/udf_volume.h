/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A UDF volume found on the medium: from the anchor over the volume descriptor sequence to its partitions and
 * its root directory. Revisions 1.02 to 2.60. */
#pragma once

#include "disc/udf_icb.h"

struct udf_volume {
	struct udf_space space;
	struct udf_address root;
	char label[33];	    /* logical volume identifier, cut to what an ISO 9660 volume can have */
	uint32_t revision;  /* 0x0102 … 0x0260 */
	int64_t time;	    /* seconds since 1970 when it was last closed or opened; 0 unknown */
	bool ours;	    /* written by this program: a bridge */
	bool open;	    /* its integrity descriptor says that it was left in the middle of changes */
	uint64_t anchor;    /* where the anchor that was used is */
	uint64_t integrity; /* of its last integrity descriptor; 0: none */
	uint64_t sequence;  /* and the volume descriptor sequence */
	uint32_t sequence_blocks;
	struct udf_address bitmap; /* of unallocated blocks, UDF 2.3.8 */
	uint32_t bitmap_bytes;	   /* 0: there's none */
};

/* session: its start; 0: of the whole medium. limit: sectors that can be read, 0 = all. 1 = found; 0 = no UDF
 * there; -EMEDIUMTYPE = of a kind that isn't supported, -EBADMSG = damaged, -EIO. Close it whatever the
 * result. */
int udf_volume_open(struct udf_volume *volume, const struct source *source, uint64_t session, uint64_t limit,
		    struct reason *why);
void udf_volume_close(struct udf_volume *volume);
