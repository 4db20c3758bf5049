/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of what a drive tells, and the small ones among its commands: who it is, its events, its buffer.
 */
#include "mmc_info.h"

#include <string.h>

/* --- who it is ----------------------------------------------------------------- */

/* Strings in INQUIRY data are padded with blanks (SPC-3 4.4.1). */
static void put_text(uint8_t *at, const char *text, size_t room)
{
	size_t length = strlen(text);

	memset(at, ' ', room);
	memcpy(at, text, length < room ? length : room);
}

static int inquiry_standard(struct drive *drive, struct command *command)
{
	const struct drive_state *state = drive->state;
	uint8_t data[96] = { [0] = 0x05, [1] = 0x80, [2] = 0x05, [3] = 0x02, [4] = sizeof(data) - 5 };

	put_text(data + 8, state->vendor, 8);
	put_text(data + 16, state->product, 16);
	put_text(data + 32, state->revision, 4);
	/* Version descriptors: SPC-3, MMC-5. */
	mmc_put16(data + 58, 0x0300);
	mmc_put16(data + 60, 0x0420);
	return mmc_reply(command, data, sizeof(data), mmc_be16(command->cdb + 3));
}

static size_t vital_pages(const struct drive *drive, uint8_t *page)
{
	(void)drive;
	memcpy(page, (const uint8_t[]){ 0x00, 0x80, 0x83 }, 3);
	return 3;
}

static size_t vital_serial(const struct drive *drive, uint8_t *page)
{
	put_text(page, drive->state->serial, 16);
	return 16;
}

/* One designator: T10 vendor identification, in ASCII. */
static size_t vital_identity(const struct drive *drive, uint8_t *page)
{
	page[0] = 0x02;
	page[1] = 0x01;
	page[3] = 40;
	put_text(page + 4, drive->state->vendor, 8);
	put_text(page + 12, drive->state->product, 16);
	put_text(page + 28, drive->state->serial, 16);
	return 44;
}

static const struct {
	uint8_t code;
	size_t (*fill)(const struct drive *drive, uint8_t *page);
} vital[] = { { 0x00, vital_pages }, { 0x80, vital_serial }, { 0x83, vital_identity } };

static int info_inquiry(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	uint8_t data[64] = { 0x05, cdb[2] };

	if (!(cdb[1] & 1))
		return cdb[2] ? mmc_fail(command, SENSE_BAD_FIELD) : inquiry_standard(drive, command);
	for (size_t i = 0; i < sizeof(vital) / sizeof(vital[0]); i++)
		if (vital[i].code == cdb[2]) {
			size_t length = vital[i].fill(drive, data + 4);

			mmc_put16(data + 2, (uint32_t)length);
			return mmc_reply(command, data, 4 + length, mmc_be16(cdb + 3));
		}
	return mmc_fail(command, SENSE_BAD_FIELD);
}

static int info_report_luns(struct drive *drive, struct command *command)
{
	const uint8_t data[16] = { [3] = 8 };

	(void)drive;
	if (mmc_be32(command->cdb + 6) < 16)
		return mmc_fail(command, SENSE_BAD_FIELD);
	return mmc_reply(command, data, sizeof(data), mmc_be32(command->cdb + 6));
}

/* --- what happened ------------------------------------------------------------- */

/* Classes of GET EVENT STATUS NOTIFICATION (MMC-5 6.7.1): a descriptor of four bytes each. */
static void event_none(struct drive *drive, uint8_t *event)
{
	(void)drive;
	(void)event;
}

static void event_power(struct drive *drive, uint8_t *event)
{
	(void)drive;
	event[1] = 1; /* active */
}

/* A media event is told once; new media not before the disc is ready (MMC-5 table 228). */
static void event_media(struct drive *drive, uint8_t *event)
{
	struct drive_state *state = drive->state;

	event[1] = (uint8_t)((state->tray_open ? 1 : 0) | (drive->medium.state ? 2 : 0));
	if (state->event == 2 && state->loading > 0)
		return;
	event[0] = state->event;
	state->event = 0;
}

static void (*const event_classes[8])(struct drive *drive, uint8_t *event) = {
	[1] = event_none, /* operational change */
	[2] = event_power,
	[4] = event_media,
	[6] = event_none, /* device busy */
};

/* The lowest class that has something to tell, else the lowest one that was asked for. */
static int event_choose(struct drive *drive, uint8_t wanted, uint8_t *event)
{
	int class = -1;

	for (int i = 0; i < 8; i++)
		if ((wanted & 1u << i) && event_classes[i]) {
			uint8_t here[4] = { 0 };

			event_classes[i](drive, here);
			if (class < 0 || here[0])
				memcpy(event, here, sizeof(here));
			if (class < 0 || here[0])
				class = i;
			if (here[0])
				break;
		}
	return class;
}

static int info_event_status(struct drive *drive, struct command *command)
{
	uint8_t data[8] = { 0 };
	int class;

	if (!(command->cdb[1] & 1)) /* only polling is done by anybody */
		return mmc_fail(command, SENSE_BAD_FIELD);
	for (int i = 0; i < 8; i++)
		data[3] |= (uint8_t)(event_classes[i] ? 1u << i : 0);
	/* With less room than an event needs, only the header is told, and no event is lost. */
	class = event_choose(drive, mmc_be16(command->cdb + 7) > 4 ? command->cdb[4] : 0, data + 4);
	data[1] = class < 0 ? 2 : 6;
	data[2] = class < 0 ? 0x80 : (uint8_t) class;
	return mmc_reply(command, data, class < 0 ? 4 : 8, mmc_be16(command->cdb + 7));
}

