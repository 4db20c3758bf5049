/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/drive.h"

#include "proc/child.h"

#include <errno.h>
#include <string.h>

#define INQUIRE_TIMEOUT_MS 180000	/* a drive may spin up and settle for a minute */
#define ADDRESS_LIMIT	   (1ull << 32) /* sectors: block addresses are 32 bits wide */

void drive_facts_clear(struct drive_facts *facts)
{
	vec_clear(&facts->tracks);
	vec_clear(&facts->speeds);
	*facts = (struct drive_facts){ 0 };
}

static int nonsense(struct reason *why, const char *what)
{
	return reason_set(why, EPROTO, "The drive worker talks nonsense: %s", what);
}

static int take_track(struct drive_facts *facts, struct msg *msg, struct reason *why)
{
	size_t count = facts->tracks.count;
	struct verb_track track, *kept;
	uint64_t after = 0;

	if (!get_track(msg, &track))
		return nonsense(why, "a malformed track");
	if (count)
		after = facts->tracks.items[count - 1].start + facts->tracks.items[count - 1].sectors;
	if (count >= TRACKS_LIMIT || track.start < after ||
	    !range_within(track.start, track.sectors, ADDRESS_LIMIT))
		return nonsense(why, "tracks out of order");
	kept = vec_push(&facts->tracks);
	if (!kept)
		return reason_set(why, ENOMEM, "No memory for the list of tracks");
	*kept = track;
	return 0;
}

static int take_speed(struct drive_facts *facts, struct msg *msg, struct reason *why)
{
	struct verb_speed speed, *kept;

	if (!get_speed(msg, &speed) || facts->speeds.count >= SPEEDS_LIMIT)
		return nonsense(why, "a malformed speed");
	kept = vec_push(&facts->speeds);
	if (!kept)
		return reason_set(why, ENOMEM, "No memory for the list of speeds");
	*kept = speed;
	return 0;
}

static int take_drive(struct drive_facts *facts, struct msg *msg, struct reason *why)
{
	struct verb_drive *drive = &facts->drive;

	if (!get_drive(msg, drive) || drive->tracks != facts->tracks.count ||
	    drive->speeds != facts->speeds.count)
		return nonsense(why, "a malformed drive");
	if (drive->capacity > ADDRESS_LIMIT || drive->nwa > ADDRESS_LIMIT || drive->free > ADDRESS_LIMIT)
		return nonsense(why, "addresses beyond 32 bits");
	return 0;
}

static int listen(struct child *child, drive_step_fn *step, void *self, struct drive_facts *ret,
		  struct reason *why)
{
	struct verb_progress progress;
	struct msg msg;
	int got;

	for (;;) {
		got = child_receive(child, &msg, why);
		if (got == 0 && msg.verb == VERB_DRIVE)
			return take_drive(ret, &msg, why);
		if (got == 0 && msg.verb == VERB_TRACK)
			got = take_track(ret, &msg, why);
		else if (got == 0 && msg.verb == VERB_SPEED)
			got = take_speed(ret, &msg, why);
		else if (got == 0 && (msg.verb != VERB_PROGRESS || !get_progress(&msg, &progress)))
			got = nonsense(why, "an unexpected message");
		else if (got == 0 && step)
			step(self, progress.done, progress.total);
		if (got < 0)
			return got;
	}
}

static int talk(struct child *child, const char *path, const struct verb_task *task, struct reason *why)
{
	struct verb_job job = { .is_drive = true };
	struct msg msg;
	int got;

	if (strlen(path) >= sizeof job.path)
		return reason_set(why, ENAMETOOLONG, "The path of the drive is too long");
	memcpy(job.path, path, strlen(path));
	put_job(&msg, &job);
	got = link_send(&child->link, &msg);
	if (got == 0) {
		put_task(&msg, task);
		got = link_send(&child->link, &msg);
	}
	/* A worker that dies at once has its reason told by what is received. */
	return got < 0 && got != -EPIPE
		   ? reason_set(why, -got, "Can't talk to the drive worker: %s", strerror(-got))
		   : 0;
}

int drive_run(const char *path, const struct verb_task *task, drive_step_fn *step, void *self,
	      struct drive_facts *ret, struct reason *why)
{
	CLEANUP(drive_facts_clear) struct drive_facts facts = { 0 };
	struct reason ignored = { 0 };
	struct child child = { 0 };
	int got = child_start(&child, "drive", why);
	int end;

	if (got < 0)
		return got;
	/* What takes long tells how far it is; libburn waits for the drive by itself. */
	child.link.timeout_ms = task->op == DRIVE_INQUIRE ? INQUIRE_TIMEOUT_MS : -1;
	got = talk(&child, path, task, why);
	if (got == 0)
		got = listen(&child, step, self, &facts, why);
	end = child_finish(&child, got < 0 ? &ignored : why);
	if (got < 0 || end < 0)
		return got < 0 ? got : end;
	*ret = facts;
	facts = (struct drive_facts){ 0 };
	return 0;
}

int drive_inquire(const char *path, struct drive_facts *ret, struct reason *why)
{
	const struct verb_task task = { .op = DRIVE_INQUIRE };

	return drive_run(path, &task, NULL, NULL, ret, why);
}
