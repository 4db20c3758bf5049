/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's part of a drive, in the process that believes to talk to it: what sr, cdrom and sg do on real
 * hardware.
 *
 * interpose_*.c replace the calls of libc and ask host_by_path and host_by_fd whether a drive is meant.
 * Everything that concerns the disc goes through drive_execute, as the kernel's own commands do. Results are
 * 0 or more, or -errno. */
#pragma once

#include "drive.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#define DEVICE_MAJOR 11u /* SCSI CD-ROM */

struct host_drive {
	struct drive drive;
	char anchor[520];
	unsigned number; /* /dev/srN */
	dev_t dev;	 /* the anchor's */
	ino_t ino;
	int probe; /* on the anchor, never closed: asks who has the drive open */
};

/* Between enter and leave, calls of libc made in here are libc's, and the thread can't be cancelled. False:
 * this is such a call, or there are no simulated drives. */
bool host_enter(void);
void host_leave(void);
/* Whether this process has had a simulated drive open. */
bool host_in_use(void);

/* The drive that a path (/dev/srN, or a symbolic link to it) or a descriptor means; NULL if it's something
 * else. */
struct host_drive *host_by_path(int dirfd, const char *path, bool follow);
struct host_drive *host_by_fd(int fd);
/* The same by the status of a file. */
struct host_drive *host_by_stat(const struct stat *status);

/* host_kernel.c: opening and closing, events, what the kernel knows of the disc. */
int host_open(struct host_drive *host, int flags);
/* Does what an open does to a descriptor of the anchor that came about another way (/proc/self/fd). */
int host_opened(struct host_drive *host, int fd, int flags);
/* After a close: maybe it was the last one. */
void host_closed(struct host_drive *host);
bool host_has_other_openers(struct host_drive *host, int fd);
bool host_is_claimed(struct host_drive *host);
/* The sense of its last TEST UNIT READY. */
struct sense host_check_events(struct host_drive *host);
void host_poll(struct host_drive *host);
/* CDS_… as the ioctl CDROM_DRIVE_STATUS gives it. */
int host_drive_status(struct host_drive *host);
/* Whether the kernel would let programs write(2) to this disc. */
bool host_is_writable(struct host_drive *host);

/* One command of the kernel's own: 0, -EIO. The sense may be NULL. */
int host_command(struct host_drive *host, const uint8_t *cdb, size_t cdb_length, enum direction direction,
		 void *data, size_t length, struct sense *ret_sense);
/* READ TOC in a format; the number of bytes that came. */
int host_read_toc(struct host_drive *host, unsigned format, bool msf, unsigned track, uint8_t *data,
		  size_t length);

/* host_read.c */
ssize_t host_pread(struct host_drive *host, void *data, size_t length, off_t offset);
ssize_t host_pwrite(struct host_drive *host, const void *data, size_t length, off_t offset);
uint64_t host_size(struct host_drive *host);

/* host_ioctl.c, host_sg.c */
int host_ioctl(struct host_drive *host, int fd, unsigned long request, void *argument);
int host_sg_io(struct host_drive *host, int fd, void *argument);
int host_send_packet(struct host_drive *host, int fd, void *argument);
