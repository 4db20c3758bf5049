/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/drive.h"

#include "base/bytes.h"
#include "base/sg.h"

#include <libburn/libburn.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define READY_S		 60 /* a drive spins up and settles */
#define PAUSE_MS	 500
#define BUSY_TRIES	 10
#define READ_CHUNK	 32u
#define CONTROL_DATA	 4u /* bit of the CONTROL field, MMC-5 6.26.3.2 */
#define PROFILE_CD_R	 0x09
#define PROFILE_CD_RW	 0x0a
#define DVD_RW_OVERWRITE 0x13u /* profile: restricted overwrite */

void drive_forget_messages(void)
{
	char text[BURN_MSGS_MESSAGE_LEN], severity[80], from[] = "ALL";
	int code, system;

	while (burn_msgs_obtain(from, &code, text, &system, severity) > 0)
		;
}

/* "SCSI error on write(13962,16): [3 0C 00] Medium error. Write error." */
static void in_plain_words(const char *text, char *ret, size_t room)
{
	char verb[16];
	int lba, blocks, rest = 0;
	size_t length;

	if (sscanf(text, "SCSI error on %15[a-z_0-9](%d,%d): %n", verb, &lba, &blocks, &rest) == 3 && rest)
		snprintf(ret, room, "sectors %d..%d can't be %s: %.280s", lba, lba + blocks - 1,
			 strncmp(verb, "write", strlen("write")) == 0 ? "written" : "read", text + rest);
	else
		snprintf(ret, room, "%.340s", text);
	length = strlen(ret);
	if (length && ret[length - 1] == '.')
		ret[length - 1] = '\0';
}

int drive_failed(int err, const char *what, struct reason *why)
{
	char text[BURN_MSGS_MESSAGE_LEN], severity[80], from[] = "SORRY", plain[360];
	struct reason said = { 0 };
	int code, system;

	while (burn_msgs_obtain(from, &code, text, &system, severity) > 0) {
		text[strcspn(text, "\n")] = '\0';
		in_plain_words(text, plain, sizeof plain);
		reason_set(&said, system == ENOSPC ? ENOSPC : err, "%s%s%s", plain, system ? ": " : "",
			   system ? strerror(system) : "");
	}
	return reason_set(why, said.err ? said.err : err, "%s%s%s", what, said.err ? ": " : "", said.text);
}

static void pause_ms(long ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&pause, NULL);
}

static int start(struct reason *why)
{
	char queue[] = "SORRY", print[] = "NEVER";

	if (!burn_initialize())
		return reason_set(why, EIO, "libburn doesn't start");
	burn_msgs_set_severities(queue, print, print);
	return 0;
}

static int scan_and_grab(struct drive *drive, const char *address)
{
	char copy[PATH_LIMIT + 8];

	snprintf(copy, sizeof copy, "%s", address);
	if (burn_drive_scan_and_grab(&drive->infos, copy, 0) <= 0) {
		drive->infos = NULL;
		return -EIO;
	}
	drive->drive = drive->infos[0].drive;
	return 0;
}

int drive_grab_image(struct drive *drive, const char *path, struct reason *why)
{
	char address[PATH_LIMIT + 8];
	int got = start(why);

	if (got < 0)
		return got;
	snprintf(drive->path, sizeof drive->path, "%s", path);
	snprintf(address, sizeof address, "stdio:%s", path);
	if (scan_and_grab(drive, address) < 0)
		return drive_failed(EBUSY, "the image file can't be opened for burning", why);
	if (burn_drive_get_drive_role(drive->drive) != 2)
		return reason_set(why, EOPNOTSUPP, "%s isn't an image file", path);
	return 0;
}

/* libburn asks for minutes and then says just "busy" or nothing: find out before it. */
static int wait_for_exclusive(const char *path, struct reason *why)
{
	int err = 0;

	for (int tries = 0; tries < BUSY_TRIES; tries++) {
		AUTO_CLOSE int fd = open(path, O_RDWR | O_EXCL | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0)
			return 0;
		err = errno;
		if (err != EBUSY)
			break;
		pause_ms(PAUSE_MS);
	}
	if (err == EBUSY)
		return reason_set(
		    why, EBUSY,
		    "%s is in use: it is burning, or mounted without discfs, or another program "
		    "has it for itself",
		    path);
	if (err == EACCES || err == EPERM)
		return reason_set(why, err,
				  "%s can't be opened for writing: your user must be in the group that owns "
				  "it (cdrom)",
				  path);
	return reason_set(why, err, "%s can't be opened: %s", path, strerror(err));
}

