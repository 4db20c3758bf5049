/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sectors of a drive, asked of the drive itself: the kernel's block layer knows neither what was burned since
 * the device was opened (its capacity is stale then) nor that cached blocks were overwritten. */
#pragma once

#include <stdint.h>

/* READ(10) of count sectors of 2048 bytes at lba (MMC-5 6.17). fd: the block device, open for reading. 0 or
 * -errno: -EIO, -ENOMEDIUM, -ESTALE (the disc was changed since the last command), -EAGAIN (not ready for
 * now), -ENOTTY (no drive). Waits for a drive that is getting ready. Any thread. */
int sg_read(int fd, uint64_t lba, uint32_t count, void *data);
/* WRITE(10) of at most 32 sectors, and SYNCHRONIZE CACHE. Never tried again: -ESTALE means that the disc was
 * changed before, and that nothing was written. fd: open for writing. */
int sg_write_now(int fd, uint32_t lba, uint32_t count, const void *data);

#define SG_SESSION_INCOMPLETE 1u

/* READ DISC INFORMATION (MMC-5 6.22). */
struct sg_disc_info {
	unsigned status;	     /* 0 empty, 1 incomplete, 2 complete */
	unsigned last_session_state; /* 0 empty, SG_SESSION_INCOMPLETE, 3 complete (MMC-5 table 371) */
	unsigned sessions;	     /* with the last one */
	unsigned first_track;	     /* of the last session */
	unsigned last_track;
};
/* 0 or -errno as above. */
int sg_disc_information(int fd, struct sg_disc_info *ret);
/* READ TRACK INFORMATION (MMC-5 6.27): where a track begins. */
int sg_track_start(int fd, unsigned number, uint32_t *ret);
/* CLOSE TRACK (MMC-5 6.3): ends a track that was begun. Waits until the drive is through. fd: open for
 * writing. 0 or -errno. */
int sg_close_track(int fd, unsigned number);
