/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET CONFIGURATION: profiles and features (MMC-5 5.3). A feature is current when it works with the medium in
 * its present state; programs go by that rather than by the medium's name. */
#include "mmc_info.h"

#include <string.h>

static const uint8_t profiles[] = {
	PROFILE_BD_RE,	       PROFILE_BD_R,	   PROFILE_BD_ROM,
	PROFILE_DVD_PLUS_R_DL, PROFILE_DVD_PLUS_R, PROFILE_DVD_PLUS_RW,
	PROFILE_DVD_R_DL,      PROFILE_DVD_RW,	   PROFILE_DVD_RW_OVERWRITE,
	PROFILE_DVD_RAM,       PROFILE_DVD_R,	   PROFILE_DVD_ROM,
	PROFILE_CD_RW,	       PROFILE_CD_R,	   PROFILE_CD_ROM,
};

/* --- when a feature is current ------------------------------------------------- */

static bool always(const struct drive *drive)
{
	(void)drive;
	return true;
}

static bool never(const struct drive *drive)
{
	(void)drive;
	return false;
}

static bool any_disc(const struct drive *drive)
{
	return drive->medium.state != NULL;
}

static bool has_data(const struct drive *drive)
{
	return drive->medium.state && drive->medium.state->status != DISC_EMPTY;
}

/* Sectors in any order. */
static bool random_writable(const struct drive *drive)
{
	return info_is_overwriteable(drive) && info_profile(drive) != PROFILE_DVD_RW_OVERWRITE &&
	       drive->medium.state->formatted > 0;
}

/* Appending: not on a DVD-RW that was blanked minimally, which takes one whole session (Disc At Once) only.
 */
static bool incremental(const struct drive *drive)
{
	const struct medium_state *disc = drive->medium.state;

	if (!disc || drive->medium.kind->overwrite || drive->medium.kind->closed || info_on_bd(drive))
		return false;
	return disc->status != DISC_COMPLETE && !disc->minimal;
}

static bool formattable(const struct drive *drive)
{
	uint32_t profile = info_profile(drive);

	return info_is_overwriteable(drive) || profile == PROFILE_DVD_RW ||
	       (profile == PROFILE_BD_R && drive->medium.state->status == DISC_EMPTY);
}

static bool defects_managed(const struct drive *drive)
{
	return info_profile(drive) == PROFILE_DVD_RAM ||
	       (info_on_bd(drive) && drive->medium.state->spare > 0);
}

static bool writable_cd(const struct drive *drive)
{
	return info_on_cd(drive) && info_is_writable(drive);
}

static bool writable_dash(const struct drive *drive)
{
	uint32_t profile = info_profile(drive);

	return info_is_writable(drive) && (profile == PROFILE_DVD_R || profile == PROFILE_DVD_R_DL ||
					   profile == PROFILE_DVD_RW || profile == PROFILE_DVD_RW_OVERWRITE);
}

static bool writable_bd(const struct drive *drive)
{
	return info_on_bd(drive) && info_is_writable(drive);
}

static bool writable_bd_r(const struct drive *drive)
{
	return info_profile(drive) == PROFILE_BD_R && info_is_writable(drive);
}

static bool protectable(const struct drive *drive)
{
	return info_is_overwriteable(drive) && info_profile(drive) != PROFILE_DVD_RW_OVERWRITE;
}

#define ON_PROFILE(name, which)                                                                              \
	static bool name(const struct drive *drive)                                                          \
	{                                                                                                    \
		return info_profile(drive) == (which);                                                       \
	}
ON_PROFILE(on_cd_rw, PROFILE_CD_RW)
ON_PROFILE(on_dvd_rw_overwrite, PROFILE_DVD_RW_OVERWRITE)
ON_PROFILE(on_dvd_plus_rw, PROFILE_DVD_PLUS_RW)
ON_PROFILE(on_dvd_rom, PROFILE_DVD_ROM)

