/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to do when a session can't be read: the others, and the option that shows one. */
#pragma once

#include "wire/verbs.h"

/* "sessions 1..3, 5 can be read: mount the newest of them with -o session=5", or "" where there's none.
 * except: number of the one that can't, 0 = none. limit: sectors that there are, 0 = all. Returns ret. */
const char *session_advice(const struct verb_session *sessions, size_t count, uint32_t except, uint64_t limit,
			   char *ret, size_t room);
