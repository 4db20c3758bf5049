/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command handler uses: sense data, replies with an allocation length, big-endian numbers. */
#include "mmc.h"

#include <string.h>

int mmc_fail(struct command *command, struct sense sense)
{
	uint8_t *data = command->sense;

	memset(data, 0, sizeof(command->sense));
	data[0] = (uint8_t)((sense.deferred ? 0x71 : 0x70) | (sense.valid_lba ? 0x80 : 0));
	data[2] = sense.key;
	mmc_put32(data + 3, sense.lba);
	data[7] = sizeof(command->sense) - 8;
	data[12] = sense.asc;
	data[13] = sense.ascq;
	if (sense.progress > 0) {
		data[15] = 0x80;
		mmc_put16(data + 16, sense.progress - 1);
	}
	command->sense_length = sizeof(command->sense);
	command->status = 2;
	return -1;
}

int mmc_reply(struct command *command, const void *data, size_t length, size_t allocation)
{
	if (length > allocation)
		length = allocation;
	if (length > command->length)
		length = command->length;
	if (command->direction != DIRECTION_FROM_DRIVE || !command->data)
		length = 0;
	if (length > 0)
		memcpy(command->data, data, length);
	command->transferred = length;
	return 0;
}

uint32_t mmc_be16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

uint32_t mmc_be24(const uint8_t *at)
{
	return mmc_be16(at) << 8 | at[2];
}

uint32_t mmc_be32(const uint8_t *at)
{
	return mmc_be16(at) << 16 | mmc_be16(at + 2);
}

void mmc_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void mmc_put24(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 16);
	mmc_put16(at + 1, value);
}

void mmc_put32(uint8_t *at, uint32_t value)
{
	mmc_put16(at, value >> 16);
	mmc_put16(at + 2, value);
}
