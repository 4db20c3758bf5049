/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The medium as a row of sectors: bounds-checked reading, whatever stands behind it.
 *
 * That is an image file, or a drive, which is asked itself: its block device knows neither the capacity nor
 * the content after a burn. A sector that can't be read is an error and never taken for an empty one. Reading
 * may be done by several threads. */
#pragma once

#include "base/bytes.h"
#include "base/reason.h"

struct source {
	int fd;		  /* borrowed */
	uint64_t sectors; /* whole sectors that can be read */
	bool is_drive;
	const uint8_t *head; /* HEAD_BYTES that stand for the first sectors; NULL: what is there does */
};

/* fd: an image file or a drive's block device open for reading, borrowed as long as the source is used.
 * sectors: of a drive, since its block device doesn't know. */
int source_open(struct source *source, int fd, uint64_t sectors, struct reason *why);
/* All of them or -EIO. data: count * SECTOR bytes. */
int source_read(const struct source *source, uint64_t lba, uint32_t count, void *data, struct reason *why);
