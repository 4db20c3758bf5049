/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/sessions.h"

#include "disc/anchor.h"
#include "disc/bridge_base.h"
#include "disc/formats.h"
#include "disc/lineage.h"
#include "disc/session_walk.h"
#include "disc/udf_session.h"
#include "model/medium.h"
#include "wire/session_advice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define SESSION_CAP 4096u

void disc_report_clear(struct disc_report *report)
{
	vec_clear(&report->sessions);
}

int sessions_prepare(void)
{
	const EVP_MD *const kinds[] = { EVP_sha256(), EVP_md5() };
	uint8_t sum[EVP_MAX_MD_SIZE];

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (EVP_Digest("", 0, sum, NULL, kinds[i], NULL) != 1)
			return -EIO;
	return 0;
}

int sessions_fingerprint(const uint8_t *head, uint64_t base, const uint8_t *base_blocks,
			 uint8_t ret[FINGERPRINT_SIZE])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	uint8_t at[8];
	bool good;

	put_le32(at, (uint32_t)base);
	put_le32(at + 4, (uint32_t)(base >> 32));
	good = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(hash, head, HEAD_BYTES) == 1;
	if (good && base)
		good = EVP_DigestUpdate(hash, at, sizeof at) == 1 &&
		       EVP_DigestUpdate(hash, base_blocks, (size_t)16 * SECTOR) == 1;
	good = good && EVP_DigestFinal_ex(hash, ret, NULL) == 1;
	EVP_MD_CTX_free(hash);
	return good ? 0 : -EIO;
}

/* As many sectors as there are; the rest of data is zeroed. */
static int read_some(const struct source *source, uint64_t lba, uint32_t count, uint8_t *data,
		     struct reason *why)
{
	uint64_t have = lba < source->sectors ? min_u64(count, source->sectors - lba) : 0;

	memset(data, 0, (size_t)count * SECTOR);
	return have ? source_read(source, lba, (uint32_t)have, data, why) : 0;
}

static bool all_zero(const uint8_t *data, size_t length)
{
	return length == 0 || (data[0] == 0 && memcmp(data, data + 1, length - 1) == 0);
}

int disc_report_add(struct disc_report *report, const struct source *source, const struct volume *volume,
		    uint64_t sectors, struct reason *why)
{
	struct reason ignored = { 0 };
	struct verb_session *session;

	if (report->sessions.count >= SESSION_CAP)
		return reason_set(why, EMEDIUMTYPE, "more than %u sessions", SESSION_CAP);
	session = vec_push(&report->sessions);
	if (!session)
		return reason_set(why, ENOMEM, "out of memory");
	*session = (struct verb_session){ .number = (uint32_t)report->sessions.count,
					  .start = volume->start,
					  .sectors = sectors,
					  .time = volume->time };
	memcpy(session->label, volume->label, sizeof session->label);
	/* Where that can't be read, reading its tree will say so. */
	(void)formats_probe(source, volume->start, &session->formats, &ignored);
	session->broken = volume->root ? !volume_has_root(source, volume) : session->formats == 0;
	return 0;
}

/* Its own descriptors show it, or the copy that stands for them. */
static void choose_base(struct verb_disc *disc, const struct verb_session *session)
{
	disc->base = session->copy ? 0 : session->start;
	disc->formats = session->formats;
	disc->state = DISC_CLOSED;
}

int disc_report_choose(struct disc_report *report, const struct source *source, uint32_t wanted,
		       struct reason *why)
{
	struct verb_disc *disc = &report->disc;
	size_t count = report->sessions.count;

	if (count && !wanted) {
		disc->formats = report->sessions.items[count - 1].formats;
		disc->bridge = disc->formats & FORMAT_BIT(FORMAT_UDF) &&
			       bridge_is_at(source, report->sessions.items[count - 1].start);
		disc->anchor_stale = disc->bridge && anchor_is_stale(source);
	}
	if (!wanted)
		return 0;
	if (wanted > count)
		return reason_set(why, ENOENT, "there is no session %" PRIu32 ": the disc has %zu", wanted,
				  count);
	choose_base(disc, &report->sessions.items[wanted - 1]);
	snprintf(disc->closed_why, sizeof disc->closed_why,
		 wanted < count ? "it is session %" PRIu32 " of %zu: only the newest can be continued"
				: "session %" PRIu32 " of %zu was asked for: without session=, the disc can "
				  "be changed",
		 wanted, count);
	return 0;
}

/* Boot sectors that describe the disc as a partitioned hard disk hold addresses of their own (a second
 * superblock, appended partitions, a backup GPT at the end): a new session would leave them stale. */
bool sessions_partitioned(const uint8_t *head)
{
	static const uint8_t none[16];

	if (memcmp(head + 512, "EFI PART", 8) == 0 || (head[0] == 'E' && head[1] == 'R' && head[512] == 'P'))
		return true;
	if (head[510] != 0x55 || head[511] != 0xaa)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (memcmp(head + 446 + 16 * i, none, 16) != 0)
			return true;
	return false;
}

