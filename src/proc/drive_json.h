/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a drive is and holds, as a mount's status and `info` tell it. */
#pragma once

#include "base/text.h"
#include "proc/drive.h"

/* Adds ,"drive":{…},"tracks":[…] to an object. */
void drive_to_json(const struct drive_facts *facts, struct text *text);
