/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Speeds: what the drive can do with a medium, and what the host chose. In kB/s of 1000 bytes: CD 1x is
 * 176.4, DVD 1x is 1385, BD 1x is 4495.5. */
#include "mmc_info.h"

#include <string.h>

static const struct {
	enum profile profile;
	uint32_t read;
	uint32_t write[8];
} speeds[] = {
	{ PROFILE_CD_ROM, 8467, { 0 } },
	{ PROFILE_CD_R, 8467, { 8467, 7056, 5645, 4234, 2822, 1764, 706, 0 } },
	{ PROFILE_CD_RW, 7056, { 4234, 2822, 1764, 706, 0 } },
	{ PROFILE_DVD_ROM, 22160, { 0 } },
	{ PROFILE_DVD_R, 22160, { 22160, 16620, 11080, 5540, 2770, 0 } },
	{ PROFILE_DVD_RAM, 6925, { 6925, 4155, 2770, 0 } },
	{ PROFILE_DVD_RW_OVERWRITE, 18005, { 8310, 5540, 2770, 1385, 0 } },
	{ PROFILE_DVD_RW, 18005, { 8310, 5540, 2770, 1385, 0 } },
	{ PROFILE_DVD_R_DL, 16620, { 11080, 8310, 5540, 2770, 0 } },
	{ PROFILE_DVD_PLUS_RW, 18005, { 11080, 8310, 5540, 3324, 0 } },
	{ PROFILE_DVD_PLUS_R, 22160, { 22160, 16620, 11080, 5540, 3324, 0 } },
	{ PROFILE_DVD_PLUS_R_DL, 16620, { 11080, 8310, 5540, 3324, 0 } },
	{ PROFILE_BD_ROM, 53946, { 0 } },
	{ PROFILE_BD_R, 53946, { 53946, 35964, 26973, 17982, 8991, 0 } },
	{ PROFILE_BD_RE, 35964, { 8991, 0 } },
};

const uint32_t *info_write_speeds(const struct drive *drive)
{
	static const uint32_t none[1];

	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].profile == info_profile(drive))
			return speeds[i].write;
	return none;
}

uint32_t info_read_speed(const struct drive *drive)
{
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].profile == info_profile(drive))
			return speeds[i].read;
	return 0;
}

uint32_t mmc_write_kbps(const struct drive *drive)
{
	const uint32_t *speed = info_write_speeds(drive);
	uint32_t wanted = drive->state->write_kbps;

	if (wanted == 0)
		return speed[0];
	/* The next lower one that the medium knows; there's none below the lowest. */
	while (speed[0] > wanted && speed[1] != 0)
		speed++;
	return speed[0];
}

uint32_t mmc_read_kbps(const struct drive *drive)
{
	uint32_t fastest = info_read_speed(drive), wanted = drive->state->read_kbps;

	return wanted == 0 || wanted > fastest ? fastest : wanted;
}

/* --- GET PERFORMANCE ----------------------------------------------------------- */

static uint32_t last_sector(const struct drive *drive)
{
	const struct medium_state *disc = drive->medium.state;

	return disc && disc->capacity ? disc->capacity - 1 : 0;
}

/* Type 0: what is in effect, from the inner to the outer edge. */
static size_t put_nominal(const struct drive *drive, bool writing, uint8_t *at)
{
	uint32_t speed = writing ? mmc_write_kbps(drive) : mmc_read_kbps(drive);

	if (speed == 0)
		return 0;
	mmc_put32(at + 4, speed);
	mmc_put32(at + 8, last_sector(drive));
	mmc_put32(at + 12, speed);
	return 16;
}

/* Type 3: write speeds that may be chosen, for the whole medium. */
static size_t put_choice(const struct drive *drive, uint8_t *at)
{
	size_t length = 0;

	for (const uint32_t *speed = info_write_speeds(drive); *speed; speed++, length += 16) {
		at[length] = 0x02; /* exact */
		mmc_put32(at + length + 4, last_sector(drive));
		mmc_put32(at + length + 8, mmc_read_kbps(drive));
		mmc_put32(at + length + 12, *speed);
	}
	return length;
}

/* The length field tells of all descriptors, how many were wanted or not: programs ask twice. */
int info_get_performance(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	bool writing = cdb[1] & 4;
	uint8_t data[8 + 16 * 8] = { 0 };
	size_t length = 0;

	if (cdb[10] == 0x00) {
		data[4] = (uint8_t)((writing ? 2 : 0) | ((cdb[1] & 3) ? 1 : 0));
		if ((cdb[1] & 3) == 0) /* no exceptions from the nominal speed */
			length = put_nominal(drive, writing, data + 8);
	} else if (cdb[10] == 0x03)
		length = put_choice(drive, data + 8);
	else
		return mmc_fail(command, SENSE_BAD_FIELD);
	mmc_put32(data, (uint32_t)(4 + length));
	return mmc_reply(command, data, 8 + length, 8 + 16 * (size_t)mmc_be16(cdb + 8));
}

/* --- what the host chose ------------------------------------------------------- */

static uint32_t per_second(const uint8_t *at)
{
	return (uint32_t)((uint64_t)mmc_be32(at) * 1000 / mmc_be32(at + 4));
}

int info_set_streaming(struct drive *drive, struct command *command)
{
	const uint8_t *data = command->data;

	if (command->cdb[8] != 0 || mmc_be16(command->cdb + 9) != 28 || command->length < 28)
		return mmc_fail(command, SENSE(5, 0x1A, 0x00));
	command->transferred = 28;
	if (data[0] & 4) { /* back to defaults */
		drive->state->read_kbps = drive->state->write_kbps = 0;
		return 0;
	}
	if (mmc_be32(data + 4) > mmc_be32(data + 8) || mmc_be32(data + 16) == 0 || mmc_be32(data + 24) == 0)
		return mmc_fail(command, SENSE(5, 0x26, 0x00));
	drive->state->read_kbps = per_second(data + 12);
	drive->state->write_kbps = per_second(data + 20);
	return 0;
}

/* FFFFh is as fast as it goes. */
int info_set_cd_speed(struct drive *drive, struct command *command)
{
	uint32_t reading = mmc_be16(command->cdb + 2), writing = mmc_be16(command->cdb + 4);

	if ((command->cdb[1] & 3) > 1)
		return mmc_fail(command, SENSE_BAD_FIELD);
	drive->state->read_kbps = reading == 0xFFFF ? 0 : reading;
	drive->state->write_kbps = writing == 0xFFFF ? 0 : writing;
	return 0;
}
