/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/progress.h"

#include "base/bytes.h"

#include <string.h>
#include <time.h>

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

void progress_init(struct progress *progress)
{
	*progress = (struct progress){ .view.eta = UINT64_MAX };
	pthread_mutex_init(&progress->lock, NULL);
}

void progress_begin(struct progress *progress, uint64_t serial)
{
	WITH_LOCK(&progress->lock);
	progress->view = (struct progress_view){ .phase = PHASE_FROZEN, .serial = serial, .eta = UINT64_MAX };
	progress->phase_began_ns = monotonic_ns();
}

void progress_phase(struct progress *progress, enum phase phase, uint64_t total)
{
	WITH_LOCK(&progress->lock);
	progress->view.phase = phase;
	progress->view.done = 0;
	progress->view.total = total;
	progress->view.file[0] = '\0';
	progress->phase_began_ns = monotonic_ns();
}

void progress_step(struct progress *progress, uint64_t done, const char *file, size_t length)
{
	size_t skip = length < sizeof progress->view.file ? 0 : length - sizeof progress->view.file + 1;

	WITH_LOCK(&progress->lock);
	progress->view.done = done;
	if (!file)
		return;
	memcpy(progress->view.file, file + skip, length - skip);
	progress->view.file[length - skip] = '\0';
}

void progress_total(struct progress *progress, uint64_t total)
{
	WITH_LOCK(&progress->lock);
	progress->view.total = total;
}

void progress_end(struct progress *progress)
{
	WITH_LOCK(&progress->lock);
	progress->view = (struct progress_view){ .eta = UINT64_MAX };
}

void progress_get(struct progress *progress, struct progress_view *ret)
{
	double elapsed;

	WITH_LOCK(&progress->lock);
	*ret = progress->view;
	elapsed = (double)(monotonic_ns() - progress->phase_began_ns) / 1e9;
	if (ret->phase == PHASE_IDLE || elapsed < 0.5 || ret->done == 0)
		return;
	ret->rate = (uint64_t)((double)ret->done * SECTOR / elapsed);
	if (ret->total >= ret->done)
		ret->eta = (uint64_t)((double)(ret->total - ret->done) * elapsed / (double)ret->done + 0.5);
}
