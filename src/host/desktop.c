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
	size_t length;

	for (; *line; line += length) {
		length = strcspn(line, "<&");
		text_add_utf8(text, line, length);
		if (line[length])
			text_add(text, line[length++] == '<' ? "&lt;" : "&amp;");
	}
}

void desktop_notify(const char *title, const char *body, bool bad)
{
	AUTO_BUS sd_bus *bus = bus_open_user();
	AUTO_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
	AUTO_TEXT struct text plain = { 0 }, head = { 0 };

	add_plain(&plain, body);
	text_add_utf8(&head, title, strlen(title));
	if (!bus || plain.failed || !head.data)
		return;
	if (sd_bus_call_method(bus, SERVICE, "/org/freedesktop/Notifications", SERVICE, "Notify", &error,
			       NULL, "susssasa{sv}i", "discfs", 0u, bad ? "dialog-error" : "media-optical",
			       head.data, plain.data ? plain.data : "", 0, 1, "urgency", "y",
			       bad ? URGENCY_HIGH : URGENCY_NORMAL, bad ? 0 : -1) < 0)
		log_debug("no notification: %s",
			  error.message ? error.message : "the desktop doesn't answer");
}
