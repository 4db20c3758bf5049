/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ioctls of a CD-ROM device by a table. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/cdrom.h>
#include <linux/fs.h>
#include <scsi/scsi.h>
#include <scsi/sg.h>
#include <string.h>
#include <unistd.h>

#include "mmc.h"

typedef int host_ioctl_run(struct host_drive *host, int fd, void *argument);

/* --- the drive ----------------------------------------------------------------- */

static int drive_status(struct host_drive *host, int fd, void *argument)
{
	return host_drive_status(host);
}

static int media_changed(struct host_drive *host, int fd, void *argument)
{
	struct drive_state *state = host->drive.state;
	int changed;

	host_check_events(host);
	changed = state->kernel_noticed != 0;
	state->kernel_noticed = 0;
	return changed;
}

static int capability(struct host_drive *host, int fd, void *argument)
{
	return CDC_CLOSE_TRAY | CDC_OPEN_TRAY | CDC_LOCK | CDC_SELECT_SPEED | CDC_MULTI_SESSION | CDC_MCN |
	       CDC_MEDIA_CHANGED | CDC_DRIVE_STATUS | CDC_GENERIC_PACKET | CDC_CD_R | CDC_CD_RW | CDC_DVD |
	       CDC_DVD_R | CDC_DVD_RAM | CDC_RAM;
}

static int eject(struct host_drive *host, int fd, void *argument)
{
	static const uint8_t allow[6] = { 0x1E }, start_stop[6] = { 0x1B, 0, 0, 0, 2 };

	if (host_has_other_openers(host, fd))
		return -EBUSY;
	host_command(host, allow, sizeof(allow), DIRECTION_NONE, NULL, 0, NULL);
	return host_command(host, start_stop, sizeof(start_stop), DIRECTION_NONE, NULL, 0, NULL) < 0 ? -EIO
												     : 0;
}

static int close_tray(struct host_drive *host, int fd, void *argument)
{
	static const uint8_t cdb[6] = { 0x1B, 0, 0, 0, 3 };

	return host_command(host, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, NULL) < 0 ? -EIO : 0;
}

static int lock_door(struct host_drive *host, int fd, void *argument)
{
	const uint8_t cdb[6] = { 0x1E, 0, 0, 0, argument != NULL };

	if (host_has_other_openers(host, fd) && !argument && geteuid() != 0)
		return -EBUSY;
	return host_command(host, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, NULL) < 0 ? -EIO : 0;
}

static int select_speed(struct host_drive *host, int fd, void *argument)
{
	uint8_t cdb[12] = { 0xBB };
	uintptr_t speed = (uintptr_t)argument;

	mmc_put16(cdb + 2, speed == 0 ? 0xFFFF : (uint32_t)speed * 177);
	mmc_put16(cdb + 4, 0xFFFF);
	return host_command(host, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, NULL) < 0 ? -EIO : 0;
}

/* --- the disc ------------------------------------------------------------------ */

static void to_msf(uint32_t lba, struct cdrom_msf0 *ret)
{
	uint32_t frame = lba + CD_MSF_OFFSET;

	ret->minute = (uint8_t)(frame / CD_FRAMES / CD_SECS);
	ret->second = (uint8_t)(frame / CD_FRAMES % CD_SECS);
	ret->frame = (uint8_t)(frame % CD_FRAMES);
}

static int multisession(struct host_drive *host, int fd, void *argument)
{
	struct cdrom_multisession *session = argument;
	uint32_t lba = host->drive.state->kernel_multisession;

	if (session->addr_format != CDROM_LBA && session->addr_format != CDROM_MSF)
		return -EINVAL;
	session->xa_flag = lba > 0;
	if (session->addr_format == CDROM_LBA)
		session->addr.lba = (int)lba;
	else
		to_msf(lba, &session->addr.msf);
	return 0;
}

static int toc_header(struct host_drive *host, int fd, void *argument)
{
	struct cdrom_tochdr *header = argument;
	uint8_t toc[12];

	if (host_read_toc(host, 0, false, 0, toc, sizeof(toc)) < 4)
		return -EIO;
	header->cdth_trk0 = toc[2];
	header->cdth_trk1 = toc[3];
	return 0;
}

static int toc_entry(struct host_drive *host, int fd, void *argument)
{
	struct cdrom_tocentry *entry = argument;
	uint8_t toc[12];

	if (entry->cdte_format != CDROM_LBA && entry->cdte_format != CDROM_MSF)
		return -EINVAL;
	if (host_read_toc(host, 0, false, entry->cdte_track, toc, sizeof(toc)) < 12)
		return -EIO;
	entry->cdte_ctrl = toc[5] & 15u;
	entry->cdte_adr = toc[5] >> 4;
	entry->cdte_datamode = entry->cdte_ctrl & CDROM_DATA_TRACK ? 1 : 0;
	if (entry->cdte_format == CDROM_LBA)
		entry->cdte_addr.lba = (int)mmc_be32(toc + 8);
	else
		to_msf(mmc_be32(toc + 8), &entry->cdte_addr.msf);
	return 0;
}

