/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at drives in threads of their own: a drive that hangs holds up nobody. */
#pragma once

#include "ctl/look.h"

#include <pthread.h>
#include <stdatomic.h>

struct look_job {
	struct look look; /* once done */
	atomic_bool done;
	char path[PATH_MAX];
	int notify;
	pthread_t thread;
};

/* notify: one byte is written to it when the look is done; borrowed. NULL: no memory, no thread. */
struct look_job *look_job_start(const char *path, int notify);
/* One that isn't done is left to itself. */
void look_job_free(struct look_job *job);
