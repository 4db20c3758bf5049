/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/prepare.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

static uint32_t needed(const struct verb_drive *drive)
{
	if (drive->overwriteable)
		return drive->formatted ? 0 : DRIVE_FORMAT;
	return drive->damaged ? DRIVE_CLOSE_DAMAGED : 0;
}

static int do_it(struct disc *disc, const struct verb_drive *drive, uint32_t op, struct reason *why)
{
	const struct verb_task task = { .op = op };
	struct drive_facts facts = { 0 };
	int ret;

	/* Closed, it may look like a whole session; it was never verified, and isn't what is staged now. */
	if (op == DRIVE_CLOSE_DAMAGED) {
		log_notice("%s: the track at sector %llu was begun and never finished; it is closed now, and "
			   "what it "
			   "holds doesn't count",
			   disc->path, (unsigned long long)drive->damaged_start);
		ret = disc_add_bad_session(disc, drive->damaged_start);
		if (ret < 0)
			return reason_set(why, -ret, "%s can't be written: %s", disc->tree.db.path,
					  strerror(-ret));
	}
	ret = drive_run(disc->path, &task, NULL, NULL, &facts, why);
	drive_facts_clear(&facts);
	return ret;
}

int prepare_medium(struct disc *disc, struct probe *probe, bool *touched, struct reason *why)
{
	const struct verb_drive *drive = &probe->facts.drive;
	uint32_t op = probe->is_drive ? needed(drive) : 0;
	struct probe ready = { 0 };
	int ret;

	if (!op)
		return 0;
	*touched = true;
	ret = do_it(disc, drive, op, why);
	if (ret == 0)
		ret = disc_check_same(disc, &ready, why);
	if (ret < 0)
		return ret;
	probe_clear(probe);
	*probe = ready;
	if (needed(&probe->facts.drive))
		return reason_set(why, EIO,
				  "the disc in %s can't be made ready for a new session: the drive still "
				  "says that it must be %s",
				  disc->path, op == DRIVE_FORMAT ? "formatted" : "closed first");
	return 0;
}