/* A drive that has just got its disc says for a while that it isn't ready. */
static int wait_until_ready(struct drive *drive, struct reason *why)
{
	for (int waited = 0; burn_disc_get_status(drive->drive) == BURN_DISC_UNREADY; waited += PAUSE_MS) {
		if (waited >= READY_S * 1000)
			return reason_set(why, EAGAIN,
					  "%s is not ready after %d seconds: take the disc out, look at it, "
					  "and try again",
					  drive->path, READY_S);
		pause_ms(PAUSE_MS);
		burn_drive_re_assess(drive->drive, 0);
	}
	drive_forget_messages();
	return 0;
}

int drive_grab(struct drive *drive, const char *path, struct reason *why)
{
	int got = start(why);

	snprintf(drive->path, sizeof drive->path, "%s", path);
	if (got == 0)
		got = wait_for_exclusive(path, why);
	if (got < 0)
		return got;
	if (scan_and_grab(drive, path) < 0)
		return drive_failed(EBUSY, "the drive can't be had for burning", why);
	if (burn_drive_get_drive_role(drive->drive) != 1)
		return reason_set(why, ENXIO, "%s is no optical drive", path);
	return wait_until_ready(drive, why);
}

void drive_release(struct drive *drive)
{
	if (drive->drive)
		burn_drive_release(drive->drive, 0);
	if (drive->infos)
		burn_drive_info_free(drive->infos);
	drive->drive = NULL;
	drive->infos = NULL;
}

int drive_reassess(struct drive *drive, struct reason *why)
{
	if (burn_drive_re_assess(drive->drive, 0) <= 0)
		return drive_failed(EIO, "the drive doesn't tell what it holds", why);
	return wait_until_ready(drive, why);
}

/* Padding and control characters off both ends. */
static void copy_word(char *ret, size_t room, const char *from, size_t length)
{
	size_t used = 0;

	while (length && (from[length - 1] == ' ' || from[length - 1] == '\0'))
		length--;
	for (size_t i = 0; i < length && from[i] && used + 1 < room; i++)
		ret[used++] = from[i] < ' ' || from[i] > '~' ? '?' : from[i];
	ret[used] = '\0';
}

static void describe_drive(const struct drive *drive, struct verb_drive *ret)
{
	const struct burn_drive_info *info = &drive->infos[0];
	char *serial = NULL;
	int length = 0;

	copy_word(ret->vendor, sizeof ret->vendor, info->vendor, strnlen(info->vendor, 8));
	copy_word(ret->product, sizeof ret->product, info->product, strnlen(info->product, 16));
	copy_word(ret->revision, sizeof ret->revision, info->revision, strnlen(info->revision, 4));
	if (burn_drive_get_serial_no(drive->drive, &serial, &length) > 0 && serial)
		copy_word(ret->serial, sizeof ret->serial, serial, (size_t)length);
	free(serial);
}

static int describe_speeds(const struct drive *drive, struct drive_report *ret)
{
	struct burn_speed_descriptor *list = NULL;

	if (burn_drive_get_speedlist(drive->drive, &list) <= 0)
		return 0;
	for (const struct burn_speed_descriptor *at = list; at && ret->speeds.count < SPEEDS_LIMIT;
	     at = at->next) {
		int kbps = at->write_speed > 0 ? at->write_speed : at->read_speed;
		struct verb_speed *speed = kbps > 0 ? vec_push(&ret->speeds) : NULL;

		if (speed)
			*speed = (struct verb_speed){ .kbps = (uint32_t)kbps, .write = at->write_speed > 0 };
	}
	burn_drive_free_speedlist(&list);
	return 0;
}

