/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a drive is and holds, in full: for info. */
#pragma once

#include "base/text.h"
#include "ctl/json.h"
#include "proc/drive.h"

/* Adds ,"drive":{…},"tracks":[…] to an object. */
void drive_to_json(const struct drive_facts *facts, struct text *text);
/* Prints of such an object what isn't told otherwise: the drive, and what can be written next. */
void drive_print(const struct json *info);
void drive_print_tracks(const struct json *info);
