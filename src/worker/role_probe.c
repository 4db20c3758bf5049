/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(source) -> SESSION*, DISC; for a drive JOB(source), TRACK*, DRIVE -> SESSION*, DISC */
#include "worker/role.h"

#include "disc/drive_sessions.h"
#include "disc/sessions.h"

#include <errno.h>

static int take_facts(struct worker *worker, struct drive_report *ret, struct reason *why)
{
	struct msg msg;
	int got;

	while ((got = worker_receive(worker, &msg, why)) == 0 && msg.verb == VERB_TRACK) {
		struct verb_track *track = vec_push(&ret->tracks);

		if (!track)
			return reason_set(why, ENOMEM, "out of memory");
		if (!get_track(&msg, track))
			break;
	}
	if (got == 0 && !get_drive(&msg, &ret->drive))
		got = reason_set(why, EPROTO, "the daemon told of something else than a drive");
	return got;
}

/* What can be read: of overwriteable media all, of others up to the end of the last complete session. */
static uint64_t readable(const struct drive_report *facts)
{
	const struct verb_track *last =
	    facts->tracks.count ? &facts->tracks.items[facts->tracks.count - 1] : NULL;

	if (facts->drive.overwriteable)
		return facts->drive.capacity;
	return last ? last->start + last->sectors : 0;
}

static int look(struct worker *worker, struct disc_report *report, struct reason *why)
{
	CLEANUP(drive_report_clear) struct drive_report facts = { 0 };
	struct source source;
	int got = worker->job.is_drive ? take_facts(worker, &facts, why) : 0;

	if (got == 0)
		got = source_open(&source, worker->medium, readable(&facts), why);
	if (got < 0)
		return got;
	return worker->job.is_drive ? drive_sessions_probe(&source, &worker->job, &facts, report, why)
				    : sessions_probe(&source, &worker->job, report, why);
}

int probe_prepare(struct reason *why)
{
	return sessions_prepare() < 0 ? reason_set(why, EIO, "the checksums of libcrypto don't start") : 0;
}

int role_probe(struct worker *worker, struct reason *why)
{
	CLEANUP(disc_report_clear) struct disc_report report = { 0 };
	struct msg msg = { 0 };
	int got = look(worker, &report, why);

	if (got < 0)
		return got;
	vec_each (&report.sessions, session) {
		put_session(&msg, session);
		got = worker_send(worker, &msg, why);
		if (got < 0)
			return got;
	}
	put_disc(&msg, &report.disc);
	return worker_send_now(worker, &msg, why);
}
