/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and closing a drive, and what the kernel knows of the disc: block/bdev.c, drivers/cdrom/cdrom.c and
 * drivers/scsi/sr.c of Linux 6.
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/cdrom.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mmc.h"

#define TRIES 3 /* of TEST UNIT READY on unit attentions, sr.c's MAX_RETRIES */

/* --- commands ------------------------------------------------------------------ */

int host_command(struct host_drive *host, const uint8_t *cdb, size_t cdb_length, enum direction direction,
		 void *data, size_t length, struct sense *ret_sense)
{
	struct command command = {
		.cdb = cdb, .cdb_length = cdb_length, .direction = direction, .data = data, .length = length
	};

	drive_execute(&host->drive, &command);
	if (ret_sense)
		*ret_sense = command.status == 0
				 ? SENSE(0, 0, 0)
				 : SENSE(command.sense[2] & 15u, command.sense[12], command.sense[13]);
	return command.status == 0 ? (int)command.transferred : -EIO;
}

static int test_unit_ready(struct host_drive *host, struct sense *ret, bool *ret_attention)
{
	static const uint8_t cdb[6] = { 0 };
	int r = -EIO;

	for (int tries = 0; tries < TRIES; tries++) {
		r = host_command(host, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, ret);
		if (ret->key != 6)
			break;
		*ret_attention = true;
	}
	return r;
}

static int prevent_removal(struct host_drive *host, bool prevent)
{
	const uint8_t cdb[6] = { 0x1E, 0, 0, 0, prevent, 0 };

	return host_command(host, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, NULL);
}

int host_read_toc(struct host_drive *host, unsigned format, bool msf, unsigned track, uint8_t *data,
		  size_t length)
{
	const uint8_t cdb[10] = { 0x43,		  (uint8_t)(msf ? 2 : 0), (uint8_t)format, 0, 0, 0,
				  (uint8_t)track, (uint8_t)(length >> 8), (uint8_t)length };

	return host_command(host, cdb, sizeof(cdb), DIRECTION_FROM_DRIVE, data, length, NULL);
}

/* The media event, 8 bytes; false if the drive has none to tell. */
static bool media_event(struct host_drive *host, uint8_t event[8])
{
	static const uint8_t cdb[10] = { 0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8 };

	memset(event, 0, 8);
	return host_command(host, cdb, sizeof(cdb), DIRECTION_FROM_DRIVE, event, 8, NULL) >= 8 &&
	       (event[2] & 0x87) == 4;
}

/* --- events -------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* sr_check_events: it takes the drive's event and its unit attention, and nobody else will see them. */
struct sense host_check_events(struct host_drive *host)
{
	struct drive_state *state = host->drive.state;
	bool attention = state->kernel_changed != 0, present;
	struct sense sense;
	uint8_t event[8];

	if (media_event(host, event) && ((event[4] & 15) == 2 || (event[4] & 15) == 3))
		attention = true;
	present = test_unit_ready(host, &sense, &attention) >= 0 || sense.asc != 0x3A;
	if (attention || present != (state->kernel_present != 0))
		state->kernel_pending = state->kernel_noticed = 1;
	state->kernel_present = present;
	state->kernel_changed = 0;
	state->kernel_polled = now_ms();
	return sense;
}

/* udev sets the kernel to ask every two seconds (60-block.rules); it doesn't while someone has the drive for
 * writing and exclusively. Here it asks when a program next calls. MMCSIM_POLL: another interval in ms, 0 =
 * never. */
void host_poll(struct host_drive *host)
{
	const char *text = getenv("MMCSIM_POLL");
	uint64_t interval = text ? strtoull(text, NULL, 10) : 2000;

	if (interval > 0 && now_ms() - host->drive.state->kernel_polled >= interval && !host_is_claimed(host))
		host_check_events(host);
}

/* --- what the disc is, as of the last look -------------------------------------- */

/* cdrom_get_last_written */
static uint32_t last_written(struct host_drive *host)
{
	static const uint8_t disc_cdb[10] = { 0x51, 0, 0, 0, 0, 0, 0, 0, 34 };
	uint8_t disc[34] = { 0 }, track[36] = { 0 }, cdb[10] = { 0x52, 1, 0, 0, 0, 0, 0, 0, 36 };
	uint32_t last, free_blocks;

	if (host_command(host, disc_cdb, 10, DIRECTION_FROM_DRIVE, disc, sizeof(disc), NULL) < 7)
		return 0;
	last = (uint32_t)disc[11] << 8 | disc[6];
	for (int i = 0; i < 2; i++) {
		mmc_put32(cdb + 2, last);
		if (host_command(host, cdb, 10, DIRECTION_FROM_DRIVE, track, sizeof(track), NULL) < 28)
			return 0;
		if (!(track[6] & 0x40) || last == 1)
			break;
		last--;
	}
	if (track[6] & 0x40)
		return 0;
	if (track[7] & 2)
		return mmc_be32(track + 28);
	free_blocks = mmc_be32(track + 16);
	return mmc_be32(track + 8) + mmc_be32(track + 24) - (free_blocks > 0 ? free_blocks + 7 : 0);
}

/* get_sectorsize: a drive that can't tell has 1 GiB. */
static uint64_t read_capacity(struct host_drive *host)
{
	static const uint8_t cdb[10] = { 0x25 };
	uint64_t sectors, written;
	uint8_t data[8];

	if (host_command(host, cdb, sizeof(cdb), DIRECTION_FROM_DRIVE, data, sizeof(data), NULL) < 8)
		return 0x1FFFFF;
	sectors = (uint64_t)mmc_be32(data) + 1;
	written = last_written(host);
	return (written > sectors ? written : sectors) * 4;
}

