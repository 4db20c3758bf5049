/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SG_IO and CDROM_SEND_PACKET: programs' own commands. drivers/scsi/scsi_ioctl.c of Linux 6. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/cdrom.h>
#include <scsi/sg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mmc.h"

#define DID_TIME_OUT	0x03
#define DRIVER_SENSE	0x08
#define TRANSFER_LIMIT	(1024u * 1024) /* of a queue with 2048 sectors */
#define DEFAULT_TIMEOUT 60000u	       /* ms, BLK_DEFAULT_SG_TIMEOUT */

/* scsi_cmd_allowed: what those may send who lack CAP_SYS_RAWIO. */
static const uint8_t read_commands[] = { 0x00, 0x03, 0x08, 0x12, 0x1A, 0x1B, 0x1C, 0x23, 0x25, 0x28, 0x2B,
					 0x2F, 0x37, 0x3C, 0x3E, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
					 0x4A, 0x4B, 0x4D, 0x4E, 0x51, 0x52, 0x5A, 0x5C, 0x88, 0x8F, 0x9E,
					 0xA0, 0xA3, 0xA4, 0xA8, 0xAC, 0xAD, 0xB9, 0xBA, 0xBC, 0xBE };
static const uint8_t write_commands[] = { 0x04, 0x0A, 0x15, 0x19, 0x1E, 0x2A, 0x2E, 0x35, 0x3F, 0x41,
					  0x4C, 0x53, 0x54, 0x55, 0x58, 0x5B, 0x5D, 0x7F, 0x8A, 0x93,
					  0xA1, 0xA2, 0xA6, 0xA7, 0xAA, 0xAE, 0xB6, 0xBB, 0xBF, 0xEA };

static bool has_rawio(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	return syscall(SYS_capget, &header, sets) == 0 && (sets[0].effective & (1u << CAP_SYS_RAWIO));
}

static bool is_allowed(int fd, uint8_t op)
{
	bool may_write = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;

	return memchr(read_commands, op, sizeof(read_commands)) ||
	       (may_write && memchr(write_commands, op, sizeof(write_commands))) || has_rawio();
}

/* --- the caller's buffer, or several ------------------------------------------- */

static int pieces_length(const sg_io_hdr_t *header, size_t *ret)
{
	const struct iovec *pieces = header->dxferp;

	*ret = 0;
	for (unsigned i = 0; i < header->iovec_count; i++)
		*ret += pieces[i].iov_len;
	return *ret < header->dxfer_len ? -EINVAL : 0;
}

static void pieces_copy(const sg_io_hdr_t *header, uint8_t *data, size_t length, bool to_caller)
{
	const struct iovec *pieces = header->dxferp;

	for (unsigned i = 0; i < header->iovec_count && length > 0; i++) {
		size_t part = pieces[i].iov_len < length ? pieces[i].iov_len : length;

		if (to_caller)
			memcpy(pieces[i].iov_base, data, part);
		else
			memcpy(data, pieces[i].iov_base, part);
		data += part;
		length -= part;
	}
}

/* --- SG_IO --------------------------------------------------------------------- */

static enum direction direction_of(int dxfer_direction)
{
	switch (dxfer_direction) {
	case SG_DXFER_TO_DEV:
		return DIRECTION_TO_DRIVE;
	case SG_DXFER_FROM_DEV:
	case SG_DXFER_TO_FROM_DEV:
		return DIRECTION_FROM_DRIVE;
	default:
		return DIRECTION_NONE;
	}
}

static int sg_check(int fd, const sg_io_hdr_t *header)
{
	size_t length;

	if (header->interface_id != 'S' || !header->cmdp)
		return -EINVAL;
	if (header->cmd_len < 6 || header->cmd_len > 32)
		return -EMSGSIZE;
	if (header->dxfer_len > TRANSFER_LIMIT)
		return -EIO;
	if (header->dxfer_len > 0 && (!header->dxferp || header->dxfer_direction == -5 /* unknown */))
		return -EINVAL;
	if (header->iovec_count > 0 && pieces_length(header, &length) < 0)
		return -EINVAL;
	return is_allowed(fd, header->cmdp[0]) ? 0 : -EPERM;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sg_answer(sg_io_hdr_t *header, const struct command *command, uint64_t began)
{
	size_t room = header->sbp ? header->mx_sb_len : 0;

	header->duration = (unsigned)(now_ms() - began);
	header->status = command->status;
	header->masked_status = (uint8_t)(command->status >> 1);
	header->msg_status = 0;
	header->host_status = header->driver_status = 0;
	header->info = 0;
	header->sb_len_wr = 0;
	header->resid = (int)(header->dxfer_len - command->transferred);
	if (command->status != 0) {
		header->driver_status = DRIVER_SENSE;
		header->info |= SG_INFO_CHECK;
		header->sb_len_wr = (uint8_t)(command->sense_length < room ? command->sense_length : room);
		if (header->sb_len_wr > 0)
			memcpy(header->sbp, command->sense, header->sb_len_wr);
	}
	/* The caller's patience ended before the drive answered. */
	if (header->duration > (header->timeout > 0 ? header->timeout : DEFAULT_TIMEOUT)) {
		header->host_status = DID_TIME_OUT;
		header->info |= SG_INFO_CHECK;
	}
}

int host_sg_io(struct host_drive *host, int fd, void *argument)
{
	sg_io_hdr_t *header = argument;
	uint64_t began = now_ms();
	struct command command;
	uint8_t *copy = NULL;
	int r = sg_check(fd, header);

	if (r < 0)
		return r;
	command = (struct command){ .cdb = header->cmdp,
				    .cdb_length = header->cmd_len,
				    .direction = direction_of(header->dxfer_direction),
				    .data = header->dxferp,
				    .length = header->dxfer_len };
	if (header->iovec_count > 0) {
		command.data = copy = calloc(1, header->dxfer_len + 1);
		if (!copy)
			return -ENOMEM;
		pieces_copy(header, copy, header->dxfer_len, false);
	}
	drive_execute(&host->drive, &command);
	if (copy && command.direction == DIRECTION_FROM_DRIVE)
		pieces_copy(header, copy, command.transferred, true);
	free(copy);
	sg_answer(header, &command, began);
	return 0;
}

int host_send_packet(struct host_drive *host, int fd, void *argument)
{
	struct cdrom_generic_command *packet = argument;
	struct command command = { .cdb = packet->cmd,
				   .cdb_length = sizeof(packet->cmd),
				   .data = packet->buffer,
				   .length = packet->buflen };

	if (!is_allowed(fd, packet->cmd[0]))
		return -EPERM;
	if (packet->data_direction == CGC_DATA_WRITE)
		command.direction = DIRECTION_TO_DRIVE;
	else if (packet->data_direction == CGC_DATA_READ)
		command.direction = DIRECTION_FROM_DRIVE;
	drive_execute(&host->drive, &command);
	packet->stat = command.status ? -EIO : 0;
	packet->buflen -= (unsigned)command.transferred;
	if (command.status && packet->sense)
		memcpy(packet->sense, command.sense, sizeof(command.sense));
	return packet->stat;
}
