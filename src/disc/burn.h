/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a session to the medium through libburn: one burn in the life of a process.
 *
 * Nothing below the session's start is touched; the head of overwriteable media is somebody else's last step.
 * Success means that every sector of the stream went out, that libburn is content, that the data were
 * synced, and on sequential media that the session is closed. */
#pragma once

#include "base/reason.h"
#include "disc/iso_write.h"

struct burn_request {
	const struct verb_job *job;  /* path, absolute; of a drive also how to write */
	const struct source *source; /* the same medium, for making sure */
	uint64_t start;		     /* sector */
	uint64_t sectors;	     /* with padding */
	struct iso_session *session;
	/* Called about five times a second by the thread that called burn_session. 0; -ECANCELED: give up,
	 * and leave the medium in order; or another -errno: nobody is there any more. Then an image file is
	 * given up, and what was begun on a disc brought to its end. */
	int (*progress)(void *self, uint64_t done, uint64_t total);
	void *self;
};

int burn_session(const struct burn_request *request, struct reason *why);
