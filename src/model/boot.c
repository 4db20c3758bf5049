/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/boot.h"

#include <string.h>

#define ENTRY	    32u /* bytes: El Torito 2.0, figures 2 to 5 */
#define HEADER	    0x90u
#define HEADER_LAST 0x91u

bool boot_record_read(const uint8_t *block, uint32_t *ret_catalog)
{
	if (memcmp(block, "\0CD001\1EL TORITO SPECIFICATION", 30) != 0)
		return false;
	*ret_catalog = get_le32(block + 71);
	return true;
}

static void read_entry(const uint8_t *at, uint8_t platform, const uint8_t *id, size_t id_length,
		       struct boot_entry *ret)
{
	*ret = (struct boot_entry){
		.platform = platform,
		.media = at[1] & 0x0f,
		.bootable = at[0] == 0x88,
		.load_segment = (uint16_t)get_le16(at + 2),
		.load_size = (uint16_t)get_le16(at + 6),
		.lba = get_le32(at + 8),
	};
	memcpy(ret->id, id, id_length);
}

static uint32_t read_section(const uint8_t *block, size_t *at, uint32_t count, struct boot_entry *ret)
{
	const uint8_t *header = block + *at;
	uint32_t entries = get_le16(header + 2);

	*at += ENTRY;
	for (; entries > 0 && count < BOOT_IMAGES_MOST && *at < SECTOR; entries--, *at += ENTRY) {
		read_entry(block + *at, header[1], header + 4, sizeof ret->id, &ret[count]);
		memcpy(ret[count++].criteria, block + *at + 12, sizeof ret->criteria);
	}
	return count;
}

uint32_t boot_catalog_read(const uint8_t *block, struct boot_entry *ret)
{
	uint32_t count = 1;
	bool last = false;

	if (block[0] != 1 || block[30] != 0x55 || block[31] != 0xaa)
		return 0;
	read_entry(block + ENTRY, block[1], block + 4, 24, &ret[0]);
	for (size_t at = (size_t)2 * ENTRY; !last && at < SECTOR && (block[at] & 0xfe) == HEADER;) {
		last = block[at] == HEADER_LAST;
		count = read_section(block, &at, count, ret);
	}
	return count;
}

uint64_t boot_entry_bytes(const struct boot_entry *entry)
{
	static const uint32_t floppies[BOOT_FLOPPIES + 1] = { 0, 1200, 1440, 2880 };

	if (entry->media && entry->media <= BOOT_FLOPPIES)
		return floppies[entry->media] * UINT64_C(1024);
	return max_u64(entry->load_size * UINT64_C(512), 1);
}

uint64_t boot_blocks(uint64_t size)
{
	return sectors_of(size) * (SECTOR / 512);
}

uint32_t boot_default_load(uint8_t platform, uint64_t size)
{
	uint64_t blocks = boot_blocks(size);

	if (platform != BOOT_EFI)
		return SECTOR / 512;
	return blocks > BOOT_LOAD_MOST ? 0 : (uint32_t)blocks;
}

const char *boot_platform_word(uint8_t platform)
{
	switch (platform) {
	case BOOT_BIOS:
		return "bios";
	case 1:
		return "powerpc";
	case 2:
		return "mac";
	case BOOT_EFI:
		return "efi";
	default:
		return "unknown";
	}
}

void boot_table_get(const uint8_t *image, struct boot_table *ret)
{
	const uint8_t *at = image + BOOT_TABLE_AT;

	*ret = (struct boot_table){ get_le32(at), get_le32(at + 4), get_le32(at + 8), get_le32(at + 12) };
}

void boot_table_put(uint8_t *image, const struct boot_table *table)
{
	uint8_t *at = image + BOOT_TABLE_AT;

	memset(at, 0, BOOT_TABLE_BYTES);
	put_le32(at, table->descriptor);
	put_le32(at + 4, table->lba);
	put_le32(at + 8, table->length);
	put_le32(at + 12, table->sum);
}

/* Words of 32 bits behind the table; zeroes fill the last one. */
uint32_t boot_table_sum(uint32_t sum, const uint8_t *piece, size_t length, uint64_t offset)
{
	size_t at = offset < BOOT_TABLE_END ? (size_t)min_u64(BOOT_TABLE_END - offset, length) : 0;

	for (; at < length; at += 4) {
		uint8_t word[4] = { 0 };

		memcpy(word, piece + at, min_u64(4, length - at));
		sum += get_le32(word);
	}
	return sum;
}
