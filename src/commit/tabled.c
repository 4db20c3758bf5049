/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/tabled.h"

#include "model/layout.h"

#include <string.h>

#define DESCRIPTOR 16u /* sector of a session; its boot record is behind that */

int tabled_open(struct tabled *tabled, struct disc_reader *disc, uint64_t start)
{
	uint8_t block[SECTOR];
	uint32_t at;
	int ret = disc_read(disc, block, sizeof block, (start + DESCRIPTOR + 1) * SECTOR);

	*tabled = (struct tabled){ .start = start };
	if (ret < 0 || !boot_record_read(block, &at))
		return ret;
	ret = disc_read(disc, block, sizeof block, (uint64_t)at * SECTOR);
	tabled->count = ret == 0 ? boot_catalog_read(block, tabled->images) : 0;
	return ret;
}

void tabled_piece(struct tabled_body *body, const uint8_t *planned, uint8_t *found, size_t length,
		  uint64_t offset)
{
	if (offset == 0 && length >= BOOT_TABLE_END) {
		memcpy(body->begin, found, BOOT_TABLE_END);
		body->differs = memcmp(planned + BOOT_TABLE_AT, found + BOOT_TABLE_AT, BOOT_TABLE_BYTES) != 0;
		memcpy(found + BOOT_TABLE_AT, planned + BOOT_TABLE_AT, BOOT_TABLE_BYTES);
	}
	if (body->differs) /* of others nobody wants to know, and there are many */
		body->sum = boot_table_sum(body->sum, planned, length, offset);
}

/* The tree that it leads to is this session's: by the one or the other of its two primary descriptors. */
static bool is_true(const struct tabled *tabled, const uint8_t *begin, uint32_t lba, uint32_t size,
		    uint32_t sum)
{
	uint8_t wanted[BOOT_TABLE_END];
	struct boot_table table;

	boot_table_get(begin, &table);
	if (table.descriptor != tabled->start + DESCRIPTOR &&
	    table.descriptor != tabled->start + UDF_FRONT + DESCRIPTOR)
		return false;
	memcpy(wanted, begin, sizeof wanted);
	boot_table_put(wanted, &(struct boot_table){ table.descriptor, lba, size, sum });
	return memcmp(begin, wanted, sizeof wanted) == 0;
}

bool tabled_is_right(struct tabled *tabled, const struct tabled_body *body, uint64_t lba, uint64_t size)
{
	if (!body->differs)
		return true;
	if (!is_true(tabled, body->begin, (uint32_t)lba, (uint32_t)size, body->sum))
		return false;
	for (uint32_t i = 0; i < tabled->count; i++)
		if (tabled->images[i].lba == lba && !tabled->taken[i])
			return tabled->taken[i] = true;
	return false;
}
