/* SPDX-License-Identifier: GPL-2.0-or-later */
/* READ DISC STRUCTURE: what the lead-in and the groove say of a DVD or BD, and SEND DISC STRUCTURE. The
 * makers' codes are invented ones. */
#include "mmc_info.h"

#include <string.h>

/* Physical sector numbers of the first user sector (ECMA-267, ECMA-272). */
#define DVD_START     0x30000u
#define DVD_RAM_START 0x31000u
#define BD_START      0x100000u

#define ON(profile) (1ull << (profile))
#define ON_RECORDABLE_DASH                                                                                   \
	(ON(PROFILE_DVD_R) | ON(PROFILE_DVD_R_DL) | ON(PROFILE_DVD_RW) | ON(PROFILE_DVD_RW_OVERWRITE))
#define ON_PLUS (ON(PROFILE_DVD_PLUS_RW) | ON(PROFILE_DVD_PLUS_R) | ON(PROFILE_DVD_PLUS_R_DL))
#define ON_DVD	(ON_RECORDABLE_DASH | ON_PLUS | ON(PROFILE_DVD_ROM) | ON(PROFILE_DVD_RAM))
/* BD's profile numbers don't fit a word of bits: they count from here. */
#define BD_BIT(profile) ((profile)-PROFILE_BD_ROM + 48)
#define ON_BD_R		(1ull << BD_BIT(PROFILE_BD_R))
#define ON_BD_RE	(1ull << BD_BIT(PROFILE_BD_RE))
#define ON_BD		(ON_BD_R | ON_BD_RE | 1ull << BD_BIT(PROFILE_BD_ROM))
#define ON_PROTECTABLE	(ON(PROFILE_DVD_RAM) | ON(PROFILE_DVD_PLUS_RW) | ON_BD_R | ON_BD_RE)

static uint64_t profile_bit(const struct drive *drive)
{
	uint32_t profile = info_profile(drive);

	return 1ull << (profile >= PROFILE_BD_ROM ? BD_BIT(profile) : profile);
}

/* --- DVD ----------------------------------------------------------------------- */

static const struct {
	enum profile profile;
	uint8_t book, layers, layer_type; /* layer types: 1 embossed, 2 recordable, 4 rewritable */
	uint8_t opposite;		  /* track path of two layers */
} books[] = {
	{ PROFILE_DVD_ROM, 0x01, 1, 1, 0 },	  { PROFILE_DVD_R, 0x25, 1, 2, 0 },
	{ PROFILE_DVD_RAM, 0x16, 1, 4, 0 },	  { PROFILE_DVD_RW_OVERWRITE, 0x33, 1, 4, 0 },
	{ PROFILE_DVD_RW, 0x33, 1, 4, 0 },	  { PROFILE_DVD_R_DL, 0x26, 2, 2, 1 },
	{ PROFILE_DVD_PLUS_RW, 0x92, 1, 4, 0 },	  { PROFILE_DVD_PLUS_R, 0xA1, 1, 2, 0 },
	{ PROFILE_DVD_PLUS_R_DL, 0xE1, 2, 2, 1 },
};

static uint32_t dvd_start(const struct drive *drive)
{
	return info_profile(drive) == PROFILE_DVD_RAM ? DVD_RAM_START : DVD_START;
}

/* ADIP and lead-in of DVD+ name the maker: 8 bytes, 3 of the type, the revision. */
static void put_plus_maker(uint8_t *data)
{
	memcpy(data + 19, "MMCSIM\0\0", 8);
	memcpy(data + 27, "S01", 3);
	data[30] = 1;
}

/* Physical format information for user sectors up to end; 0: nothing yet. */
static void put_physical(const struct drive *drive, uint32_t end, uint8_t *data)
{
	size_t row = 0;

	while (row + 1 < sizeof(books) / sizeof(books[0]) && books[row].profile != info_profile(drive))
		row++;
	data[0] = books[row].book;
	data[1] = 0x0F; /* 120 mm; no maximum rate */
	data[2] = (uint8_t)((books[row].layers - 1) << 5 | books[row].opposite << 4 | books[row].layer_type);
	mmc_put24(data + 5, dvd_start(drive));
	mmc_put24(data + 9, end ? dvd_start(drive) + end - 1 : 0);
	if (books[row].layers == 2)
		mmc_put24(data + 13, dvd_start(drive) + drive->medium.state->capacity / 2 - 1);
	if (profile_bit(drive) & ON_PLUS)
		put_plus_maker(data);
}

/* Format 00: as the last lead-in or border-in has it. */
static size_t dvd_physical(const struct drive *drive, uint8_t *data)
{
	const struct medium_state *disc = drive->medium.state;
	uint32_t end = info_leadout(disc, info_complete_sessions(disc));

	if (info_is_overwriteable(drive))
		end = disc->formatted;
	if (profile_bit(drive) & ON_PLUS) /* from the groove: all of the disc */
		end = disc->capacity;
	put_physical(drive, end, data);
	return SECTOR;
}

/* Format 10: the control data zone that was made with the disc. */
static size_t dvd_control(const struct drive *drive, uint8_t *data)
{
	put_physical(drive, drive->medium.state->capacity, data);
	return SECTOR;
}

