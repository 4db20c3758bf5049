/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands that do something to a disc, the tray or the cache. */
#include "physics.h"

const struct mmc_command mmc_recording[] = {
	{ 0x00, "TEST UNIT READY", NEEDS_DISC | KEEPS_CACHE, run_test_unit_ready },
	{ 0x03, "REQUEST SENSE", ANY_TIME | KEEPS_CACHE, run_request_sense },
	{ 0x04, "FORMAT UNIT", NEEDS_DISC, run_format_unit },
	{ 0x1B, "START STOP UNIT", ANY_TIME | KEEPS_CACHE, run_start_stop },
	{ 0x1E, "PREVENT ALLOW MEDIUM REMOVAL", ANY_TIME | KEEPS_CACHE, run_prevent_allow },
	{ 0x23, "READ FORMAT CAPACITIES", ANY_TIME | KEEPS_CACHE, run_read_format_capacities },
	{ 0x28, "READ(10)", NEEDS_DISC | KEEPS_CACHE, run_read },
	{ 0x2A, "WRITE(10)", NEEDS_DISC | KEEPS_CACHE, run_write },
	{ 0x2B, "SEEK(10)", NEEDS_DISC | KEEPS_CACHE, run_seek },
	{ 0x2E, "WRITE AND VERIFY(10)", NEEDS_DISC | KEEPS_CACHE, run_write_and_verify },
	{ 0x2F, "VERIFY(10)", NEEDS_DISC, run_verify },
	{ 0x35, "SYNCHRONIZE CACHE", NEEDS_DISC | KEEPS_CACHE, run_synchronize_cache },
	{ 0x53, "RESERVE TRACK", NEEDS_DISC, run_reserve_track },
	{ 0x5B, "CLOSE TRACK/SESSION", NEEDS_DISC | KEEPS_CACHE, run_close },
	{ 0x5D, "SEND CUE SHEET", NEEDS_DISC, run_send_cue_sheet },
	{ 0xA1, "BLANK", NEEDS_DISC, run_blank },
	{ 0xA8, "READ(12)", NEEDS_DISC | KEEPS_CACHE, run_read },
	{ 0xAA, "WRITE(12)", NEEDS_DISC | KEEPS_CACHE, run_write },
	{ 0xBE, "READ CD", NEEDS_DISC | KEEPS_CACHE, run_read_cd },
	{ 0, NULL, 0, NULL },
};
