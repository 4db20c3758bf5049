/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks a probe worker what a medium is. */
#pragma once

#include "base/vec.h"
#include "wire/verbs.h"

struct probe {
	struct verb_disc disc;
	VEC(struct verb_session) sessions; /* oldest first */
};

/* fd: the medium, borrowed. path: absolute. Checks all numbers against the medium's size. 0 or -errno with
 * why. */
int probe_run(int fd, const char *path, struct probe *ret, struct reason *why);
void probe_clear(struct probe *probe);
