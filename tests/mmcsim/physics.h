/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the recording group share: cache, tracks and sessions, mode page 05. */
#pragma once

#include "mmc.h"

/* Write types of mode page 05 (MMC-5 table 665). */
enum write_type { WRITE_INCREMENTAL = 0, WRITE_TRACK_AT_ONCE = 1, WRITE_SESSION_AT_ONCE = 2, WRITE_RAW = 3 };

enum write_type page_write_type(const struct drive_state *state);
bool page_test_write(const struct drive_state *state);
bool page_multisession(const struct drive_state *state); /* another session may follow */
/* A data track, and a data block of 2048 bytes: mode 1, or mode 2 form 1. */
bool page_is_data(const struct drive_state *state);
bool page_is_xa(const struct drive_state *state);

/* cache.c: before a sector goes to or comes from the medium, the rules are asked. They may even take power or
 * medium away: then what was in the cache is gone, and nothing goes on. */
enum sector_fate { FATE_FINE, FATE_FAILED, FATE_INTERRUPTED };
enum sector_fate sector_touch(struct drive *drive, uint32_t lba, bool writing, struct sense *ret);

/* Puts a run into the buffer; the oldest goes out when it's full. */
bool cache_write(struct drive *drive, uint32_t lba, const uint8_t *data, uint32_t count, struct sense *ret);
/* Nothing stays behind, the incomplete block neither. */
bool cache_empty(struct drive *drive, struct sense *ret);
/* Where it lies in the cache, or NULL. */
const uint8_t *cache_find(struct drive *drive, uint32_t lba);

/* session.c: tracks and sessions of sequential media. */
void session_blank(struct medium *medium);			     /* one empty session all over the disc */
void session_overwriteable(struct medium *medium, uint32_t sectors); /* formatted: one complete track */
struct track *session_append_track(struct medium *medium, uint32_t start);
void track_begin(struct medium *medium, struct track *track); /* the first sector of it is written */
void track_reserve(struct medium *medium, struct track *track, uint32_t size);
void track_close(struct medium *medium, struct track *track);
void track_damage(struct medium *medium, struct track *track);
/* The first track of the last session in that state, or NULL. */
struct track *session_track(const struct medium *medium, enum track_state state);
bool session_is_empty(const struct medium *medium); /* nothing written or reserved in the last one */
void session_close(struct medium *medium, bool finalize);
uint32_t round_up(uint32_t value, uint32_t unit);
bool is_dvd_r(const struct medium *medium); /* or DVD-RW in sequential mode */

/* mmc_cue.c: session at once on CD. */
bool sao_write(struct drive *drive, int64_t lba, uint32_t count, const uint8_t *data, struct sense *ret);
bool sao_is_complete(const struct drive_state *state);
void sao_finish(struct drive *drive);

/* mmc_write.c: the host has ended what it wrote: the cache goes out, incomplete ECC blocks are padded, a CD's
 * track or session that was recorded at once is closed. abandon: it went on to something else, so what isn't
 * complete stays damaged. */
bool recording_end(struct drive *drive, bool abandon, struct sense *ret);
bool medium_takes_writes(const struct medium *medium, struct sense *ret);
/* A drive with nothing else to do goes on formatting a DVD+RW. */
void background_format(struct medium *medium);
/* A sector of a sequential medium couldn't be written. */
void recording_failed(struct drive *drive, uint32_t lba);

/* mmc_tray.c: an immediate command goes on behind the host's back. */
void mmc_go_on(struct drive *drive, struct sense sense, uint32_t commands);

/* mmc_read.c: the range of READ, WRITE and VERIFY, of 10 or 12 bytes; reads without handing over. */
void mmc_range(const struct command *command, uint32_t *ret_lba, uint32_t *ret_count);
bool sectors_verify(struct drive *drive, uint32_t lba, uint32_t count, struct sense *ret);

/* The commands. */
int run_test_unit_ready(struct drive *drive, struct command *command);
int run_request_sense(struct drive *drive, struct command *command);
int run_start_stop(struct drive *drive, struct command *command);
int run_prevent_allow(struct drive *drive, struct command *command);
int run_read(struct drive *drive, struct command *command);
int run_read_cd(struct drive *drive, struct command *command);
int run_seek(struct drive *drive, struct command *command);
int run_verify(struct drive *drive, struct command *command);
int run_write(struct drive *drive, struct command *command);
int run_write_and_verify(struct drive *drive, struct command *command);
int run_send_cue_sheet(struct drive *drive, struct command *command);
int run_synchronize_cache(struct drive *drive, struct command *command);
int run_reserve_track(struct drive *drive, struct command *command);
int run_close(struct drive *drive, struct command *command);
int run_blank(struct drive *drive, struct command *command);
int run_format_unit(struct drive *drive, struct command *command);
int run_read_format_capacities(struct drive *drive, struct command *command);
