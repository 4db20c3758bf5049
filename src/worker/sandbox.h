/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits for workers that parse what a disc holds: memory, time, no new privileges, no core files. */
#pragma once

/* cpu_seconds: for the whole of the work. Never fails: a limit that the system refuses (a debugger, valgrind)
 * is left as it is. */
void sandbox_enter(unsigned cpu_seconds);
