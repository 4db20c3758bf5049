/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US 20000u

const char *fault_name(enum fault fault)
{
#define FAULT_NAME(id, name, in, when, ends) [id] = (name),
	static const char *const names[] = { FAULT_POINTS(FAULT_NAME) };
#undef FAULT_NAME

	return names[fault];
}

static int await_file(const char *path)
{
	char name[4096];

	snprintf(name, sizeof name, "%.*s", (int)strcspn(path, ","), path);
	while (access(name, F_OK) != 0)
		usleep(LOOK_US);
	return 0;
}

/* One write: several processes may come by. */
static void fault_seen(const char *name)
{
	const char *path = getenv("DISCFS_FAULT_SEEN");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%s\n", name);
	close(fd);
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

int fault_point(enum fault fault)
{
	const char *at = getenv("DISCFS_FAULT");
	const char *name = at ? fault_name(fault) : "";
	size_t length = strlen(name);

	while (at && *at) {
		if (strncmp(at, name, length) == 0 && at[length] == ':') {
			fault_seen(name);
			return fault_act(at + length + 1);
		}
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return 0;
}
