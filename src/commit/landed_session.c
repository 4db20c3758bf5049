/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/landed_session.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/sg.h"
#include "commit/finish.h"
#include "proc/verify.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DESCRIPTOR  16u /* sectors behind a session's start (ECMA-119 6.7.1) */
#define VOLUME_SIZE 80u /* of the volume in a descriptor, in both byte orders (ECMA-119 8.4.8) */
#define SIZE_BYTES  8u

bool landed_session_is_there(int fd, bool is_drive, const struct journal *journal)
{
	const uint64_t lba = journal->start + DESCRIPTOR;
	const uint8_t *planned = journal->head.data + DESCRIPTOR * SECTOR;
	uint8_t found[SECTOR];
	int64_t got;

	if (journal->head.length != HEAD_BYTES)
		return false;
	got = is_drive ? sg_read(fd, lba, 1, found) : fd_pread_full(fd, found, SECTOR, lba * SECTOR);
	if (!is_drive && got != SECTOR)
		return false;
	/* the session tells its size from its own start, the head from the disc's */
	return got >= 0 && memcmp(found, planned, VOLUME_SIZE) == 0 &&
	       memcmp(found + VOLUME_SIZE + SIZE_BYTES, planned + VOLUME_SIZE + SIZE_BYTES,
		      SECTOR - VOLUME_SIZE - SIZE_BYTES) == 0;
}

static bool reaches(const struct disc *disc, const struct journal *journal)
{
	uint64_t end = journal->start + journal->sectors;
	struct stat info;

	if (disc->is_drive)
		return end <= disc->probe.disc.capacity;
	return fstat(disc->fd, &info) == 0 && (uint64_t)info.st_size >= end * SECTOR;
}

/* What a verify worker tells. */
struct verdict {
	bool checked, summed;
	uint64_t damages;
};

static void take_progress(void *self, const struct verb_session *session,
			  const struct verb_progress *progress)
{
}

static void take_damaged(void *self, const struct verb_damaged *damaged)
{
	log_notice("the session of a commit that was cut off: %s", damaged->text);
}

static void take_checked(void *self, const struct verb_checked *checked)
{
	struct verdict *verdict = self;

	verdict->checked = checked->imported;
	verdict->summed = checked->summed;
	verdict->damages = checked->damages;
}

static bool sums_agree(const struct disc *disc, const struct journal *journal)
{
	static const struct verify_watch watch = { take_progress, take_damaged, take_checked, NULL };
	const struct verb_session session = { .number = 1,
					      .start = journal->start,
					      .sectors = journal->sectors };
	const struct verify_request request = {
		.fd = disc->fd,
		.path = disc->path,
		.is_drive = disc->is_drive,
		.sectors = disc->is_drive ? journal->start + journal->sectors : 0,
		.sessions = &session,
		.count = 1,
	};
	struct verdict verdict = { 0 };
	struct reason why = { 0 };

	if (verify_run(&request, &watch, &verdict, &why) < 0) {
		log_notice("the session of a commit that was cut off can't be verified: %s", why.text);
		return false;
	}
	return verdict.checked && verdict.summed && verdict.damages == 0;
}

bool landed_session_is_whole(struct disc *disc, const struct journal *journal)
{
	if (disc_is_sequential(&disc->probe))
		return finish_head_is_there(disc, journal);
	return reaches(disc, journal) && landed_session_is_there(disc->fd, disc->is_drive, journal) &&
	       sums_agree(disc, journal);
}