/* There should be UDF: with blocks of another size, its anchor is at another place. */
static int refuse_udf(const struct source *source, struct reason *why)
{
	static const uint32_t sizes[] = { 512, 1024, 4096 };
	struct reason ignored = { 0 };
	uint8_t block[SECTOR];

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		if (source_read(source, 256 * sizes[i] / SECTOR, 1, block, &ignored) == 0 &&
		    get_le16(block) == 2 && get_le32(block + 12) == 256)
			return reason_set(why, EMEDIUMTYPE,
					  "the UDF file system has blocks of %" PRIu32
					  " bytes: only 2048 are supported",
					  sizes[i]);
	return reason_set(why, EMEDIUMTYPE,
			  "a UDF file system whose anchor can't be found: truncated or damaged");
}

static int refuse_foreign(const struct source *source, const uint8_t *head, struct reason *why)
{
	struct stat info;

	if (source->sectors == 0 && fstat(source->fd, &info) == 0 && info.st_size > 0)
		return reason_set(why, EMEDIUMTYPE, "not a disc image: it is shorter than a sector");
	if (source->sectors == 0 || (all_zero(head, HEAD_BYTES) && source->sectors <= HEAD_SECTORS))
		return reason_set(why, EINVAL,
				  "the file is empty, not a disc image: make one with discfsctl create");
	if (all_zero(head, HEAD_BYTES))
		return reason_set(
		    why, EINVAL,
		    "the file begins with zeroes, not with a disc image: make one with discfsctl create");
	for (size_t i = 16; i < HEAD_SECTORS; i++)
		if (memcmp(head + i * SECTOR + 1, "NSR0", 4) == 0)
			return refuse_udf(source, why);
	return reason_set(why, EMEDIUMTYPE, "not a disc image: neither ISO 9660 nor UDF is on it");
}

static void read_mark(const uint8_t *head, struct verb_disc *disc, bool *ret_marked)
{
	struct medium_mark mark;

	*ret_marked = medium_mark_read(head + (size_t)MEDIUM_MARK_BLOCK * SECTOR, &mark);
	memcpy(disc->profile, "image", sizeof "image");
	if (!*ret_marked)
		return;
	_Static_assert(sizeof disc->profile == sizeof mark.profile, "a profile's name fits");
	memcpy(disc->profile, mark.profile, sizeof disc->profile);
	disc->capacity = mark.capacity;
}

/* ---- what is left ---- */

struct probing {
	const struct verb_job *job;
	struct disc_report *report;
	struct reason *why;
	uint64_t sectors; /* that there are */
};

/* It isn't whole, for that reason: an error that says what can be done, unless that is what was asked for. */
static int check_left(const struct probing *probing, const char *reason)
{
	struct disc_report *report = probing->report;
	const struct verb_session *items = report->sessions.items;
	size_t count = report->sessions.count;
	uint32_t wanted = probing->job->wanted;
	char advice[160];

	if (wanted && wanted <= count && !items[wanted - 1].broken &&
	    range_within(items[wanted - 1].start, items[wanted - 1].sectors, probing->sectors))
		return 0;
	if (!probing->job->damaged) {
		session_advice(items, count, wanted, probing->sectors, advice, sizeof advice);
		return reason_set(probing->why, EIO, "%s%s%s", reason, advice[0] ? "; " : "", advice);
	}
	report->disc.state = DISC_CLOSED;
	snprintf(report->disc.closed_why, sizeof report->disc.closed_why, "%s", reason);
	return 0;
}

/* A volume larger than its file was cut off, unless only padding can be missing: that can't be told here, and
 * isn't dangerous, because import refuses every file that reaches beyond the end. */
static int check_whole(const struct probing *probing, uint64_t size)
{
	const struct disc_report *report = probing->report;
	const size_t count = report->sessions.count;
	char reason[200];

	if (size <= probing->sectors + PAD_SLACK)
		return 0;
	if (count > 1 && report->sessions.items[count - 1].start >= probing->sectors)
		snprintf(reason, sizeof reason,
			 "the image is cut off before session %zu, at sector %" PRIu64
			 ", or that was never written to it (a file of commit --to that is missing)",
			 count, report->sessions.items[count - 1].start);
	else
		snprintf(reason, sizeof reason,
			 "the image is cut off: it has %" PRIu64 " of %" PRIu64 " sectors", probing->sectors,
			 size);
	return check_left(probing, reason);
}

/* Blocks 0..31 are lost, but sessions are behind them. 1 = so it is, 0 = there are none, or -errno. */
static int probe_headless(const struct probing *probing, const struct source *source)
{
	struct disc_report *report = probing->report;
	const struct session_walk walk = { .source = source, .report = report, .why = probing->why };
	size_t newest;
	int got = session_walk_headless(&walk);

	newest = report->sessions.count;
	if (got < 0 || newest == 0)
		return got;
	while (newest > 1 && report->sessions.items[newest - 1].broken)
		newest--;
	choose_base(&report->disc, &report->sessions.items[newest - 1]);
	report->disc.nwa = round_up(report->disc.recorded, SESSION_ALIGN);
	report->disc.sessions = (uint32_t)report->sessions.count;
	strcpy(report->disc.closed_why, "its first sectors, which say what counts on it, are lost");
	got = check_left(probing, "its first sectors are lost, which say what counts on it (overwritten, or "
				  "never written: a burn or a dd that is missing)");
	return got < 0 ? got : 1;
}