static int info_mechanism(struct drive *drive, struct command *command)
{
	uint8_t data[8] = { [1] = drive->state->tray_open ? 0x10 : 0x00 };

	return mmc_reply(command, data, sizeof(data), mmc_be16(command->cdb + 8));
}

static int info_buffer_capacity(struct drive *drive, struct command *command)
{
	bool blocks = command->cdb[1] & 1;
	uint32_t unit = blocks ? 1 : SECTOR;
	uint8_t data[12] = { [1] = sizeof(data) - 2, [3] = blocks };

	mmc_put32(data + 4, CACHE_SECTORS * unit);
	mmc_put32(data + 8, (CACHE_SECTORS - drive->state->cached_count) * unit);
	return mmc_reply(command, data, sizeof(data), mmc_be16(command->cdb + 7));
}

/* --- what a burner does without ------------------------------------------------ */

/* OPC takes a place in the test area of write-once media, which no program can see; data stay as they are. */
static int info_send_opc(struct drive *drive, struct command *command)
{
	if (!info_is_writable(drive))
		return mmc_fail(command, SENSE(5, 0x30, 0x05)); /* cannot write medium: incompatible format */
	if (!(command->cdb[1] & 1) && command->length % 8 != 0)
		return mmc_fail(command, SENSE(5, 0x1A, 0x00));
	command->transferred = command->cdb[1] & 1 ? 0 : command->length;
	return 0;
}

/* Region state of a drive on which none was set; keys exist for DVD-Video only. */
static int info_report_key(struct drive *drive, struct command *command)
{
	const uint8_t region[8] = { [1] = 6, [4] = 4 << 3 | 5, [5] = 0xFF, [6] = 1 };
	uint8_t format = command->cdb[10] & 0x3F;

	(void)drive;
	if (format == 0x3F) /* an authentication is forgotten: there's none */
		return 0;
	if (format != 0x08 || command->cdb[7] != 0)
		return mmc_fail(command, SENSE(5, 0x6F, 0x01)); /* key not present */
	return mmc_reply(command, region, sizeof(region), mmc_be16(command->cdb + 8));
}

static int info_refuse_field(struct drive *drive, struct command *command)
{
	(void)drive;
	return mmc_fail(command, SENSE_BAD_FIELD);
}

static int info_refuse(struct drive *drive, struct command *command)
{
	(void)drive;
	return mmc_fail(command, SENSE_BAD_OPCODE);
}

/* What touches the description of the disc lets the cache go out first, so that it's true. */
const struct mmc_command mmc_information[] = {
	{ 0x12, "INQUIRY", ANY_TIME | KEEPS_CACHE, info_inquiry },
	{ 0x15, "MODE SELECT(6)", 0, info_mode_select6 },
	{ 0x1A, "MODE SENSE(6)", KEEPS_CACHE, info_mode_sense6 },
	{ 0x25, "READ CAPACITY", NEEDS_DISC | KEEPS_CACHE, info_capacity },
	{ 0x42, "READ SUB-CHANNEL", NEEDS_DISC | KEEPS_CACHE, info_read_subchannel },
	{ 0x43, "READ TOC/PMA/ATIP", NEEDS_DISC, info_read_toc },
	{ 0x44, "READ HEADER", NEEDS_DISC, info_read_header },
	{ 0x46, "GET CONFIGURATION", ANY_TIME | KEEPS_CACHE, info_get_configuration },
	{ 0x4A, "GET EVENT STATUS", ANY_TIME | KEEPS_CACHE, info_event_status },
	{ 0x4D, "LOG SENSE", 0, info_refuse },
	{ 0x51, "READ DISC INFORMATION", NEEDS_DISC, info_disc_information },
	{ 0x52, "READ TRACK INFORMATION", NEEDS_DISC, info_track_information },
	{ 0x54, "SEND OPC INFORMATION", NEEDS_DISC, info_send_opc },
	{ 0x55, "MODE SELECT(10)", 0, info_mode_select10 },
	{ 0x5A, "MODE SENSE(10)", KEEPS_CACHE, info_mode_sense10 },
	{ 0x5C, "READ BUFFER CAPACITY", NEEDS_DISC | KEEPS_CACHE, info_buffer_capacity },
	{ 0xA0, "REPORT LUNS", ANY_TIME | KEEPS_CACHE, info_report_luns },
	{ 0xA3, "SEND KEY", NEEDS_DISC | KEEPS_CACHE, info_refuse_field },
	{ 0xA4, "REPORT KEY", KEEPS_CACHE, info_report_key },
	{ 0xAB, "READ MEDIA SERIAL NUMBER", KEEPS_CACHE, info_refuse },
	{ 0xAC, "GET PERFORMANCE", KEEPS_CACHE, info_get_performance },
	{ 0xAD, "READ DISC STRUCTURE", NEEDS_DISC | KEEPS_CACHE, info_read_structure },
	{ 0xB6, "SET STREAMING", KEEPS_CACHE, info_set_streaming },
	{ 0xBB, "SET CD SPEED", KEEPS_CACHE, info_set_cd_speed },
	{ 0xBD, "MECHANISM STATUS", KEEPS_CACHE, info_mechanism },
	{ 0xBF, "SEND DISC STRUCTURE", NEEDS_DISC, info_send_structure },
	{ 0, NULL, 0, NULL },
};
