/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service manager is told of this process (sd_notify(3)). Where none listens nothing happens. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

/* One line for `systemctl status`. */
void service_say(const char *fmt, ...) PRINTF(1, 2);
/* It serves from now on; line: what it serves. */
void service_ready(const char *line);
/* It ends by itself, which may take as long as a commit does. */
void service_stopping(void);
/* This process belongs to a .mount unit: systemd mounts or unmounts, for whatever reason. */
bool service_is_mount(void);
/* It can't go on: errno and sentence are what the starter gets to see. */
void service_failed(int err, const char *sentence);
