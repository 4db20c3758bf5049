/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a session from a plan: builds libisofs' tree from scratch, refers to old bodies in place, and offers
 * the session as a stream of sectors.
 *
 * The session is exact and final when iso_write_plan returns: its size, and the head that will put it in
 * force. */
#pragma once

#include "base/reason.h"
#include "disc/plan.h"
#include "disc/source.h"
#include "wire/verbs.h"

struct iso_session; /* opaque: libisofs' objects, the plan stays the caller's */

struct iso_session_request {
	const struct source *source;
	const struct verb_job *job;
	struct plan *plan; /* references are filled in; must outlive the session */
	int spool;	   /* -1 where there's none */
};

/* Once in a process. */
int iso_write_start(struct reason *why);
int iso_session_make(const struct iso_session_request *request, struct iso_session **ret, struct reason *why);
void iso_session_free(struct iso_session *session);
/* What PLANNED says; its pointers lead into the session. */
void iso_session_describe(const struct iso_session *session, struct verb_planned *ret);
/* The HEAD_BYTES by which the medium was known when the session was made: the begin of the base session, or
 * the head. */
const uint8_t *iso_session_identity(const struct iso_session *session);
/* Bytes without padding. */
uint64_t iso_session_size(const struct iso_session *session);
/* The next bytes of session, a struct iso_session; from one thread. Returns size, or less where it broke off.
 */
int iso_session_read(void *session, uint8_t *buffer, int size);
/* True when something went wrong in the writer thread, whatever the stream itself said; fills why. */
bool iso_session_failed(struct iso_session *session, struct reason *why);
/* What went out up to the first file; when all of it was read. */
void iso_session_front(struct iso_session *session, struct verb_front *ret);
/* The file that is being read, "" when it's something else. Returns ret. */
const char *iso_session_current(struct iso_session *session, char *ret, size_t room);