static int add_track(struct drive_report *ret, const struct burn_toc_entry *entry)
{
	struct verb_track *track;

	if (!(entry->extensions_valid & 1) || entry->start_lba < 0 || entry->track_blocks <= 0 ||
	    ret->tracks.count >= TRACKS_LIMIT)
		return 0;
	track = vec_push(&ret->tracks);
	if (!track)
		return -ENOMEM;
	*track = (struct verb_track){ .number = entry->point | (uint32_t)entry->point_msb << 8,
				      .session = entry->session | (uint32_t)entry->session_msb << 8,
				      .start = (uint64_t)entry->start_lba,
				      .sectors = (uint64_t)entry->track_blocks,
				      .data = entry->control & CONTROL_DATA };
	return 0;
}

static int describe_sessions(struct burn_disc *disc, struct drive_report *ret)
{
	struct burn_session **sessions;
	int count = 0, got = 0;

	sessions = burn_disc_get_sessions(disc, &count);
	for (int i = 0; got == 0 && i < count; i++) {
		int tracks = 0;
		struct burn_track **list = burn_session_get_tracks(sessions[i], &tracks);

		for (int j = 0; got == 0 && j < tracks; j++) {
			struct burn_toc_entry entry;

			burn_track_get_entry(list[j], &entry);
			got = add_track(ret, &entry);
		}
	}
	return got;
}

static int describe_tracks(const struct drive *drive, struct drive_report *ret)
{
	struct burn_disc *disc = burn_drive_get_disc(drive->drive);
	int got = disc ? describe_sessions(disc, ret) : 0;

	if (disc)
		burn_disc_free(disc);
	return got;
}

