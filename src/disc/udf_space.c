/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/udf_space.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define WINDOWS		 64u
#define WINDOW_SECTORS	 16u
#define READS_AT_LEAST	 UINT64_C(100000)
#define READS_PER_SECTOR 4u
#define READS_AT_MOST	 UINT64_C(100000000)

int udf_space_open(struct udf_space *space, const struct source *source, uint64_t limit, struct reason *why)
{
	*space = (struct udf_space){ .source = source };
	space->limit = limit ? min_u64(limit, source->sectors) : source->sectors;
	space->budget = min_u64(READS_AT_LEAST + READS_PER_SECTOR * space->limit, READS_AT_MOST);
	space->windows = malloc((size_t)WINDOWS * WINDOW_SECTORS * SECTOR);
	space->window_at = malloc(WINDOWS * sizeof *space->window_at);
	if (!space->windows || !space->window_at)
		return reason_set(why, ENOMEM, "out of memory");
	memset(space->window_at, 0xff, WINDOWS * sizeof *space->window_at);
	return 0;
}

void udf_space_close(struct udf_space *space)
{
	for (uint32_t i = 0; i < UDF_PARTITIONS; i++) {
		vec_clear(&space->partitions[i].spares);
		vec_clear(&space->partitions[i].pieces);
	}
	free(space->windows);
	free(space->window_at);
	space->windows = NULL;
	space->window_at = NULL;
}

/* One that can't be read as a whole is read a sector at a time: a scratch beside what is wanted doesn't
 * count. */
static int fill_window(struct udf_space *space, uint64_t lba, uint8_t *window, struct reason *why)
{
	uint64_t first = lba - lba % WINDOW_SECTORS;
	uint64_t count = min_u64(WINDOW_SECTORS, space->source->sectors - first);
	struct reason ignored = { 0 };
	uint64_t *at = &space->window_at[first / WINDOW_SECTORS % WINDOWS];

	*at = UINT64_MAX;
	if (source_read(space->source, first, (uint32_t)count, window, &ignored) == 0) {
		*at = first;
		return 0;
	}
	return source_read(space->source, lba, 1, window + lba % WINDOW_SECTORS * SECTOR, why);
}

const uint8_t *udf_space_read(struct udf_space *space, uint64_t lba, struct reason *why)
{
	uint64_t first = lba - lba % WINDOW_SECTORS;
	size_t slot = first / WINDOW_SECTORS % WINDOWS;
	uint8_t *window = space->windows + slot * WINDOW_SECTORS * SECTOR;

	if (lba >= space->source->sectors) {
		reason_set(why, EIO,
			   "the file system refers to sector %" PRIu64 " but the medium ends at %" PRIu64
			   ": truncated or damaged",
			   lba, space->source->sectors);
		return NULL;
	}
	if (space->budget == 0) {
		reason_set(why, EBADMSG, "the file system leads in circles: damaged");
		return NULL;
	}
	space->budget--;
	if (space->window_at[slot] != first && fill_window(space, lba, window, why) < 0)
		return NULL;
	return window + lba % WINDOW_SECTORS * SECTOR;
}

static int compare_spares(const void *left, const void *right)
{
	const struct udf_spare *a = (const struct udf_spare *)left, *b = (const struct udf_spare *)right;

	return a->original < b->original ? -1 : a->original > b->original;
}

void udf_partition_sort(struct udf_partition *partition)
{
	if (partition->spares.count)
		qsort(partition->spares.items, partition->spares.count, sizeof(struct udf_spare),
		      compare_spares);
}

/* A packet that was found bad has its content in a spare one, UDF 2.2.9. */
static void map_sparable(const struct udf_partition *partition, uint32_t block, uint64_t *lba, uint64_t *run)
{
	const struct udf_spare wanted = { .original = block - block % partition->packet };
	const struct udf_spare *spare = NULL;

	if (partition->spares.count == 0)
		return;
	*run = min_u64(*run, partition->packet - block % partition->packet);
	spare =
	    bsearch(&wanted, partition->spares.items, partition->spares.count, sizeof wanted, compare_spares);
	if (spare)
		*lba = (uint64_t)spare->mapped + block % partition->packet;
}

static void map_metadata(const struct udf_partition *partition, uint32_t block, uint64_t *lba, uint64_t *run)
{
	size_t low = 0, high = partition->pieces.count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (partition->pieces.items[middle].first <= block)
			low = middle;
		else
			high = middle;
	}
	*lba = (uint64_t)partition->pieces.items[low].lba + (block - partition->pieces.items[low].first);
	*run = min_u64(*run, partition->pieces.items[low].first + partition->pieces.items[low].count - block);
}

int udf_space_map(struct udf_space *space, struct udf_address at, uint64_t count, uint64_t *ret_lba,
		  uint64_t *ret_run, struct reason *why)
{
	const struct udf_partition *partition =
	    at.partition < space->count ? &space->partitions[at.partition] : NULL;
	uint64_t lba, run = count;

	if (!partition || !range_within(at.block, count, partition->blocks))
		return reason_set(why, EBADMSG,
				  "the file system refers to block %" PRIu32 " of partition %" PRIu32
				  ", which isn't there: damaged",
				  at.block, at.partition);
	lba = partition->start + at.block;
	if (partition->kind == UDF_MAP_SPARABLE)
		map_sparable(partition, at.block, &lba, &run);
	else if (partition->kind == UDF_MAP_METADATA)
		map_metadata(partition, at.block, &lba, &run);
	if (!range_within(lba, run, space->limit))
		return reason_set(why, EIO,
				  "the file system refers to sectors %" PRIu64 "..%" PRIu64
				  " but what is recorded ends at %" PRIu64 ": truncated or damaged",
				  lba, lba + run - 1, space->limit);
	*ret_lba = lba;
	*ret_run = run;
	return 0;
}
