/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A word on the desktop of the user whose process this is. Where there is none nothing happens. */
#pragma once

#include <stdbool.h>

/* bad: it's about a failure, and stays until somebody has seen it. Any thread. */
void desktop_notify(const char *title, const char *body, bool bad);
