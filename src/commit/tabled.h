/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verification of boot images that got a boot information table while they were recorded: of 56 bytes it's
 * known what must be there instead of what was staged. Such a table is taken for right in an image that the
 * session's own catalogue names, once for each image, when all of it is true. */
#pragma once

#include "model/boot.h"
#include "store/disc_reader.h"

struct tabled {
	uint64_t start; /* of the session */
	struct boot_entry images[BOOT_IMAGES_MOST];
	bool taken[BOOT_IMAGES_MOST];
	uint32_t count;
};

/* What the session's catalogue names; nothing where it has none. 0 or -errno. */
int tabled_open(struct tabled *tabled, struct disc_reader *disc, uint64_t start);

/* The comparison of one body, piece by piece from its begin. */
struct tabled_body {
	uint8_t begin[BOOT_TABLE_END]; /* as it was found */
	bool differs;
	uint32_t sum;
};

/* Looks at a piece as planned and as found; where the table may be, found becomes as
 * planned. */
void tabled_piece(struct tabled_body *body, const uint8_t *planned, uint8_t *found, size_t length,
		  uint64_t offset);
/* Is all of it as planned, or has it a true table? Each image has one. */
bool tabled_is_right(struct tabled *tabled, const struct tabled_body *body, uint64_t lba, uint64_t size);
