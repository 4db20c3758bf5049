/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings sessions to light: .discfs/sessions/N is imported when it's looked up for the first time. That may
 * take seconds to minutes, so a thread of its own does it, one after the other, and no thread that serves the
 * mount waits for it. */
#pragma once

#include "mount/mount.h"

int librarian_start(struct mount *mount);
/* Refuses all that wait. A second call does nothing. */
void librarian_stop(struct mount *mount);
/* Takes the request, and answers it with the root of the session's tree, now or later. */
void librarian_ask(struct mount *mount, const struct request *request);
