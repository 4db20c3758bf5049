/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block device: bytes by READ (10) and WRITE (10). Nothing is cached, but errors come as the page cache
 * gives them: a whole block fails when one of its sectors does. */
#include "host.h"

#include <errno.h>
#include <string.h>

#include "mmc.h"

#define CHUNK 32u /* sectors a command */

uint64_t host_size(struct host_drive *host)
{
	return host->drive.state->kernel_capacity * 512;
}

/* set_init_blocksize: 4 KiB when the size is a multiple of that. */
static uint32_t block_sectors(struct host_drive *host)
{
	return host_size(host) % 4096 == 0 ? 2 : 1;
}

static bool transfer(struct host_drive *host, bool writing, uint32_t lba, uint32_t count, uint8_t *data)
{
	uint8_t cdb[10] = { writing ? 0x2A : 0x28 };
	struct sense sense;
	int r;

	mmc_put32(cdb + 2, lba);
	mmc_put16(cdb + 7, count);
	r = host_command(host, cdb, sizeof(cdb), writing ? DIRECTION_TO_DRIVE : DIRECTION_FROM_DRIVE, data,
			 (size_t)count * SECTOR, &sense);
	/* scsi_io_completion: a removable disc may be another one now, so nothing more is read of it. */
	if (r < 0 && sense.key == 6)
		host->drive.state->kernel_changed = 1;
	return r >= 0 && (size_t)r == (size_t)count * SECTOR;
}

/* Reads whole blocks: the number of sectors that came, 0 if the first block fails. */
static uint32_t read_blocks(struct host_drive *host, uint32_t lba, uint32_t count, uint8_t *data)
{
	uint32_t step = block_sectors(host), done = 0;

	if (host->drive.state->kernel_changed)
		return 0;
	if (transfer(host, false, lba, count, data))
		return count;
	/* What read-ahead couldn't get in one go is read block by block. */
	while (done < count && !host->drive.state->kernel_changed &&
	       transfer(host, false, lba + done, step < count - done ? step : count - done,
			data + (size_t)done * SECTOR))
		done += step;
	return done < count ? done : count;
}

ssize_t host_pread(struct host_drive *host, void *data, size_t length, off_t offset)
{
	uint8_t chunk[CHUNK * SECTOR];
	uint64_t size;
	size_t done = 0;

	if (offset < 0)
		return -EINVAL;
	host_poll(host);
	size = host_size(host);
	if ((uint64_t)offset >= size)
		return 0;
	if (length > size - (uint64_t)offset)
		length = size - (uint64_t)offset;
	while (done < length) {
		uint64_t at = (uint64_t)offset + done, block = (uint64_t)block_sectors(host) * SECTOR;
		uint64_t first = at / block * block, room = size - first;
		uint64_t wanted = (at - first + (length - done) + block - 1) / block * block;
		size_t take;

		wanted = wanted < room ? wanted : room;
		wanted = wanted < sizeof(chunk) ? wanted : sizeof(chunk);
		take = (size_t)read_blocks(host, (uint32_t)(first / SECTOR),
					   (uint32_t)((wanted + SECTOR - 1) / SECTOR), chunk) *
		       SECTOR;
		if (take <= at - first)
			break;
		take -= at - first;
		take = take < length - done ? take : length - done;
		memcpy((uint8_t *)data + done, chunk + (at - first), take);
		done += take;
	}
	return done > 0 || length == 0 ? (ssize_t)done : -EIO;
}

/* Whole sectors only: nobody needs the kernel's read-modify-write here. */
ssize_t host_pwrite(struct host_drive *host, const void *data, size_t length, off_t offset)
{
	uint8_t chunk[CHUNK * SECTOR];
	uint64_t size = host_size(host);
	size_t done = 0, take;

	if (offset < 0 || offset % SECTOR != 0 || length % SECTOR != 0)
		return -EINVAL;
	if ((uint64_t)offset >= size)
		return -ENOSPC;
	if (length > size - (uint64_t)offset)
		length = size - (uint64_t)offset;
	for (; done < length; done += take) {
		take = length - done < sizeof(chunk) ? length - done : sizeof(chunk);
		memcpy(chunk, (const uint8_t *)data + done, take);
		if (!transfer(host, true, (uint32_t)(((uint64_t)offset + done) / SECTOR),
			      (uint32_t)(take / SECTOR), chunk))
			break;
	}
	return done > 0 || length == 0 ? (ssize_t)done : -EIO;
}
