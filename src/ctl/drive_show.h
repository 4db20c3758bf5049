/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a drive is and holds, in full: for info. */
#pragma once

#include "ctl/json.h"

/* Prints of a status with "drive" (proc/drive_json.h) what isn't told otherwise: the drive, and what can be
 * written next. */
void drive_print(const struct json *info);
void drive_print_tracks(const struct json *info);