/* ---- the probe ---- */

static int probe_recorded(const struct probing *probing, const struct source *source,
			  const struct volume *volume, const uint8_t *head)
{
	struct session_walk walk = { .source = source,
				     .head = *volume,
				     .report = probing->report,
				     .why = probing->why,
				     .damaged = probing->job->damaged ||
						volume->size > source->sectors + PAD_SLACK };
	struct verb_disc *disc = &probing->report->disc;
	int got = session_walk_list(&walk);

	if (got < 0)
		return got;
	disc->nwa = round_up(disc->recorded, SESSION_ALIGN);
	disc->sessions = (uint32_t)probing->report->sessions.count;
	disc->state = DISC_APPENDABLE;
	if (sessions_partitioned(head)) {
		disc->state = DISC_CLOSED;
		strcpy(disc->closed_why,
		       "it is partitioned like a hard disk (isohybrid): a new session would leave "
		       "its partition tables stale");
	}
	return check_whole(probing, volume->size);
}

int sessions_print(const uint8_t *blocks, uint64_t start, uint8_t ret[FINGERPRINT_SIZE])
{
	return sessions_fingerprint(blocks, start + 1, blocks, ret);
}

/* What can't be read isn't known by it: the fingerprint says more, and fails when it must. */
void disc_report_print(struct disc_report *report, const struct source *source)
{
	size_t count = report->sessions.count;
	uint64_t start = count ? report->sessions.items[count - 1].start : 0;
	AUTO_FREE uint8_t *blocks = count ? malloc(HEAD_BYTES) : NULL;
	struct reason ignored = { 0 };

	if (!blocks || read_some(source, start, HEAD_SECTORS, blocks, &ignored) < 0 ||
	    sessions_print(blocks, start, report->disc.print) < 0)
		memset(report->disc.print, 0, sizeof report->disc.print);
}

/* Of a session that was asked for, the place counts, too: what is staged for the disc isn't shown with it. */
static int fingerprint_disc(const struct source *source, const uint8_t *head, const struct verb_job *job,
			    struct verb_disc *disc, struct reason *why)
{
	uint64_t at = disc->base;
	uint8_t base[16 * SECTOR];
	int got = 0;

	if (disc->formats == FORMAT_BIT(FORMAT_UDF))
		got = udf_session_identity(source, &at, base, why);
	else if (disc->base || job->wanted)
		got = read_some(source, disc->base + 16, 16, base, why);
	if (job->wanted && !disc->base)
		at = job->wanted;
	if (got == 0 && sessions_fingerprint(head, at, base, disc->fingerprint) < 0)
		got = reason_set(why, EIO, "can't compute SHA-256");
	return got;
}

/* No ISO 9660 at 16. */
static int probe_other(const struct probing *probing, const struct source *source, const uint8_t *head)
{
	struct reason ignored = { 0 };
	struct volume first;
	int got = 0;

	if (volume_read(source, FIRST_CHAINED, &first, &ignored) > 0 && volume_has_root(source, &first))
		got = probe_headless(probing, source);
	if (got == 0)
		got = udf_session_probe(source, head, probing->report, probing->why);
	if (got == 0 && !source->is_drive)
		got = probe_headless(probing, source);
	if (got == 0)
		return refuse_foreign(source, head, probing->why);
	return got < 0 ? got : 0;
}

int sessions_probe(const struct source *source, const struct verb_job *job, struct disc_report *ret,
		   struct reason *why)
{
	const struct probing probing = { job, ret, why, source->sectors };
	struct verb_disc *disc = &ret->disc;
	AUTO_FREE uint8_t *head = malloc(HEAD_BYTES);
	struct volume volume;
	bool marked;
	int got;

	if (!head)
		return reason_set(why, ENOMEM, "out of memory");
	got = read_some(source, 0, HEAD_SECTORS, head, why);
	if (got < 0)
		return got;
	read_mark(head, disc, &marked);
	got = volume_read(source, 0, &volume, why);
	if (got < 0)
		return got;
	if (got > 0) {
		got = probe_recorded(&probing, source, &volume, head);
	} else if ((marked || source->is_drive) &&
		   all_zero(head + (size_t)16 * SECTOR, (size_t)16 * SECTOR)) {
		disc->state = DISC_BLANK;
		disc->nwa = FIRST_CHAINED;
	} else {
		got = probe_other(&probing, source, head);
	}
	if (got == 0)
		got = disc_report_choose(ret, source, job->wanted, why);
	disc_report_print(ret, source);
	return got < 0 ? got : fingerprint_disc(source, head, job, disc, why);
}
