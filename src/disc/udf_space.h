/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocks of a UDF volume: from a partition's block numbers to sectors of the medium, and reading them.
 *
 * Nothing is believed: each number is checked against its partition and against the part of the medium that
 * can be read, and the reads are counted, since structures of a hostile disc may lead in circles. One thread.
 */
#pragma once

#include "base/vec.h"
#include "disc/source.h"

#define UDF_PARTITIONS 8u

/* ECMA-167 4/7.1, lb_addr. */
struct udf_address {
	uint32_t block;
	uint32_t partition; /* number of the partition map */
};

enum udf_map_kind { UDF_MAP_PLAIN = 1, UDF_MAP_SPARABLE, UDF_MAP_METADATA };

/* A packet that lies elsewhere, UDF 2.2.12. */
struct udf_spare {
	uint32_t original; /* first block, in the partition */
	uint32_t mapped;   /* sector */
};

/* A piece of the metadata file, UDF 2.2.13. */
struct udf_piece {
	uint32_t first; /* block of the metadata partition */
	uint32_t count;
	uint32_t lba;
};

struct udf_partition {
	enum udf_map_kind kind;
	uint64_t start;	 /* sector; not of a metadata partition */
	uint64_t blocks; /* of a metadata partition: known once its file was read */
	uint32_t number; /* that its descriptor has */
	uint32_t packet; /* sparable: blocks */
	VEC(struct udf_spare) spares;
	VEC(struct udf_piece) pieces; /* in order, without gaps */
	uint32_t files[2];	      /* metadata: where its file and the mirror of it are */
	uint32_t below;		      /* metadata: the map that it lies in */
};

struct udf_space {
	const struct source *source;
	uint64_t limit; /* sectors that can be read */
	bool lenient;	/* what can't be read of a file's content in memory is zeroes; limit is what was
			   recorded */
	uint64_t budget;
	struct udf_partition partitions[UDF_PARTITIONS];
	uint32_t count;
	uint8_t *windows; /* read ahead: file entries are small and close together */
	uint64_t *window_at;
};

int udf_space_open(struct udf_space *space, const struct source *source, uint64_t limit, struct reason *why);
void udf_space_close(struct udf_space *space);
/* Once all its spares are there. */
void udf_partition_sort(struct udf_partition *partition);
/* One sector, valid until the next call. NULL with why. */
const uint8_t *udf_space_read(struct udf_space *space, uint64_t lba, struct reason *why);
/* Where a block lies, and how many of the count (> 0) behind it follow it there. 0 or -errno. */
int udf_space_map(struct udf_space *space, struct udf_address at, uint64_t count, uint64_t *ret_lba,
		  uint64_t *ret_run, struct reason *why);
