/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/service.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>

#define LINE_ROOM 600

/* A line of the message ends at a newline. */
static void one_line(char *line)
{
	for (; *line; line++)
		if (*line == '\n')
			*line = ' ';
}

void service_say(const char *fmt, ...)
{
	AUTO_TEXT struct text plain = { 0 };
	char line[LINE_ROOM];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	one_line(line);
	text_add_utf8(&plain, line, strlen(line));
	if (!plain.failed)
		sd_notifyf(0, "STATUS=%s", plain.data ? plain.data : "");
}

void service_ready(const char *line)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", line);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

bool service_is_mount(void)
{
	static const char suffix[] = ".mount";
	AUTO_FREE char *unit = NULL;
	size_t length;

	if (sd_pid_get_user_unit(0, &unit) < 0 && sd_pid_get_unit(0, &unit) < 0)
		return false;
	length = strlen(unit);
	return length >= sizeof suffix && strcmp(unit + length - (sizeof suffix - 1), suffix) == 0;
}

void service_failed(int err, const char *sentence)
{
	sd_notifyf(0, "ERRNO=%d", err);
	service_say("%s", sentence);
}
