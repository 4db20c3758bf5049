/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/sg.h"

#include "base/bytes.h"

#include <errno.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>
#include <time.h>

#define CHUNK		32u    /* sectors in one command: 64 KiB go through any host adapter */
#define TIMEOUT_MS	60000u /* a drive that tries to read a scratch takes its time */
#define READY_MS	60000  /* spinning up */
#define PAUSE_MS	200
#define CHECK_CONDITION 2

/* Sense data in fixed and descriptor format (SPC-4 4.5). */
static int errno_of_sense(const uint8_t *sense)
{
	bool fixed = (sense[0] & 0x7f) < 0x72;
	uint8_t key = (fixed ? sense[2] : sense[1]) & 0xf;
	uint8_t asc = fixed ? sense[12] : sense[2];

	if (key == 1) /* recovered: the data are good */
		return 0;
	if (key == 2)
		return asc == 0x3a ? ENOMEDIUM : EAGAIN;
	if (key == 6)
		return asc == 0x28 ? ESTALE : EAGAIN; /* 28: the medium may have changed; others: a reset */
	return EIO;
}

static int send(int fd, uint8_t *cdb, size_t cdb_length, int direction, void *data, size_t length)
{
	uint8_t sense[32] = { 0 };
	sg_io_hdr_t io = { .interface_id = 'S',
			   .dxfer_direction = direction,
			   .cmd_len = (unsigned char)cdb_length,
			   .mx_sb_len = sizeof sense,
			   .dxfer_len = (unsigned)length,
			   .dxferp = data,
			   .cmdp = cdb,
			   .sbp = sense,
			   .timeout = TIMEOUT_MS };

	if (ioctl(fd, SG_IO, &io) < 0)
		return -errno;
	if (io.status == CHECK_CONDITION)
		return -errno_of_sense(sense);
	if (io.status || io.host_status || io.driver_status || io.resid)
		return -EIO;
	return 0;
}

static int command(int fd, uint8_t *cdb, size_t cdb_length, void *data, size_t length)
{
	return send(fd, cdb, cdb_length, SG_DXFER_FROM_DEV, data, length);
}

int sg_write_now(int fd, uint32_t lba, uint32_t count, const void *data)
{
	uint8_t write[10] = { 0x2a }, sync[10] = { 0x35 };
	int got;

	put_be32(write + 2, lba);
	write[7] = (uint8_t)(count >> 8);
	write[8] = (uint8_t)count;
	got = send(fd, write, sizeof write, SG_DXFER_TO_DEV, (void *)(uintptr_t)data, (size_t)count * 2048);
	return got < 0 ? got : send(fd, sync, sizeof sync, SG_DXFER_NONE, NULL, 0);
}

int sg_disc_information(int fd, struct sg_disc_info *ret)
{
	uint8_t cdb[10] = { 0x51 }, data[34];
	int got;

	cdb[8] = sizeof data;
	got = command(fd, cdb, sizeof cdb, data, sizeof data);
	if (got < 0)
		return got;
	ret->status = data[2] & 3;
	ret->last_session_state = data[2] >> 2 & 3;
	ret->sessions = data[4] | (unsigned)data[9] << 8;
	ret->first_track = data[5] | (unsigned)data[10] << 8;
	ret->last_track = data[6] | (unsigned)data[11] << 8;
	return 0;
}

int sg_track_start(int fd, unsigned number, uint32_t *ret)
{
	uint8_t cdb[10] = { 0x52, 1 }, data[28];
	int got;

	put_be32(cdb + 2, number);
	cdb[8] = sizeof data;
	got = command(fd, cdb, sizeof cdb, data, sizeof data);
	if (got == 0)
		*ret = (uint32_t)data[8] << 24 | (uint32_t)data[9] << 16 | (uint32_t)data[10] << 8 | data[11];
	return got;
}

static int read_chunk(int fd, uint32_t lba, uint32_t count, uint8_t *data)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000l };
	uint8_t cdb[10] = { 0x28 };
	int got;

	put_be32(cdb + 2, lba);
	cdb[7] = (uint8_t)(count >> 8);
	cdb[8] = (uint8_t)count;
	for (int waited = 0;; waited += PAUSE_MS) {
		got = command(fd, cdb, sizeof cdb, data, (size_t)count * SECTOR);
		if (got != -EAGAIN || waited >= READY_MS)
			return got;
		nanosleep(&pause, NULL);
	}
}

int sg_read(int fd, uint64_t lba, uint32_t count, void *data)
{
	uint8_t *at = data;

	if (!range_within(lba, count, UINT32_MAX))
		return -EIO;
	while (count) {
		uint32_t take = count < CHUNK ? count : CHUNK;
		int got = read_chunk(fd, (uint32_t)lba, take, at);

		if (got < 0)
			return got;
		at += (size_t)take * SECTOR;
		lba += take;
		count -= take;
	}
	return 0;
}

int sg_close_track(int fd, unsigned number)
{
	uint8_t cdb[10] = { 0x5b, [2] = 1, [4] = (uint8_t)(number >> 8), [5] = (uint8_t)number };

	return send(fd, cdb, sizeof cdb, SG_DXFER_NONE, NULL, 0);
}
