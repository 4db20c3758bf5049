/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/look_job.h"

#include <stdio.h>
#include <unistd.h>

static void *look_run(void *self)
{
	struct look_job *job = (struct look_job *)self;
	ssize_t written;

	look_at(job->path, &job->look);
	atomic_store(&job->done, true);
	written = write(job->notify, "", 1); /* a full pipe wakes just as well */
	(void)written;
	return NULL;
}

struct look_job *look_job_start(const char *path, int notify)
{
	struct look_job *job = calloc(1, sizeof *job);

	if (!job)
		return NULL;
	job->notify = notify;
	snprintf(job->path, sizeof job->path, "%s", path);
	if (pthread_create(&job->thread, NULL, look_run, job) != 0) {
		free(job);
		return NULL;
	}
	return job;
}

void look_job_free(struct look_job *job)
{
	if (!job)
		return;
	if (!atomic_load(&job->done)) {
		pthread_detach(job->thread);
		return; /* its thread still writes there: the memory stays */
	}
	pthread_join(job->thread, NULL);
	look_clear(&job->look);
	free(job);
}
