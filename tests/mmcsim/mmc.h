/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware: MMC commands by a table. All run under the drive's lock; drive_execute has dealt with rules,
 * unit attentions and readiness before. */
#pragma once

#include "drive.h"

#define ANY_TIME    1u /* works without a medium and while it isn't ready; reports no attention */
#define NEEDS_DISC  2u
#define KEEPS_CACHE 4u /* doesn't make the drive write its cache out */

struct mmc_command {
	uint8_t op;
	const char *name;
	unsigned flags;
	/* Fills command->data and transferred; 0, or mmc_fail's value. */
	int (*run)(struct drive *drive, struct command *command);
};

/* Tables of the two files' groups, each ended by a NULL name: what a drive tells, and what it does to a disc.
 */
extern const struct mmc_command
    mmc_information[]; /* mmc_info.c, mmc_config.c, mmc_mode.c, mmc_toc.c, mmc_structure.c */
extern const struct mmc_command
    mmc_recording[]; /* mmc_read.c, mmc_write.c, mmc_close.c, mmc_format.c, mmc_tray.c */

/* The mode pages and speeds of a drive that was just switched on (mmc_mode.c). */
void mmc_mode_defaults(struct drive_state *state);

/* The speeds in effect with this medium, in kB/s (mmc_speed.c). */
uint32_t mmc_write_kbps(const struct drive *drive), mmc_read_kbps(const struct drive *drive);

/* CHECK CONDITION with that sense: returns -1. */
int mmc_fail(struct command *command, struct sense sense);
/* Copies at most what the allocation length and the room allow: for replies with a length field. Returns 0.
 */
int mmc_reply(struct command *command, const void *data, size_t length, size_t allocation);
uint32_t mmc_be16(const uint8_t *at), mmc_be24(const uint8_t *at), mmc_be32(const uint8_t *at);
void mmc_put16(uint8_t *at, uint32_t value), mmc_put24(uint8_t *at, uint32_t value),
    mmc_put32(uint8_t *at, uint32_t value);

/* One sector, with the physics: reads see the cache. false: the sense says why not. */
bool sector_read(struct drive *drive, uint32_t lba, uint8_t *data, struct sense *ret);
/* The drive's buffer (cache.c) goes to the medium, but for the last, incomplete ECC block of a sequential
 * one: that waits for more, or for the end of writing. A write error at an LBA shows here. */
bool cache_flush(struct drive *drive, struct sense *ret);
void cache_drop(struct drive *drive);
void cache_close(struct drive *drive); /* with the drive */
/* While a command with the Immed bit is under way: the sense that others get. Counts down. */
struct sense mmc_busy_sense(struct drive_state *state);

/* The five senses that most commands need. */
#define SENSE_NOT_READY	  SENSE(2, 0x04, 0x01)
#define SENSE_NO_MEDIUM	  SENSE(2, 0x3A, 0x01)
#define SENSE_BAD_OPCODE  SENSE(5, 0x20, 0x00)
#define SENSE_BAD_FIELD	  SENSE(5, 0x24, 0x00)
#define SENSE_BAD_ADDRESS SENSE(5, 0x21, 0x02) /* invalid address for write */
#define SENSE_NOT_APPENDABLE                                                                                 \
	SENSE(5, 0x72, 0x04) /* empty or partially written reserved track: session fixation */
