/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JOB(source) -> SESSION*, DISC */
#include "worker/role.h"

#include "disc/sessions.h"

int role_probe(struct worker *worker, struct reason *why)
{
	CLEANUP(disc_report_clear) struct disc_report report = { 0 };
	struct source source;
	struct msg msg = { 0 };
	int got = source_open(&source, worker->medium, why);

	if (got == 0)
		got = sessions_probe(&source, &report, why);
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