static bool writable_plus_r(const struct drive *drive)
{
	return info_profile(drive) == PROFILE_DVD_PLUS_R && info_is_writable(drive);
}

static bool writable_plus_r_dl(const struct drive *drive)
{
	return info_profile(drive) == PROFILE_DVD_PLUS_R_DL && info_is_writable(drive);
}

/* --- what changes with the medium ---------------------------------------------- */

static void fill_profiles(const struct drive *drive, uint8_t *data)
{
	for (size_t i = 0; i < sizeof(profiles); i++) {
		data[4 * i + 1] = profiles[i];
		data[4 * i + 2] = info_profile(drive) == profiles[i];
	}
}

static uint32_t blocking(const struct drive *drive)
{
	return drive->medium.state ? drive->medium.kind->ecc : 16;
}

static void fill_readable(const struct drive *drive, uint8_t *data)
{
	mmc_put32(data, SECTOR);
	mmc_put16(data + 4, blocking(drive));
}

static void fill_random_writable(const struct drive *drive, uint8_t *data)
{
	uint32_t sectors = info_is_overwriteable(drive) ? drive->medium.state->formatted : 0;

	mmc_put32(data, sectors ? sectors - 1 : 0);
	mmc_put32(data + 4, SECTOR);
	mmc_put16(data + 8, blocking(drive));
}

/* One link size: 7 sectors on CD, the 16 of an ECC block on DVD. */
static void fill_incremental(const struct drive *drive, uint8_t *data)
{
	data[4] = info_on_cd(drive) ? 7 : 16;
}

static void fill_serial(const struct drive *drive, uint8_t *data)
{
	size_t length = strlen(drive->state->serial);

	memset(data, ' ', 16);
	memcpy(data, drive->state->serial, length < 16 ? length : 16);
}

/* --- all features -------------------------------------------------------------- */

