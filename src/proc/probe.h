/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks a probe worker what a medium is; of a drive, a drive worker first. */
#pragma once

#include "proc/drive.h"

struct probe {
	struct verb_disc disc;
	VEC(struct verb_session) sessions; /* oldest first */
	bool is_drive;
	struct drive_facts facts; /* of a drive */
};

struct probe_wish {
	uint32_t wanted;    /* number of the session to be the base, 0 = the newest */
	bool damaged;	    /* what can't be read doesn't count; a part of the recorded may be missing */
	uint32_t bad_count; /* starts of sessions that don't count */
	uint64_t bad[BAD_SESSIONS_LIMIT];
};

/* fd: the medium, borrowed. path: absolute. wish: NULL for none. Checks all numbers against the medium's
 * size. 0 or -errno with why. */
int probe_run(int fd, const char *path, const struct probe_wish *wish, struct probe *ret, struct reason *why);
void probe_clear(struct probe *probe);
