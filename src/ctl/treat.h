/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Something that is done to the disc in a drive, shown while it lasts. */
#pragma once

#include "ctl/look.h"

/* Does the task and looks at the drive afterwards. verb: "blanking", shown with the progress; quiet: no
 * progress. Ctrl-C doesn't end it: a drive can't be stopped. An exit code; says why. look_clear ret
 * always. */
int treat_drive(const char *path, const struct verb_task *task, const char *verb, bool quiet,
		struct look *ret);
/* Says why a drive worker gave up; an exit code. err: positive. */
int treat_failed(const char *path, int err, const struct reason *why);
