/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fault_act(const char *action)
{
	if (strncmp(action, "kill", 4) == 0)
		kill(getpid(), SIGKILL);
	while (strncmp(action, "stop", 4) == 0)
		pause();
	return -atoi(action);
}

int fault_point(const char *name)
{
	const char *at = getenv("DISCFS_FAULT");
	size_t length = strlen(name);

	while (at && *at) {
		if (strncmp(at, name, length) == 0 && at[length] == ':')
			return fault_act(at + length + 1);
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return 0;
}