/* sr_cd_check: the last session's first track, unless it's the first session. */
static uint32_t read_multisession(struct host_drive *host)
{
	uint8_t toc[12];

	if (host_read_toc(host, 1, false, 0, toc, sizeof(toc)) < 12 || toc[6] <= 1)
		return 0;
	return mmc_be32(toc + 8);
}

static void host_look(struct host_drive *host)
{
	host->drive.state->kernel_multisession = read_multisession(host);
	host->drive.state->kernel_capacity = read_capacity(host);
}

int host_drive_status(struct host_drive *host)
{
	struct sense sense;
	uint8_t event[8];
	bool attention;

	if (test_unit_ready(host, &sense, &attention) >= 0)
		return CDS_DISC_OK;
	if (sense.key == 2 && sense.asc == 4 && sense.ascq == 1)
		return CDS_DRIVE_NOT_READY;
	if (media_event(host, event)) {
		if (event[5] & 2)
			return CDS_DISC_OK;
		return event[5] & 1 ? CDS_TRAY_OPEN : CDS_NO_DISC;
	}
	if (sense.key == 2 && sense.asc == 4)
		return sense.ascq == 2 ? CDS_TRAY_OPEN : CDS_DISC_OK;
	if (sense.asc == 0x3A)
		return sense.ascq == 1 ? CDS_NO_DISC : CDS_TRAY_OPEN;
	return CDS_DRIVE_NOT_READY;
}

/* cdrom_open_write: of a CD/DVD burner's media these, and whatever has the feature Random Writable (0020h).
 */
bool host_is_writable(struct host_drive *host)
{
	static const uint8_t cdb[10] = { 0x46, 2, 0, 0x20, 0, 0, 0, 0, 24 };
	uint8_t data[24] = { 0 };
	uint32_t profile;

	if (host_command(host, cdb, sizeof(cdb), DIRECTION_FROM_DRIVE, data, sizeof(data), NULL) < 8)
		return false;
	profile = mmc_be16(data + 6);
	return profile == PROFILE_DVD_RAM || profile == PROFILE_DVD_PLUS_RW || profile == PROFILE_BD_RE ||
	       (mmc_be16(data + 8) == 0x20 && (data[10] & 1));
}

/* --- open and close ------------------------------------------------------------ */

static int hold(int fd, off_t at)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

bool host_has_other_openers(struct host_drive *host, int fd)
{
	return drive_is_held(fd, LOCK_OPEN);
}

bool host_is_claimed(struct host_drive *host)
{
	return drive_is_held(host->probe, LOCK_EXCLUSIVE);
}

static int host_claim(struct host_drive *host, int fd, bool exclusive)
{
	int r = 0;

	drive_lock(&host->drive);
	if (exclusive)
		r = drive_is_held(fd, LOCK_EXCLUSIVE) ? -EBUSY : hold(fd, LOCK_EXCLUSIVE);
	if (r == 0)
		r = hold(fd, LOCK_OPEN);
	drive_unlock(&host->drive);
	return r;
}

static int tray_close(struct host_drive *host)
{
	static const uint8_t cdb[6] = { 0x1B, 0, 0, 0, 3 };

	return host_command(host, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, NULL);
}

/* open_for_data: with a disc only; an open tray goes in (autoclose), the door is locked. */
static int open_for_data(struct host_drive *host, bool for_writing)
{
	int status = host_drive_status(host);

	if (status == CDS_TRAY_OPEN && tray_close(host) >= 0) {
		host_check_events(host);
		status = host_drive_status(host);
		/* The kernel waits for it up to ten seconds. */
		for (int i = 0; i < 100 && status == CDS_DRIVE_NOT_READY; i++) {
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
			status = host_drive_status(host);
		}
	}
	if (status != CDS_DISC_OK)
		return -ENOMEDIUM;
	prevent_removal(host, true);
	return for_writing && !host_is_writable(host) ? -EROFS : 0;
}

int host_opened(struct host_drive *host, int fd, int flags)
{
	struct drive_state *state = host->drive.state;
	struct sense sense;
	bool ready;
	int r;

	host_closed(host); /* of a process that was killed nobody heard */
	r = host_claim(host, fd, flags & O_EXCL);
	if (r < 0)
		return r;
	state->kernel_used = 1;
	sense = host_check_events(host);
	ready = sense.key != 2 || sense.asc != 4;
	/* sr_revalidate_disk: a drive that isn't ready leaves all as it was. */
	if (state->kernel_pending && ready)
		host_look(host);
	state->kernel_pending = 0;
	if (flags & O_NONBLOCK)
		return 0;
	/* Getting ready takes a drive seconds, not the three commands of one open. */
	if (!ready)
		return -ENOMEDIUM;
	return open_for_data(host, (flags & O_ACCMODE) != O_RDONLY);
}

int host_open(struct host_drive *host, int flags)
{
	/* A lock needs a descriptor that can read. */
	int access = (flags & O_ACCMODE) == O_RDONLY ? O_RDONLY : O_RDWR;
	int fd, r;

	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	fd = open(host->anchor, access | (flags & (O_CLOEXEC | O_NONBLOCK | O_PATH)));
	if (fd < 0)
		return -errno;
	if (flags & O_PATH)
		return fd;
	r = host_opened(host, fd, flags);
	if (r == 0)
		return fd;
	close(fd);
	host_closed(host);
	return r;
}

/* cdrom_release: the last one's close unlocks the door, whoever locked it. */
void host_closed(struct host_drive *host)
{
	struct drive_state *state = host->drive.state;

	if (!state->kernel_used || drive_is_held(host->probe, LOCK_OPEN))
		return;
	state->kernel_used = 0;
	prevent_removal(host, false);
}
