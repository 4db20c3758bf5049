/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines: to stderr while a terminal or a parent listens there, else to syslog. Thread-safe. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <syslog.h>

/* name: shown before each line (borrowed for ever). Debug lines are dropped unless verbose. */
void log_open(const char *name, bool verbose);
/* From now on write to syslog: the process has left its terminal. */
void log_to_syslog(void);
/* level: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG. */
void log_line(int level, const char *fmt, ...) PRINTF(2, 3);

#define log_error(...)	 log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_line(LOG_NOTICE, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_DEBUG, __VA_ARGS__)