static size_t dvd_copyright(const struct drive *drive, uint8_t *data)
{
	(void)drive;
	(void)data;
	return 4; /* none, all regions */
}

static size_t zeros_sector(const struct drive *drive, uint8_t *data)
{
	(void)drive;
	(void)data;
	return SECTOR;
}

/* DVD-RAM: no cartridge. */
static size_t ram_status(const struct drive *drive, uint8_t *data)
{
	data[0] = drive->medium.state->write_protected ? 0x02 : 0;
	return 4;
}

static size_t ram_spare(const struct drive *drive, uint8_t *data)
{
	(void)drive;
	mmc_put32(data, 12800);
	return 12;
}

/* Recording management data: its first field has the disc's status. */
static size_t dash_rmd(const struct drive *drive, uint8_t *data)
{
	mmc_put16(data, info_is_overwriteable(drive) ? 2 : 1);
	data[2] = drive->medium.state->status == DISC_EMPTY ? 0 : 1;
	memcpy(data + 0x80, "MMCSIM", 6);
	return SECTOR;
}

/* The land pre-pits: fields of eight bytes, of which 3 and 4 have the maker. */
static size_t dash_prerecorded(const struct drive *drive, uint8_t *data)
{
	(void)drive;
	for (uint8_t field = 0; field < 5; field++)
		data[8 * field] = (uint8_t)(field + 1);
	mmc_put24(data + 1, DVD_START);
	memcpy(data + 17, "MMCSIM", 6);
	memcpy(data + 25, "DASH01", 6);
	return 40;
}

static size_t plus_adip(const struct drive *drive, uint8_t *data)
{
	put_physical(drive, drive->medium.state->capacity, data);
	return 256;
}

/* Where the layers meet; fixed as soon as something is recorded. */
static size_t plus_boundary(const struct drive *drive, uint8_t *data)
{
	data[0] = drive->medium.state->status == DISC_EMPTY ? 0 : 0x80;
	mmc_put32(data + 4, drive->medium.state->capacity / 2);
	return 8;
}

/* DVD-R DL: middle area, jump interval, jump and remapping addresses: sequential recording uses the first
 * only. */
static size_t dash_middle(const struct drive *drive, uint8_t *data)
{
	data[0] = 0x80;
	mmc_put32(data + 4, drive->medium.state->capacity / 2 - 1);
	return 8;
}

static size_t dash_no_jump(const struct drive *drive, uint8_t *data)
{
	(void)drive;
	(void)data;
	return 8;
}

/* --- BD ------------------------------------------------------------------------ */

static void put_bd_addresses(uint8_t *at, uint32_t sectors)
{
	/* Physical ADIP addresses count in clusters of 32 sectors by 2. */
	mmc_put32(at, BD_START / 16);
	mmc_put32(at + 4, BD_START / 16 + sectors / 16 - 2);
}

/* Format 00: one unit of disc information. */
static size_t bd_information(const struct drive *drive, uint8_t *data)
{
	static const char *const types[] = { "BDO", "BDR", "", "BDW" };
	uint32_t profile = info_profile(drive);

	memcpy(data, "DI", 2);
	data[2] = 1;
	data[4] = 1;
	data[6] = 0x59; /* bytes of this unit in use */
	memcpy(data + 8, types[profile - PROFILE_BD_ROM], 3);
	data[11] = 0x01; /* 120 mm, version 1 */
	data[12] = 0x10 | (profile == PROFILE_BD_ROM ? 1 : profile == PROFILE_BD_R ? 2 : 4);
	data[13] = 0x01; /* 25 GB a layer */
	put_bd_addresses(data + 24, drive->medium.state->capacity);
	memcpy(data + 100, "MMCSIM", 6);
	memcpy(data + 106, profile == PROFILE_BD_RE ? "RE1" : "R01", 3);
	data[111] = 1;
	return 4096;
}

static size_t bd_definition(const struct drive *drive, uint8_t *data)
{
	memcpy(data, "DS", 2);
	mmc_put32(data + 24, drive->medium.state->spare);
	return SECTOR;
}

static size_t bd_cartridge(const struct drive *drive, uint8_t *data)
{
	(void)drive;
	(void)data;
	return 4;
}

static size_t bd_spare(const struct drive *drive, uint8_t *data)
{
	mmc_put32(data + 4, drive->medium.state->spare);
	mmc_put32(data + 8, drive->medium.state->spare);
	return 12;
}

/* --- both ---------------------------------------------------------------------- */

static size_t protection(const struct drive *drive, uint8_t *data)
{
	data[0] = drive->medium.state->write_protected ? 0x02 : 0;
	return 4;
}

static size_t structure_list(const struct drive *drive, uint8_t *data);

#define READABLE 0x40 /* RDS */
#define SENDABLE 0x80 /* SDS */

