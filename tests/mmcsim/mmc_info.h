/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a drive tells: the handlers of mmc_information[], and what their files share about the medium. All of
 * it is derived from struct drive_state and struct medium_state; nothing is remembered here. */
#pragma once

#include "mmc.h"

/* Profile of the medium, PROFILE_NONE without one. */
uint32_t info_profile(const struct drive *drive);
bool info_on_cd(const struct drive *drive);
bool info_on_dvd(const struct drive *drive);
bool info_on_bd(const struct drive *drive);
/* It can be written to as it is, or after BLANK or FORMAT UNIT. */
bool info_is_writable(const struct drive *drive);
/* BLANK or FORMAT UNIT make room again. */
bool info_is_erasable(const struct drive *drive);
bool info_is_overwriteable(const struct drive *drive);

/* Sessions with a lead-out; an open or empty one doesn't count. */
uint32_t info_complete_sessions(const struct medium_state *disc);
/* Those tracks come first in disc->track: how many they are. */
uint32_t info_complete_tracks(const struct medium_state *disc);
/* First track of a session, counted from 1; NULL where there's none. */
const struct track *info_first_track(const struct medium_state *disc, uint32_t session);
/* CD: as the lead-in has it. */
uint8_t info_disc_type(const struct medium_state *disc);
/* Where a session's lead-out begins. */
uint32_t info_leadout(const struct medium_state *disc, uint32_t session);

/* Where CDs tell addresses as time: 0, minute, second, frame; the lead-in's are above 90 minutes. */
void info_put_msf(uint8_t *at, int64_t lba);
/* The same as LBA where time isn't wanted. */
void info_put_address(uint8_t *at, uint32_t lba, bool msf);
/* Start of the lead-in, as a CD's wobble (ATIP) has it: 0, minute, second, frame. */
extern const uint8_t info_atip_lead_in[4];

/* Speeds in kB/s, of a medium of that kind: falling, ended by 0. */
const uint32_t *info_write_speeds(const struct drive *drive);
uint32_t info_read_speed(const struct drive *drive); /* the fastest */

#define HANDLER(name) int name(struct drive *drive, struct command *command)
/* mmc_disc.c */
HANDLER(info_disc_information);
HANDLER(info_track_information);
HANDLER(info_capacity);
/* mmc_speed.c */
HANDLER(info_get_performance);
HANDLER(info_set_streaming);
HANDLER(info_set_cd_speed);
/* mmc_config.c */
HANDLER(info_get_configuration);
/* mmc_mode.c */
HANDLER(info_mode_sense6);
HANDLER(info_mode_sense10);
HANDLER(info_mode_select6);
HANDLER(info_mode_select10);
/* mmc_toc.c */
HANDLER(info_read_toc);
HANDLER(info_read_subchannel);
HANDLER(info_read_header);
/* mmc_structure.c */
HANDLER(info_read_structure);
HANDLER(info_send_structure);
#undef HANDLER
