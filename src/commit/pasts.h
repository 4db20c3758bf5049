/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trees of the disc's sessions, each imported when it's first looked at and kept with the staged work:
 *
 *	STATE/sessions/<start>-<time>-<sectors>-<format>.db
 *
 * What is recorded never changes, so a session's file is good as long as the state is. A few stay open.
 * Thread-safe; locks: importing, then lock. */
#pragma once

#include "commit/session_list.h"
#include "store/session_change.h"

struct past {
	struct tree tree; /* see store/past.h */
	struct verb_session session;
	unsigned refs;
	uint64_t used; /* when it was last */
};

struct pasts {
	struct disc *disc;
	pthread_mutex_t importing; /* one at a time */
	pthread_mutex_t lock;	   /* all below */
	struct session_list list;
	VEC(struct past *) open;
	uint64_t clock;
};

void pasts_init(struct pasts *pasts, struct disc *disc);
/* Nobody may hold one. */
void pasts_close(struct pasts *pasts);

/* 0, or -ENOENT: the disc has no session of that number. */
int pasts_find(struct pasts *pasts, uint32_t number, struct verb_session *ret);
uint32_t pasts_count(struct pasts *pasts);
/* The tree of a session, until pasts_release. import: read it from the disc when it isn't kept yet, which
 * takes seconds; else that's -ESTALE. -ENOENT, -EBUSY: the disc can't be read while it is burned, or why it
 * can't be imported. */
int pasts_hold(struct pasts *pasts, uint32_t number, bool import, struct past **ret, struct reason *why);
/* One that is held by somebody else surely: it's open. */
struct past *pasts_held(struct pasts *pasts, uint32_t number);
void pasts_release(struct pasts *pasts, struct past *past);
/* What a session changed. compute: find out what isn't known, by its tree and the one before. 1 = known, 0 =
 * not, or -errno with why. */
int pasts_change(struct pasts *pasts, const struct verb_session *session, bool compute,
		 struct session_change *ret, struct reason *why);
