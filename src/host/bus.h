/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections to D-Bus. */
#pragma once

#include <systemd/sd-bus.h>

/* An answer is waited for no longer than that: whatever is asked or told can be done without. */
#define BUS_PATIENCE_US 5000000u

#define AUTO_BUS     __attribute__((cleanup(sd_bus_flush_close_unrefp)))
#define AUTO_MESSAGE __attribute__((cleanup(sd_bus_message_unrefp)))
#define AUTO_ERROR   __attribute__((cleanup(sd_bus_error_free)))

/* The system's, the user's, or systemd's own, which is there for root when no other is. NULL: there is none.
 */
sd_bus *bus_open_system(void);
sd_bus *bus_open_user(void);
sd_bus *bus_open_systemd(void);
