/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/look.h"

#include "base/fd.h"
#include "ctl/json.h"
#include "ctl/mounts.h"
#include "ctl/target.h"
#include "model/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SESSION_BLOCK 32u /* sessions of overwriteable media begin at multiples of it */

static const char *const state_names[] = {
	[LOOK_UNKNOWN] = "unknown",	  [LOOK_EMPTY] = "empty",   [LOOK_UNFORMATTED] = "unformatted",
	[LOOK_BLANK] = "blank",		  [LOOK_CLOSED] = "closed", [LOOK_APPENDABLE] = "appendable",
	[LOOK_UNREADABLE] = "unreadable",
};

const char *look_state_name(enum look_state state)
{
	return state_names[state];
}

int look_drives(char (*ret)[LOOK_PATH_ROOM], int most)
{
	int count = 0;

	for (int number = 0; number < LOOK_DRIVES_LIMIT && count < most; number++) {
		struct stat st;

		snprintf(ret[count], LOOK_PATH_ROOM, "/dev/sr%d", number);
		if (stat(ret[count], &st) == 0 && S_ISBLK(st.st_mode))
			count++;
	}
	return count;
}

void look_clear(struct look *look)
{
	drive_facts_clear(&look->facts);
}

/* One line of /sys, without the padding. */
static void read_word(const char *drive, const char *name, char *ret, size_t room)
{
	const char *slash = strrchr(drive, '/');
	char path[PATH_MAX], word[64] = "";
	AUTO_CLOSE int fd = -1;
	ssize_t length;

	snprintf(path, sizeof path, "/sys/class/block/%.64s/device/%s", slash ? slash + 1 : drive, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? 0 : read(fd, word, sizeof word - 1);
	while (length > 0 && ((unsigned char)word[length - 1] <= ' '))
		length--;
	snprintf(ret, room, "%.*s", length > 0 ? (int)length : 0, word);
}

/* The kernel asked the drive when it found it. */
static void look_by_kernel(struct look *look)
{
	read_word(look->path, "vendor", look->vendor, sizeof look->vendor);
	read_word(look->path, "model", look->product, sizeof look->product);
	read_word(look->path, "rev", look->revision, sizeof look->revision);
}

void look_set_medium(struct look *look, const char *profile)
{
	const struct medium_kind *kind = profile ? medium_kind_find(profile) : NULL;

	look->medium = kind ? kind->name : NULL;
	look->title = kind ? kind->title : NULL;
}

static enum look_state state_find(const char *name)
{
	for (size_t i = LOOK_EMPTY; name && i < sizeof state_names / sizeof *state_names; i++)
		if (strcmp(state_names[i], name) == 0)
			return (enum look_state)i;
	return LOOK_UNKNOWN;
}

/* Stays as it is where the status has none. */
static void take_word(const struct json *status, const char *path, char *ret, size_t room)
{
	AUTO_FREE char *word = json_string(status, "%s", path);

	if (word && word[0])
		snprintf(ret, room, "%s", word);
}

/* What the discfs that has it mounted says. */
static void look_by_status(struct look *look)
{
	AUTO_JSON struct json status = { 0 };
	struct target target;
	int err;

	snprintf(target.root, sizeof target.root, "%s", look->mountpoint);
	err = target_peek(&target, &status);
	if (err < 0) {
		reason_set(&look->why, -err, "the discfs at %.300s doesn't answer: %s", look->mountpoint,
			   strerror(-err));
		look->access = LOOK_FAILED;
		return;
	}
	AUTO_FREE char *profile = json_string(&status, "$.medium.profile");
	AUTO_FREE char *state = json_string(&status, "$.medium.state");
	AUTO_FREE char *label = json_string(&status, "$.label");

	take_word(&status, "$.drive.vendor", look->vendor, sizeof look->vendor);
	take_word(&status, "$.drive.product", look->product, sizeof look->product);
	take_word(&status, "$.drive.revision", look->revision, sizeof look->revision);
	look->access = json_has(&status, "$.work") ? LOOK_BURNING : LOOK_MOUNTED;
	look_set_medium(look, profile);
	look->state = state_find(state);
	snprintf(look->label, sizeof look->label, "%s", label ? label : "");
	look->capacity = (uint64_t)json_int(&status, "$.medium.capacity_sectors");
	look->free = (uint64_t)json_int(&status, "$.room.free_bytes") / SECTOR;
}

/* Somebody else's claim shows at once; the worker would wait for its end. */
static bool look_is_claimed(struct look *look)
{
	AUTO_CLOSE int fd = open(look->path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 || errno != EBUSY)
		return false;
	look->access = LOOK_BUSY;
	return true;
}

/* On overwriteable media it's the head that tells whether there is a session at all. */
static void look_at_session(struct look *look)
{
	const struct verb_drive *drive = &look->facts.drive;

	snprintf(look->label, sizeof look->label, "%s", drive->label);
	if (drive->head == HEAD_UNREADABLE)
		look->state = LOOK_UNREADABLE;
	else if (drive->overwriteable && drive->head == HEAD_ZERO)
		look->state = LOOK_BLANK;
	else if (drive->overwriteable)
		look->free -= min_u64(round_up(drive->volume_sectors, SESSION_BLOCK), look->free);
}

static enum look_state state_of(const struct verb_drive *drive)
{
	static const enum look_state by_status[] = {
		[DRIVE_EMPTY] = LOOK_EMPTY,	      [DRIVE_BLANK] = LOOK_BLANK,
		[DRIVE_APPENDABLE] = LOOK_APPENDABLE, [DRIVE_CLOSED] = LOOK_CLOSED,
		[DRIVE_UNUSABLE] = LOOK_UNREADABLE,
	};

	if (drive->status == DRIVE_EMPTY)
		return LOOK_EMPTY;
	if (drive->overwriteable)
		return drive->formatted ? LOOK_APPENDABLE : LOOK_UNFORMATTED;
	return by_status[drive->status];
}

/* look->facts is there. */
static void look_take_facts(struct look *look)
{
	const struct verb_drive *drive = &look->facts.drive;

	look->access = LOOK_ASKED;
	snprintf(look->vendor, sizeof look->vendor, "%s", drive->vendor);
	snprintf(look->product, sizeof look->product, "%s", drive->product);
	snprintf(look->revision, sizeof look->revision, "%s", drive->revision);
	look->state = state_of(drive);
	if (look->state == LOOK_EMPTY)
		return;
	look->medium = medium_kind_of(drive->profile)->name;
	look->title = medium_kind_of(drive->profile)->title;
	look->capacity = drive->capacity;
	look->free = look->state == LOOK_CLOSED ? 0 : drive->free;
	if (look->state == LOOK_APPENDABLE || look->state == LOOK_CLOSED)
		look_at_session(look);
}

static void look_by_asking(struct look *look)
{
	const struct verb_task task = { .op = DRIVE_INQUIRE, .look = true };

	if (drive_run(look->path, &task, NULL, NULL, &look->facts, &look->why) == 0)
		look_take_facts(look);
	else
		look->access = look->why.err == EBUSY ? LOOK_BUSY : LOOK_FAILED;
}

void look_from_facts(const char *path, struct drive_facts *facts, struct look *ret)
{
	*ret = (struct look){ .facts = *facts };
	*facts = (struct drive_facts){ 0 };
	snprintf(ret->path, sizeof ret->path, "%s", path);
	look_take_facts(ret);
}

bool look_from_afar(const char *path, struct look *ret)
{
	char type[sizeof ret->filesystem];
	struct target target;
	struct stat st;

	*ret = (struct look){ 0 };
	snprintf(ret->path, sizeof ret->path, "%s", path);
	look_by_kernel(ret);
	if (stat(path, &st) < 0) {
		ret->access = LOOK_FAILED;
		reason_set(&ret->why, errno, "%s", strerror(errno));
		return true;
	}
	if (!target_of_any(path, st.st_rdev, &target, type, sizeof type))
		return false;
	snprintf(ret->mountpoint, sizeof ret->mountpoint, "%s", target.root);
	snprintf(ret->filesystem, sizeof ret->filesystem, "%s", type);
	ret->access = LOOK_MOUNTED;
	if (strcmp(type, MOUNTS_DISCFS) == 0)
		look_by_status(ret);
	return true;
}

void look_at(const char *path, struct look *ret)
{
	if (!look_from_afar(path, ret) && !look_is_claimed(ret))
		look_by_asking(ret);
}
