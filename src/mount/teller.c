/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/teller.h"

#include "host/desktop.h"
#include "host/power.h"
#include "host/service.h"
#include "store/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void teller_writing(void *self, bool on)
{
	struct mount *mount = self;
	char why[PATH_LIMIT + 64];

	if (mount->inhibitor >= 0)
		close(mount->inhibitor);
	mount->inhibitor = -1;
	if (!on)
		return;
	snprintf(why, sizeof why, "%s is being burned", mount->disc.path);
	mount->inhibitor = power_inhibit(why);
}

/* Trials are for who asked. */
void teller_ended(void *self, const struct commit_result *result)
{
	const struct mount *mount = self;
	char title[PATH_LIMIT + 64];

	if (strcmp(result->op, "commit") != 0 || (!result->err && !result->sectors))
		return;
	snprintf(title, sizeof title, "%s: %s", mount->disc.path,
		 result->err	    ? "the commit failed"
		 : result->verified ? "burned and verified"
				    : "burned, not verified");
	desktop_notify(title, result->message, result->err != 0);
}

static void say_work(struct mount *mount, const struct progress_view *work, char *line, size_t room)
{
	size_t used = (size_t)snprintf(line, room, "Commit: %s", phase_name(work->phase));

	if (work->total && used < room)
		snprintf(line + used, room - used, ", %" PRIu64 " %%",
			 min_u64(work->done, work->total) * 100 / work->total);
}

static void say_idle(struct mount *mount, char *line, size_t room)
{
	struct commit_result last;

	commit_last(&mount->commit, &last);
	snprintf(line, room, "%.300s is mounted%s%.480s", mount->disc.path, last.serial ? "; " : "",
		 last.serial ? last.message : "");
}

void teller_tick(struct mount *mount)
{
	struct progress_view work;
	char line[sizeof mount->told];

	progress_get(&mount->commit.progress, &work);
	if (work.phase == PHASE_IDLE)
		say_idle(mount, line, sizeof line);
	else
		say_work(mount, &work, line, sizeof line);
	if (strcmp(line, mount->told) == 0)
		return;
	strcpy(mount->told, line);
	service_say("%s", line);
}
