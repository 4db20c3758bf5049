/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/bus.h"

#include "base/cleanup.h"

#define SYSTEMD_SOCKET "/run/systemd/private"

static sd_bus *ready(int ret, sd_bus *bus)
{
	if (ret >= 0)
		ret = sd_bus_set_method_call_timeout(bus, BUS_PATIENCE_US);
	if (ret >= 0)
		return bus;
	sd_bus_close_unref(bus);
	return NULL;
}

sd_bus *bus_open_system(void)
{
	sd_bus *bus = NULL;
	int ret = sd_bus_open_system(&bus);

	return ready(ret, bus);
}

sd_bus *bus_open_user(void)
{
	sd_bus *bus = NULL;
	int ret = sd_bus_open_user(&bus);

	return ready(ret, bus);
}

sd_bus *bus_open_systemd(void)
{
	sd_bus *bus = NULL;
	int ret = access(SYSTEMD_SOCKET, W_OK) < 0 ? -1 : sd_bus_new(&bus);

	if (ret >= 0)
		ret = sd_bus_set_address(bus, "unix:path=" SYSTEMD_SOCKET);
	if (ret >= 0)
		ret = sd_bus_start(bus);
	return ready(ret, bus);
}
