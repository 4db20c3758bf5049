/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on the disc in a drive: the drive says where sessions lie, the disc what they are.
 *
 * Sequential media. The base is the newest good session: its descriptor is there, and its volume ends within
 * what its track recorded. A burn that was killed leaves, once closed, a session that isn't: it is passed
 * over, as are those that the caller knows to be bad. A descriptor that can't be read is an error: nothing
 * tells whether that session was good, and a new one without its files mustn't be written. The fingerprint is
 * SHA-256 over the first 32 blocks of the base session. Overwriteable media: sessions.h. A blank disc has no
 * content to be known by: its fingerprint is made of the drive and of the kind of the disc, so that what is
 * staged for it stays with the drive. */
#pragma once

#include "disc/drive.h"
#include "disc/sessions.h"

/* job: path, wanted, bad. facts: of the drive; its tracks ascend. 0, or -ENOMEDIUM, -EMEDIUMTYPE, -EIO,
 * -ENOENT. Clear ret always. */
int drive_sessions_probe(const struct source *source, const struct verb_job *job,
			 const struct drive_report *facts, struct disc_report *ret, struct reason *why);
