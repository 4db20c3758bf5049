/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *log_name = "discfs";
static bool log_verbose;
static _Atomic bool log_syslog; /* a thread may be logging already */

void log_open(const char *name, bool verbose)
{
	log_name = name;
	log_verbose = verbose;
}

void log_to_syslog(void)
{
	openlog(log_name, LOG_PID, LOG_DAEMON);
	log_syslog = true;
}

void log_line(int level, const char *fmt, ...)
{
	AUTO_TEXT struct text plain = { 0 };
	char line[1024];
	va_list args;

	if (level == LOG_DEBUG && !log_verbose)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	text_add_visible(&plain, line, strlen(line)); /* names of files, a disc's label: one line stays one */
	if (log_syslog)
		syslog(level, "%s", plain.failed ? line : plain.data);
	else
		fprintf(stderr, "%s: %s\n", log_name, plain.failed ? line : plain.data);
}
