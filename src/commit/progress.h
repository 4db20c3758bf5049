/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far the work under way is, for whoever asks. Thread-safe. */
#pragma once

#include "base/cleanup.h"
#include "model/phase.h"

#include <stddef.h>
#include <stdint.h>

struct progress_view {
	enum phase phase; /* PHASE_IDLE: nothing under way */
	uint64_t serial;
	uint64_t done, total; /* sectors in this phase; total 0: not known */
	char file[256];	      /* the end of the path of the file at work; may be empty */
	uint64_t rate;	      /* bytes a second, 0: not known yet */
	uint64_t eta;	      /* seconds left in this phase, UINT64_MAX: not known */
};

struct progress {
	pthread_mutex_t lock;
	struct progress_view view;
	int64_t phase_began_ns; /* monotonic */
};

void progress_init(struct progress *progress);
void progress_begin(struct progress *progress, uint64_t serial);
void progress_phase(struct progress *progress, enum phase phase, uint64_t total);
/* file may be NULL: unchanged. */
void progress_step(struct progress *progress, uint64_t done, const char *file, size_t length);
void progress_total(struct progress *progress, uint64_t total);
void progress_end(struct progress *progress);
void progress_get(struct progress *progress, struct progress_view *ret);