/* For what libburn doesn't tell. It holds the drive, but doesn't keep us out. */
static int open_beside(const struct drive *drive)
{
	return open(drive->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Something was recorded in a session that was never finished: what is appended would become a part of it. */
static bool find_remains(const struct drive *drive, int *ret_lba)
{
	AUTO_CLOSE int fd = open_beside(drive);
	struct sg_disc_info info;
	uint32_t start = 0;

	if (fd < 0 || sg_disc_information(fd, &info) < 0 || info.last_session_state != SG_SESSION_INCOMPLETE)
		return false;
	if (sg_track_start(fd, info.first_track, &start) == 0)
		*ret_lba = (int)start;
	return true;
}

/* Where the next session would begin. A track that was begun and never closed lies in the way: what is
 * written at its NWA would become a part of it. */
static void describe_next(const struct drive *drive, struct verb_drive *ret)
{
	int lba = 0, nwa = 0;
	int valid = burn_disc_track_lba_nwa(drive->drive, NULL, 0, &lba, &nwa);

	ret->free = (uint64_t)burn_disc_available_space(drive->drive, NULL) / SECTOR;
	ret->damaged = burn_disc_next_track_is_damaged(drive->drive, 0) != 0;
	if (valid == 1 && nwa >= 0)
		ret->nwa = (uint64_t)nwa;
	if (ret->status == DRIVE_APPENDABLE && (valid != 1 || nwa != lba || find_remains(drive, &lba)))
		ret->damaged = true;
	if (ret->damaged)
		ret->damaged_start = lba >= 0 ? (uint64_t)lba : 0;
}

/* libburn gives them also where it says that there are none. */
static void free_caps(struct burn_multi_caps **caps)
{
	if (*caps)
		burn_disc_free_multi_caps(caps);
}

static void describe_sequential(const struct drive *drive, struct verb_drive *ret)
{
	CLEANUP(free_caps) struct burn_multi_caps *caps = NULL;

	describe_next(drive, ret);
	if (burn_disc_get_multi_caps(drive->drive, BURN_WRITE_NONE, &caps, 0) <= 0)
		return;
	ret->single = !caps->multi_session;
	ret->simulates = caps->might_simulate;
	ret->capacity = ret->nwa + ret->free;
}

static uint64_t readable_sectors(const struct drive *drive)
{
	int capacity = 0;

	return burn_get_read_capacity(drive->drive, &capacity, 0) > 0 && capacity > 0 ? (uint64_t)capacity
										      : 0;
}

uint64_t drive_capacity(const struct drive *drive)
{
	return (uint64_t)burn_disc_available_space(drive->drive, NULL) / SECTOR;
}

/* A DVD-RW says "unknown" while its last border is open: after a quick format, and after a burn that was cut
 * off. It holds what it held. */
static void describe_overwriteable(const struct drive *drive, struct verb_drive *ret)
{
	int status = 0, formats = 0;
	unsigned bl_sas = 0;
	off_t size = 0;

	if (burn_disc_get_formats(drive->drive, &status, &size, &bl_sas, &formats) > 0)
		ret->formatted = status == BURN_FORMAT_IS_FORMATTED ||
				 (ret->profile == DVD_RW_OVERWRITE && status == BURN_FORMAT_IS_UNKNOWN);
	ret->capacity = ret->free = drive_capacity(drive);
	if (ret->formatted && size > 0 && !ret->capacity)
		ret->capacity = ret->free = (uint64_t)size / SECTOR;
}

static bool is_overwriteable(const struct drive *drive)
{
	CLEANUP(free_caps) struct burn_multi_caps *caps = NULL;

	return burn_disc_get_multi_caps(drive->drive, BURN_WRITE_NONE, &caps, 0) > 0 && caps->start_adr != 0;
}

/* A CD has a table of contents when its first session is finished; libburn takes one without for unsuitable.
 * A table that is there and can't be read is another matter. */
static bool is_unfinished_cd(const struct drive *drive)
{
	AUTO_CLOSE int fd = open_beside(drive);
	struct sg_disc_info info;
	char name[80];
	int profile = 0;

	if (burn_disc_get_profile(drive->drive, &profile, name) <= 0 ||
	    (profile != PROFILE_CD_R && profile != PROFILE_CD_RW))
		return false;
	return fd >= 0 && sg_disc_information(fd, &info) == 0 && info.status == 1 && info.sessions == 1 &&
	       info.last_session_state == SG_SESSION_INCOMPLETE;
}

static uint32_t status_of(const struct drive *drive)
{
	switch (burn_disc_get_status(drive->drive)) {
	case BURN_DISC_EMPTY:
		return DRIVE_EMPTY;
	case BURN_DISC_BLANK:
		return DRIVE_BLANK;
	case BURN_DISC_APPENDABLE:
		return DRIVE_APPENDABLE;
	case BURN_DISC_FULL:
		return DRIVE_CLOSED;
	default:
		return is_unfinished_cd(drive) ? DRIVE_APPENDABLE : DRIVE_UNUSABLE;
	}
}

static void describe_medium(const struct drive *drive, struct verb_drive *ret)
{
	char name[80];
	int profile = 0;

	if (burn_disc_get_profile(drive->drive, &profile, name) > 0 && profile > 0)
		ret->profile = (uint32_t)profile;
	ret->overwriteable = is_overwriteable(drive);
	if (ret->overwriteable)
		describe_overwriteable(drive, ret);
	else if (ret->status == DRIVE_BLANK || ret->status == DRIVE_APPENDABLE)
		describe_sequential(drive, ret);
	else
		ret->capacity = readable_sectors(drive);
}

int drive_describe(struct drive *drive, struct drive_report *ret, struct reason *why)
{
	int got = 0;

	ret->drive.status = status_of(drive);
	describe_drive(drive, &ret->drive);
	if (ret->drive.status != DRIVE_EMPTY) {
		describe_medium(drive, &ret->drive);
		got = describe_tracks(drive, ret);
		if (got == 0)
			got = describe_speeds(drive, ret);
	}
	ret->drive.tracks = (uint32_t)ret->tracks.count;
	ret->drive.speeds = (uint32_t)ret->speeds.count;
	drive_forget_messages();
	return got < 0 ? reason_set(why, -got, "out of memory") : 0;
}

void drive_report_clear(struct drive_report *report)
{
	vec_clear(&report->tracks);
	vec_clear(&report->speeds);
}

int drive_read(struct drive *drive, uint64_t lba, uint32_t count, void *data, struct reason *why)
{
	off_t got = 0;

	for (uint32_t done = 0; done < count; done += READ_CHUNK) {
		uint32_t take = count - done < READ_CHUNK ? count - done : READ_CHUNK;
		char *at = (char *)data + (size_t)done * SECTOR;

		if (burn_read_data(drive->drive, (off_t)((lba + done) * SECTOR), at, (off_t)take * SECTOR,
				   &got, 0) <= 0)
			return drive_failed(EIO, "the disc can't be read", why);
	}
	return 0;
}
