/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named fault points: tests make the program fail or die exactly there.
 *
 * DISCFS_FAULT="name:action[,name:action…]" in the environment, with action one of "kill" (SIGKILL to this
 * process), "stop" (wait for ever), "await=PATH" (wait until there is a file of that name) or an errno by
 * number. Costs one pointer test where the variable isn't set. */
#pragma once

/* Returns 0, or -errno where the environment asks for it. */
int fault_point(const char *name);
