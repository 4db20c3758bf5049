/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of a status as several commands print them, on stdout. */
#pragma once

#include "ctl/json.h"

/* What a profile of a status is called. */
const char *show_medium_title(const char *profile);
/* "BD-R, appendable, 1.2 GB of 25 GB used" */
void show_medium(const struct json *status);
/* "HOLIDAYS, 3 sessions, 1,204 entries (Rock Ridge)" */
void show_sessions_line(const struct json *status);
/* A table, newest first. */
void show_sessions(const struct json *status);
/* A line if something is under way. */
void show_work(const struct json *status);
/* What of the tree is missing or in doubt. */
void show_damage(const struct json *status);
void show_warnings(const struct json *status);