static const struct feature {
	uint16_t code;
	uint8_t version, persistent;
	bool (*current)(const struct drive *drive);
	uint8_t length;
	uint8_t data[28];
	void (*fill)(const struct drive *drive, uint8_t *data); /* over that */
} features[] = {
	{ 0x0000, 0, 1, always, 4 * sizeof(profiles), { 0 }, fill_profiles },
	/* core: Serial ATAPI; INQ2 and DBE */
	{ 0x0001, 2, 1, always, 8, { 0, 0, 0, 7, 3 }, NULL },
	/* morphing: operational change events */
	{ 0x0002, 1, 1, always, 4, { 2 }, NULL },
	/* removable medium: tray, eject, lock */
	{ 0x0003, 1, 1, always, 4, { 0x29 }, NULL },
	{ 0x0004, 2, 0, protectable, 4, { 0x02 }, NULL },
	{ 0x0010, 0, 0, has_data, 8, { 0, 0, 8, 0, 0, 0, 1, 0 }, fill_readable },
	{ 0x001D, 0, 0, info_on_cd, 0, { 0 }, NULL },
	{ 0x001E, 2, 0, info_on_cd, 4, { 0 }, NULL },
	{ 0x001F, 1, 0, info_on_dvd, 4, { 1, 0, 1, 0 }, NULL },
	{ 0x0020, 1, 0, random_writable, 12, { 0 }, fill_random_writable },
	/* incremental streaming: data block type 8, burn-free; one link size */
	{ 0x0021, 3, 0, incremental, 8, { 0x01, 0x00, 0x01, 1, 16 }, fill_incremental },
	/* formattable: on BD-RE certification, expansion of the spare area, none at all */
	{ 0x0023, 1, 0, formattable, 8, { 0x0F, 0, 0, 0, 0, 0, 0, 0 }, NULL },
	{ 0x0024, 1, 0, defects_managed, 4, { 0x80 }, NULL },
	{ 0x0025, 0, 0, writable_bd_r, 8, { 0, 0, 8, 0, 0, 32, 1, 0 }, NULL },
	{ 0x0026, 0, 0, on_dvd_rw_overwrite, 0, { 0 }, NULL },
	{ 0x0027, 0, 0, on_cd_rw, 4, { 0 }, NULL },
	{ 0x002A, 0, 0, on_dvd_plus_rw, 4, { 1, 0 }, NULL },
	{ 0x002B, 0, 0, writable_plus_r, 4, { 1 }, NULL },
	/* rigid restricted overwrite: blank, intermediate */
	{ 0x002C, 0, 0, on_dvd_rw_overwrite, 4, { 0x03 }, NULL },
	/* CD track at once: burn-free, test write, CD-RW; data block type 8 */
	{ 0x002D, 2, 0, writable_cd, 4, { 0x46, 0, 0x01, 0x00 }, NULL },
	/* CD mastering: burn-free, session at once, test write, CD-RW; bytes of a cue sheet */
	{ 0x002E, 0, 0, writable_cd, 4, { 0x66, 0, 0x04, 0x00 }, NULL },
	/* DVD-R/-RW: burn-free, dual layer, test write, DVD-RW */
	{ 0x002F, 2, 0, writable_dash, 4, { 0x4E }, NULL },
	/* CD-RW of normal, high, ultra and ultra+ speed */
	{ 0x0037, 0, 0, on_cd_rw, 4, { 0, 0x0F }, NULL },
	{ 0x0038, 0, 0, never, 4, { 0 }, NULL },
	{ 0x003B, 0, 0, writable_plus_r_dl, 4, { 1 }, NULL },
	/* BD read: versions of BD-RE (class 0: 2 and 3), BD-R (1 and 2), BD-ROM (1) */
	{ 0x0040, 1, 0, info_on_bd, 28, { [5] = 0x0C, [13] = 0x06, [21] = 0x02 }, NULL },
	{ 0x0041, 1, 0, writable_bd, 20, { [5] = 0x0C, [13] = 0x06 }, NULL },
	{ 0x0100, 0, 1, always, 0, { 0 }, NULL },
	{ 0x0104, 1, 1, always, 4, { 1 }, NULL },
	{ 0x0105, 1, 1, always, 4, { 0 }, NULL },
	{ 0x0106, 0, 0, on_dvd_rom, 4, { 0, 0, 0, 1 }, NULL },
	/* real time streaming: buffer capacity, SET CD SPEED, page 2A, write speed descriptors, streamed
	   writing */
	{ 0x0107, 4, 0, any_disc, 4, { 0x1F }, NULL },
	{ 0x0108, 0, 1, always, 16, { 0 }, fill_serial },
	/* firmware date */
	{ 0x010C,
	  0,
	  1,
	  always,
	  16,
	  { '2', '0', '2', '6', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0' },
	  NULL },
};

static size_t put_feature(const struct drive *drive, const struct feature *feature, uint8_t *at)
{
	mmc_put16(at, feature->code);
	at[2] = (uint8_t)(feature->version << 2 | (feature->persistent ? 2 : 0) |
			  (feature->current(drive) ? 1 : 0));
	at[3] = feature->length;
	memset(at + 4, 0, feature->length);
	memcpy(at + 4, feature->data,
	       feature->length < sizeof(feature->data) ? feature->length : sizeof(feature->data));
	if (feature->fill)
		feature->fill(drive, at + 4);
	return 4 + (size_t)feature->length;
}

int info_get_configuration(struct drive *drive, struct command *command)
{
	unsigned kind = command->cdb[1] & 3, first = mmc_be16(command->cdb + 2);
	uint8_t data[1024] = { 0 };
	size_t length = 8;

	if (kind == 3)
		return mmc_fail(command, SENSE_BAD_FIELD);
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const struct feature *feature = &features[i];

		if (kind == 2 ? feature->code != first : feature->code < first)
			continue;
		if (kind == 1 && !feature->current(drive))
			continue;
		length += put_feature(drive, feature, data + length);
	}
	mmc_put32(data, (uint32_t)length - 4);
	mmc_put16(data + 6, info_profile(drive));
	return mmc_reply(command, data, length, mmc_be16(command->cdb + 7));
}
