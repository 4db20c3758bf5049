/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/power.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "host/bus.h"

#include <fcntl.h>
#include <string.h>

#define LOGIND	 "org.freedesktop.login1"
#define SYSTEMD	 "org.freedesktop.systemd1"
#define KEPT_OFF "sleep:shutdown:idle"

/* Nothing is started for it: where no logind runs there's nobody to keep off. */
static int new_call(sd_bus *bus, sd_bus_message **ret)
{
	int got = sd_bus_message_new_method_call(bus, ret, LOGIND, "/org/freedesktop/login1",
						 LOGIND ".Manager", "Inhibit");

	return got < 0 ? got : sd_bus_message_set_auto_start(*ret, 0);
}

int power_inhibit(const char *why)
{
	AUTO_BUS sd_bus *bus = bus_open_system();
	AUTO_MESSAGE sd_bus_message *call = NULL, *answer = NULL;
	AUTO_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
	AUTO_TEXT struct text plain = { 0 };
	int fd = -1, ret = bus ? new_call(bus, &call) : -1;

	text_add_utf8(&plain, why, strlen(why));
	if (ret >= 0)
		ret = sd_bus_message_append(call, "ssss", KEPT_OFF, "discfs",
					    plain.data ? plain.data : "a disc is being burned", "block");
	if (ret >= 0)
		ret = sd_bus_call(bus, call, 0, &error, &answer);
	if (ret >= 0)
		ret = sd_bus_message_read(answer, "h", &fd);
	if (ret >= 0)
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	log_debug("suspend and shutdown aren't inhibited: %s",
		  error.message ? error.message : "there is no logind");
	return -1;
}

/* destination: NULL on systemd's own connection. */
static bool is_stopping(sd_bus *bus, const char *destination)
{
	AUTO_FREE char *state = NULL;

	return bus &&
	       sd_bus_get_property_string(bus, destination, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
					  "SystemState", NULL, &state) >= 0 &&
	       strcmp(state, "stopping") == 0;
}

/* logind knows before systemd does: programs get some seconds to end first. */
static bool is_prepared(sd_bus *bus)
{
	int going = 0;

	return bus &&
	       sd_bus_get_property_trivial(bus, LOGIND, "/org/freedesktop/login1", LOGIND ".Manager",
					   "PreparingForShutdown", NULL, 'b', &going) >= 0 &&
	       going;
}

/* SysV's rc tells its scripts where it goes. */
static bool is_last_runlevel(void)
{
	const char *level = getenv("RUNLEVEL");

	return level && (strcmp(level, "0") == 0 || strcmp(level, "6") == 0);
}

bool power_is_going(void)
{
	AUTO_BUS sd_bus *systemd = bus_open_systemd();
	AUTO_BUS sd_bus *bus = NULL;

	/* The system's bus is among the first that end. */
	if (is_last_runlevel() || is_stopping(systemd, NULL))
		return true;
	bus = bus_open_system();
	return is_prepared(bus) || (!systemd && is_stopping(bus, SYSTEMD));
}
