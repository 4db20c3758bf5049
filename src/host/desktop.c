/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/desktop.h"

#include "base/log.h"
#include "base/text.h"
#include "host/bus.h"

#include <string.h>

#define SERVICE	       "org.freedesktop.Notifications"
#define URGENCY_NORMAL 1
#define URGENCY_HIGH   2

/* Bodies may have markup in them. */
static void add_plain(struct text *text, const char *line)
{
	for (; *line; line++)
		if (*line == '<')
			text_add(text, "&lt;");
		else if (*line == '&')
			text_add(text, "&amp;");
		else
			text_add_bytes(text, line, 1);
}

void desktop_notify(const char *title, const char *body, bool bad)
{
	AUTO_BUS sd_bus *bus = bus_open_user();
	AUTO_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
	AUTO_TEXT struct text plain = { 0 };

	add_plain(&plain, body);
	if (!bus || plain.failed)
		return;
	if (sd_bus_call_method(bus, SERVICE, "/org/freedesktop/Notifications", SERVICE, "Notify", &error,
			       NULL, "susssasa{sv}i", "discfs", 0u, bad ? "dialog-error" : "media-optical",
			       title, plain.data ? plain.data : "", 0, 1, "urgency", "y",
			       bad ? URGENCY_HIGH : URGENCY_NORMAL, bad ? 0 : -1) < 0)
		log_debug("no notification: %s",
			  error.message ? error.message : "the desktop doesn't answer");
}
