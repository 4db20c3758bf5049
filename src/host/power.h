/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's sleep and end: logind keeps both away while asked to, and systemd tells when the end has
 * begun. Where neither runs nothing happens. Each call has a bus of its own: any thread may call. */
#pragma once

#include <stdbool.h>

/* Until the descriptor is closed the machine isn't suspended or switched off without force. why: a sentence
 * for people. -1: nobody keeps it up. */
int power_inhibit(const char *why);
/* The system is going down: nothing long must begin. */
bool power_is_going(void);
