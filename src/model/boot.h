/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What makes a disc bootable: the record and the catalogue of El Torito 1.0, and the table that some boot
 * loaders want in their image. Plain data, from blocks that were read. */
#pragma once

#include "base/bytes.h"

#define BOOT_IMAGES_MOST 32u	     /* of a disc, as libisofs has it */
#define BOOT_LOAD_MOST	 65535u	     /* blocks of 512 bytes, El Torito 2.0 figure 3 */
#define BOOT_SIZE_MOST	 0xfffff800u /* bytes of an image: one extent of ISO 9660 */
#define BOOT_FLOPPIES	 3u    /* media types 1 to 3 are floppies, 4 is a hard disk, 0 is no emulation */
#define BOOT_BIOS	 0x00u /* platforms: 80x86, El Torito 2.0 figure 2; */
#define BOOT_EFI	 0xefu /* UEFI 2.10, 13.3.2.1 */

/* One entry of the catalogue, as it is there. */
struct boot_entry {
	uint8_t platform;
	uint8_t media;
	bool bootable;
	uint16_t load_segment;
	uint16_t load_size; /* blocks of 512 bytes */
	uint32_t lba;
	uint8_t id[28];
	uint8_t criteria[20];
};

/* Is that block a boot record of El Torito? Then where the catalogue is. */
bool boot_record_read(const uint8_t *block, uint32_t *ret_catalog);
/* Reads a catalogue of one block; ret: room for BOOT_IMAGES_MOST. Returns how many entries, 0 where it's no
 * catalogue. */
uint32_t boot_catalog_read(const uint8_t *block, struct boot_entry *ret);
/* Bytes that are there to be loaded: what is known of the size of an image without a file. */
uint64_t boot_entry_bytes(const struct boot_entry *entry);
/* How many blocks of 512 bytes an image has, in whole sectors. */
uint64_t boot_blocks(uint64_t size);
/* What is loaded when nobody says how much: a BIOS reads the first sector of a loader that knows how to read
 * the rest; UEFI has a whole file system there, and 0 stands for one that can't be counted. */
uint32_t boot_default_load(uint8_t platform, uint64_t size);
const char *boot_platform_word(uint8_t platform);

/* The boot information table (mkisofs(8), -boot-info-table): 56 bytes at BOOT_TABLE_AT of the image. */
#define BOOT_TABLE_AT	 8u
#define BOOT_TABLE_BYTES 56u
#define BOOT_TABLE_END	 (BOOT_TABLE_AT + BOOT_TABLE_BYTES)

struct boot_table {
	uint32_t descriptor; /* sector of the primary volume descriptor of the tree that the loader reads */
	uint32_t lba;	     /* of the image itself */
	uint32_t length;
	uint32_t sum;
};

/* image: its first BOOT_TABLE_END bytes. */
void boot_table_get(const uint8_t *image, struct boot_table *ret);
void boot_table_put(uint8_t *image, const struct boot_table *table);
/* Adds a piece of an image to the sum that the table has of it; offset: a multiple of 4, where it begins. */
uint32_t boot_table_sum(uint32_t sum, const uint8_t *piece, size_t length, uint64_t offset);
