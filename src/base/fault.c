/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US 20000u

static int await_file(const char *path)
{
	char name[4096];

	snprintf(name, sizeof name, "%.*s", (int)strcspn(path, ","), path);
	while (access(name, F_OK) != 0)
		usleep(LOOK_US);
	return 0;
}

static int fault_act(const char *action)
{
	if (strncmp(action, "kill", 4) == 0)
		kill(getpid(), SIGKILL);
	while (strncmp(action, "stop", 4) == 0)
		pause();
	if (strncmp(action, "await=", 6) == 0)
		return await_file(action + 6);
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
