/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/burn_file.h"

#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	    128u /* sectors that are written or read in one go */
#define SYNC_CHUNKS 128u /* 32 MiB between syncs: what the disk can't take shows early */
#define TELL_MS	    200
#define SUM	    32u /* bytes of a SHA-256 */

struct filing {
	const struct burn_request *request;
	int file;
	uint64_t size; /* bytes of the session without padding */
	uint8_t *chunk;
	uint64_t done; /* sectors, of both passes */
	int64_t told_ms;
	uint8_t *sums; /* of each chunk, as it went out */
	struct reason *why;
};

static void filing_clear(struct filing *filing)
{
	free(filing->sums);
	free(filing->chunk);
}

uint64_t burn_file_origin(const struct verb_job *job)
{
	return job->has_base || job->sequential ? 0 : job->nwa * SECTOR;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whoever asked for it being gone ends it too: nothing but a file is lost. */
static int tell(struct filing *filing)
{
	const struct burn_request *request = filing->request;
	int64_t now = now_ms();
	int got;

	if (now - filing->told_ms < TELL_MS)
		return 0;
	filing->told_ms = now;
	got = request->progress(request->self, filing->done, 2 * request->sectors);
	return got < 0 ? reason_set(filing->why, -got,
				    got == -ECANCELED ? "cancelled" : "nobody waits for it any more")
		       : 0;
}

static int cant_write(const struct filing *filing, int err)
{
	return reason_set(filing->why, err, "the file can't be written: %s", strerror(err));
}

/* A full disk shows before anything is written; where room can't be reserved, the file system is asked. */
static int reserve(const struct filing *filing)
{
	const struct burn_request *request = filing->request;
	uint64_t need = burn_file_origin(request->job) + request->sectors * SECTOR;
	struct statvfs host;

	if (fallocate(filing->file, FALLOC_FL_KEEP_SIZE, 0, (off_t)need) == 0)
		return 0;
	if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG && fstatvfs(filing->file, &host) == 0 &&
	    (uint64_t)host.f_bavail * host.f_frsize >= need)
		return 0;
	return reason_set(filing->why, errno == EFBIG || errno == EDQUOT ? errno : ENOSPC,
			  "the file will have %" PRIu64 " bytes, and its file system has less free", need);
}

/* From the session, then padding. */
static int make_chunk(struct filing *filing, uint64_t at, size_t length)
{
	uint64_t offset = at * SECTOR;
	size_t take = offset < filing->size ? min_u64(length, filing->size - offset) : 0;
	uint64_t middle = filing->request->sectors / 2;

	if (middle >= at && middle - at < CHUNK && fault_point(FAULT_BURN_MIDDLE) < 0)
		return reason_set(filing->why, EIO, "the session broke off while it was made");
	if (take && iso_session_read(filing->request->session, filing->chunk, (int)take) != (int)take)
		return iso_session_failed(filing->request->session, filing->why)
			   ? -filing->why->err
			   : reason_set(filing->why, EIO, "the session broke off while it was made");
	memset(filing->chunk + take, 0, length - take);
	return 0;
}

static int sum_chunk(const struct filing *filing, uint64_t count, uint8_t ret[SUM])
{
	return EVP_Digest(filing->chunk, (size_t)count * SECTOR, ret, NULL, EVP_sha256(), NULL) == 1
		   ? 0
		   : reason_set(filing->why, ENOMEM, "can't compute SHA-256");
}

static int check_chunk(const struct filing *filing, uint64_t at, uint64_t count)
{
	uint8_t found[SUM];
	int got = sum_chunk(filing, count, found);

	if (got < 0 || memcmp(found, filing->sums + at / CHUNK * SUM, SUM) == 0)
		return got;
	return reason_set(
	    filing->why, EIO,
	    "what was written to the file isn't what is read from it, at or behind sector %" PRIu64
	    " of the session",
	    at);
}

static int write_all(struct filing *filing)
{
	const struct burn_request *request = filing->request;
	uint64_t origin = burn_file_origin(request->job), count;
	int got = reserve(filing);

	for (uint64_t at = 0; got == 0 && at < request->sectors; at += count) {
		count = min_u64(CHUNK, request->sectors - at);
		got = make_chunk(filing, at, (size_t)count * SECTOR);
		if (got == 0)
			got = sum_chunk(filing, count, filing->sums + at / CHUNK * SUM);
		if (got < 0)
			return got;
		got =
		    fd_pwrite_full(filing->file, filing->chunk, (size_t)count * SECTOR, origin + at * SECTOR);
		if (got == 0 && at / CHUNK % SYNC_CHUNKS == SYNC_CHUNKS - 1 && fdatasync(filing->file) < 0)
			got = -errno;
		if (got < 0)
			return cant_write(filing, -got);
		filing->done += count;
		got = tell(filing);
	}
	if (got == 0 && iso_session_failed(request->session, filing->why))
		got = -filing->why->err;
	if (got == 0 && fsync(filing->file) < 0)
		got = cant_write(filing, errno);
	return got;
}

/* From the disk that holds it, as far as the kernel lets itself be told. */
static int read_back(struct filing *filing)
{
	const struct burn_request *request = filing->request;
	uint64_t origin = burn_file_origin(request->job), count;
	int got = 0;

	(void)posix_fadvise(filing->file, 0, 0, POSIX_FADV_DONTNEED);
	for (uint64_t at = 0; got == 0 && at < request->sectors; at += count) {
		count = min_u64(CHUNK, request->sectors - at);
		if (fd_pread_full(filing->file, filing->chunk, (size_t)count * SECTOR,
				  origin + at * SECTOR) != (int64_t)(count * SECTOR))
			return reason_set(filing->why, EIO,
					  "what was written to the file can't be read back");
		got = check_chunk(filing, at, count);
		filing->done += count;
		if (got == 0)
			got = tell(filing);
	}
	return got;
}

int burn_to_file(const struct burn_request *request, int file, struct reason *why)
{
	CLEANUP(filing_clear)
	struct filing filing = {
		.request = request,
		.file = file,
		.size = iso_session_size(request->session),
		.chunk = malloc((size_t)CHUNK * SECTOR),
		.sums = calloc(request->sectors / CHUNK + 1, SUM),
		.why = why,
	};
	int got = fault_point(FAULT_BURN_START);

	if (got < 0)
		return got;
	if (file < 0)
		return reason_set(why, EBADF, "no file was handed over");
	if (!filing.chunk || !filing.sums)
		return reason_set(why, ENOMEM, "out of memory");
	got = write_all(&filing);
	return got < 0 ? got : read_back(&filing);
}