static int disc_status(struct host_drive *host, int fd, void *argument)
{
	struct cdrom_tochdr header;
	struct cdrom_tocentry entry;
	unsigned data = 0, audio = 0;

	if (toc_header(host, fd, &header) < 0)
		return host_drive_status(host) == CDS_NO_DISC ? CDS_NO_DISC : CDS_NO_INFO;
	for (unsigned track = header.cdth_trk0; track <= header.cdth_trk1; track++) {
		entry = (struct cdrom_tocentry){ .cdte_track = (uint8_t)track, .cdte_format = CDROM_LBA };
		if (toc_entry(host, fd, &entry) < 0)
			return CDS_NO_INFO;
		if (entry.cdte_ctrl & CDROM_DATA_TRACK)
			data++;
		else
			audio++;
	}
	if (audio > 0)
		return data > 0 ? CDS_MIXED : CDS_AUDIO;
	return data > 0 ? CDS_DATA_1 : CDS_NO_INFO;
}

/* --- the block device ---------------------------------------------------------- */

static int size_sectors(struct host_drive *host, int fd, void *argument)
{
	*(unsigned long *)argument = (unsigned long)(host_size(host) / 512);
	return 0;
}

static int size_bytes(struct host_drive *host, int fd, void *argument)
{
	*(uint64_t *)argument = host_size(host);
	return 0;
}

static int sector_size(struct host_drive *host, int fd, void *argument)
{
	*(int *)argument = SECTOR;
	return 0;
}

static int block_size(struct host_drive *host, int fd, void *argument)
{
	*(int *)argument = host_size(host) % 4096 == 0 ? 4096 : SECTOR;
	return 0;
}

static int flush_buffers(struct host_drive *host, int fd, void *argument)
{
	return geteuid() == 0 ? 0 : -EACCES;
}

static int read_only(struct host_drive *host, int fd, void *argument)
{
	*(int *)argument = 0;
	return 0;
}

static int no_partitions(struct host_drive *host, int fd, void *argument)
{
	return geteuid() == 0 ? -EINVAL : -EACCES;
}

/* --- SCSI ---------------------------------------------------------------------- */

static int version_number(struct host_drive *host, int fd, void *argument)
{
	*(int *)argument = 30527;
	return 0;
}

static int bus_number(struct host_drive *host, int fd, void *argument)
{
	*(int *)argument = (int)host->number;
	return 0;
}

/* A SATA drive each: host N, channel 0, id 0, lun 0. */
static int idlun(struct host_drive *host, int fd, void *argument)
{
	const struct {
		uint32_t id, unique;
	} address = { host->number << 24, 0 };

	memcpy(argument, &address, sizeof(address));
	return 0;
}

static int zero_int(struct host_drive *host, int fd, void *argument)
{
	*(int *)argument = 0;
	return 0;
}

static int reserved_size(struct host_drive *host, int fd, void *argument)
{
	*(int *)argument = 128 * 1024;
	return 0;
}

static int accept(struct host_drive *host, int fd, void *argument)
{
	return 0;
}

static int timeout(struct host_drive *host, int fd, void *argument)
{
	return 60 * 100; /* USER_HZ */
}

static const struct row {
	unsigned long request;
	host_ioctl_run *run;
} rows[] = {
	{ SG_IO, host_sg_io },
	{ CDROM_SEND_PACKET, host_send_packet },
	{ SG_GET_VERSION_NUM, version_number },
	{ SG_SET_RESERVED_SIZE, accept },
	{ SG_GET_RESERVED_SIZE, reserved_size },
	{ SG_EMULATED_HOST, zero_int },
	{ SG_SET_TIMEOUT, accept },
	{ SG_GET_TIMEOUT, timeout },
	{ SCSI_IOCTL_GET_IDLUN, idlun },
	{ SCSI_IOCTL_GET_BUS_NUMBER, bus_number },
	{ CDROM_DRIVE_STATUS, drive_status },
	{ CDROM_DISC_STATUS, disc_status },
	{ CDROM_MEDIA_CHANGED, media_changed },
	{ CDROM_GET_CAPABILITY, capability },
	{ CDROM_LOCKDOOR, lock_door },
	{ CDROM_SELECT_SPEED, select_speed },
	{ CDROMMULTISESSION, multisession },
	{ CDROMREADTOCHDR, toc_header },
	{ CDROMREADTOCENTRY, toc_entry },
	{ CDROMEJECT, eject },
	{ CDROMCLOSETRAY, close_tray },
	{ BLKGETSIZE, size_sectors },
	{ BLKGETSIZE64, size_bytes },
	{ BLKSSZGET, sector_size },
	{ BLKPBSZGET, sector_size },
	{ BLKBSZGET, block_size },
	{ BLKFLSBUF, flush_buffers },
	{ BLKROGET, read_only },
	{ BLKRRPART, no_partitions },
};

int host_ioctl(struct host_drive *host, int fd, unsigned long request, void *argument)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].request == request)
			return rows[i].run(host, fd, argument);
	/* SG_GET_SCSI_ID and all that only /dev/sg has, too. */
	return -ENOTTY;
}
