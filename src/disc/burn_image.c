/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/burning.h"

#include "disc/head.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SYNC_SECTORS 16384 /* 32 MiB between syncs: a full host file system shows early */

/* Blocks for the session are reserved without changing the file's size, so that a full disk shows before
 * anything is written; file systems that can't reserve are asked for their free space. */
static int reserve(const struct burning *burning)
{
	const struct burn_request *request = burning->request;
	uint64_t need = request->sectors * SECTOR;
	struct statvfs host;

	if (fallocate(burning->image, FALLOC_FL_KEEP_SIZE, (off_t)(request->start * SECTOR), (off_t)need) ==
	    0)
		return 0;
	if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG && fstatvfs(burning->image, &host) == 0 &&
	    (uint64_t)host.f_bavail * host.f_frsize >= need)
		return 0;
	return reason_set(burning->why, errno == EFBIG || errno == EDQUOT ? errno : ENOSPC,
			  "the session needs %" PRIu64 " bytes more for %s than its file system has free",
			  need, request->job->path);
}

/* Whatever lies behind the end of the recorded part (padding, a session that was never finished) goes first:
 * a crash during the burn then leaves nothing that could be taken for a session. */
static int cut_off(struct burning *burning)
{
	const struct burn_request *request = burning->request;
	struct stat info;
	uint64_t size;

	burning->image = head_open_image(request->job->path, request->source->fd, burning->why);
	if (burning->image < 0)
		return burning->image;
	if (fstat(burning->image, &info) != 0)
		return reason_set(burning->why, errno, "%s can't be looked at: %s", request->job->path,
				  strerror(errno));
	size = (uint64_t)info.st_size;
	if (size < request->job->recorded * SECTOR) /* what was there would be zeroes in the new session */
		return reason_set(burning->why, EIO, "%s was cut off: files that are recorded there are lost",
				  request->job->path);
	if (size > request->start * SECTOR &&
	    ftruncate(burning->image, (off_t)(request->start * SECTOR)) != 0)
		return reason_set(burning->why, errno, "%s can't be cut off at the end of its sessions: %s",
				  request->job->path, strerror(errno));
	return reserve(burning);
}

static int open_image(struct burning *burning)
{
	int got = cut_off(burning);

	return got < 0 ? got : drive_grab_image(&burning->drive, burning->request->job->path, burning->why);
}

static int set_options(struct burning *burning)
{
	burn_write_opts_set_multi(burning->opts, 0); /* nothing to be kept open */
	burn_write_opts_set_stdio_fsync(burning->opts, SYNC_SECTORS);
	burn_write_opts_set_start_byte(burning->opts, (off_t)(burning->request->start * SECTOR));
	return 0;
}

static int finish(struct burning *burning)
{
	const struct burn_request *request = burning->request;
	struct stat info;

	if (fsync(burning->image) != 0)
		return reason_set(burning->why, errno, "%s can't be synced: %s", request->job->path,
				  strerror(errno));
	if (fstat(burning->image, &info) != 0 ||
	    (uint64_t)info.st_size < (request->start + request->sectors) * SECTOR)
		return reason_set(burning->why, EIO, "the session isn't all in %s", request->job->path);
	return 0;
}

static void spoil(struct burning *burning)
{
	if (burning->image >= 0 && ftruncate(burning->image, (off_t)(burning->request->start * SECTOR)) != 0)
		reason_set(burning->why, errno, "what was begun can't be cut off: %s", strerror(errno));
}

const struct burn_way burn_image = { open_image, set_options, finish, spoil, true, false };