static const struct structure {
	uint8_t format, how;
	uint64_t on;
	size_t (*fill)(const struct drive *drive, uint8_t *data); /* into zeroes; the length */
} structures[] = {
	{ 0x00, READABLE, ON_DVD, dvd_physical },
	{ 0x01, READABLE, ON_DVD, dvd_copyright },
	{ 0x04, READABLE, ON(PROFILE_DVD_ROM) | ON_RECORDABLE_DASH | ON_PLUS, zeros_sector },
	{ 0x08, READABLE, ON(PROFILE_DVD_RAM), zeros_sector },
	{ 0x09, READABLE, ON(PROFILE_DVD_RAM), ram_status },
	{ 0x0A, READABLE, ON(PROFILE_DVD_RAM), ram_spare },
	{ 0x0B, READABLE, ON(PROFILE_DVD_RAM), dvd_copyright },
	{ 0x0C, READABLE, ON_RECORDABLE_DASH, dash_rmd },
	{ 0x0D, READABLE, ON_RECORDABLE_DASH, dash_rmd },
	{ 0x0E, READABLE, ON_RECORDABLE_DASH, dash_prerecorded },
	{ 0x0F, SENDABLE, ON_RECORDABLE_DASH | ON_PLUS | ON_BD_R | ON_BD_RE, NULL },
	{ 0x10, READABLE, ON_RECORDABLE_DASH, dvd_control },
	{ 0x11, READABLE, ON_PLUS, plus_adip },
	{ 0x20, READABLE | SENDABLE, ON(PROFILE_DVD_PLUS_R_DL), plus_boundary },
	{ 0x21, READABLE, ON(PROFILE_DVD_R_DL), dash_middle },
	{ 0x22, READABLE, ON(PROFILE_DVD_R_DL), dash_no_jump },
	{ 0x23, READABLE, ON(PROFILE_DVD_R_DL), dash_no_jump },
	{ 0x24, READABLE, ON(PROFILE_DVD_R_DL), dash_no_jump },
	{ 0x00, READABLE, ON_BD, bd_information },
	{ 0x08, READABLE, ON_BD_R | ON_BD_RE, bd_definition },
	{ 0x09, READABLE, ON_BD_R | ON_BD_RE, bd_cartridge },
	{ 0x0A, READABLE, ON_BD_R | ON_BD_RE, bd_spare },
	{ 0xC0, READABLE | SENDABLE, ON_PROTECTABLE, protection },
	{ 0xFF, READABLE, ON_DVD | ON_BD, structure_list },
};
#define STRUCTURES (sizeof(structures) / sizeof(structures[0]))

static size_t structure_list(const struct drive *drive, uint8_t *data)
{
	uint8_t scratch[4096];
	size_t length = 0;

	for (size_t i = 0; i + 1 < STRUCTURES; i++) {
		if (!(structures[i].on & profile_bit(drive)))
			continue;
		data[length] = structures[i].format;
		data[length + 1] = structures[i].how;
		memset(scratch, 0, sizeof(scratch));
		mmc_put16(data + length + 2,
			  (uint32_t)(structures[i].fill ? structures[i].fill(drive, scratch) : 0) + 2);
		length += 4;
	}
	return length;
}

static const struct structure *structure_find(const struct drive *drive, uint8_t format, uint8_t how)
{
	for (size_t i = 0; i < STRUCTURES; i++)
		if (structures[i].format == format && (structures[i].how & how) &&
		    (structures[i].on & profile_bit(drive)))
			return &structures[i];
	return NULL;
}

int info_read_structure(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	const struct structure *structure;
	uint8_t data[4 + 4096] = { 0 };
	size_t length;

	if (info_on_cd(drive) || (cdb[1] & 0xF) != (info_on_bd(drive) ? 1 : 0))
		return mmc_fail(command, SENSE(5, 0x30, 0x02)); /* cannot read medium: incompatible format */
	structure = structure_find(drive, cdb[7], READABLE);
	if (!structure)
		return mmc_fail(command, SENSE_BAD_FIELD);
	length = structure->fill(drive, data + 4);
	mmc_put16(data, (uint32_t)length + 2);
	return mmc_reply(command, data, 4 + length, mmc_be16(cdb + 8));
}

/* A time stamp, the place where layers meet (on a blank disc only), write protection. */
int info_send_structure(struct drive *drive, struct command *command)
{
	const uint8_t *cdb = command->cdb;
	struct medium_state *disc = drive->medium.state;
	size_t length = mmc_be16(cdb + 8);

	if (!structure_find(drive, cdb[7], SENDABLE))
		return mmc_fail(command, SENSE_BAD_FIELD);
	if (length < 8 || command->length < length || mmc_be16(command->data) + 2 > length)
		return mmc_fail(command, SENSE(5, 0x1A, 0x00));
	command->transferred = length;
	if (!info_is_writable(drive))
		return mmc_fail(command, SENSE(5, 0x30, 0x05)); /* cannot write medium: incompatible format */
	if (cdb[7] == 0x20 &&
	    (length < 12 || disc->status != DISC_EMPTY || mmc_be32(command->data + 8) > disc->capacity / 2 ||
	     mmc_be32(command->data + 8) % 16 != 0))
		return mmc_fail(command, SENSE(5, 0x26, 0x00));
	if (cdb[7] == 0xC0)
		disc->write_protected = (command->data[4] & 0x02) != 0;
	return 0;
}
