/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/sessions.h"

#include "disc/formats.h"
#include "disc/udf_session.h"
#include "model/medium.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define ALIGN	      32u   /* libisofs, xorriso and growisofs start sessions at multiples of 32 or 16 */
#define FIRST_CHAINED 32u   /* start of the first session where the head was kept free */
#define SEARCH_BACK   4096u /* how far before a root directory the descriptors of its session can lie */
#define SESSION_CAP   4096u

struct walk {
	const struct source *source;
	struct volume head;
	struct disc_report *report;
	struct reason *why;
	bool damaged; /* what can't be read doesn't count */
};

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

/* A session that could have been recorded behind another one. 1, 0 or -errno. Descriptors that we can't use
 * end the search instead of failing it: they're somebody's data. */
static int read_appended(const struct walk *walk, uint64_t start, struct volume *ret)
{
	struct reason ignored = { 0 };
	int got = volume_read(walk->source, start, ret, &ignored);

	if (got == -EMEDIUMTYPE || (got == -EIO && walk->damaged))
		return 0;
	if (got < 0)
		return reason_set(walk->why, -got, "%s", ignored.text);
	return got && ret->root > start && ret->root < walk->source->sectors && ret->size > 0;
}

/* The next session after one that ends at end: at the next multiple of 32 or 16, or wherever a copy was
 * appended. */
static int find_next(const struct walk *walk, uint64_t end, struct volume *ret)
{
	for (uint64_t start = end; start < end + PAD_SLACK + ALIGN; start++) {
		int got = read_appended(walk, start, ret);

		if (got)
			return got;
	}
	return 0;
}

/* Absolute end of a session by its own descriptor. 0 or -errno. */
static int session_end(const struct walk *walk, const struct volume *volume, uint64_t *ret)
{
	uint64_t limit = walk->source->sectors + PAD_SLACK;
	uint64_t relative = volume->start + volume->size;
	struct volume next;
	int got;

	*ret = relative;
	/* What lies behind the session in force doesn't count, and may be unreadable: never formatted, or of
	 * a commit that broke off. */
	if (volume->root == walk->head.root) {
		*ret = min_u64(relative, walk->head.size);
		return 0;
	}
	if (volume->start == 0 || volume->size <= volume->start)
		return 0;
	if (relative > limit) {
		*ret = volume->size;
		return 0;
	}
	got = find_next(walk, relative, &next);
	if (got)
		return got < 0 ? got : 0;
	got = find_next(walk, volume->size, &next);
	if (got > 0)
		*ret = volume->size;
	return got < 0 ? got : 0;
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
	return 0;
}

int disc_report_choose(struct disc_report *report, uint32_t wanted, struct reason *why)
{
	struct verb_disc *disc = &report->disc;
	size_t count = report->sessions.count;

	if (count && (!wanted || wanted == count))
		disc->formats = report->sessions.items[count - 1].formats;
	if (!wanted || wanted == count)
		return 0;
	if (wanted > count)
		return reason_set(why, ENOENT, "there is no session %" PRIu32 ": the disc has %zu", wanted,
				  count);
	disc->base = report->sessions.items[wanted - 1].start;
	disc->formats = report->sessions.items[wanted - 1].formats;
	disc->state = DISC_CLOSED;
	snprintf(disc->closed_why, sizeof disc->closed_why,
		 "it is session %" PRIu32 " of %zu: only the newest can be continued", wanted, count);
	return 0;
}

static int add_session(const struct walk *walk, const struct volume *volume, uint64_t sectors)
{
	return disc_report_add(walk->report, walk->source, volume, sectors, walk->why);
}

/* Lists the chain that starts at 32, up to the session that the head stands for. 1 when that one was reached,
 * 0 when there's no such chain (then nothing was added). */
static int walk_chain(const struct walk *walk)
{
	struct volume volume;
	uint64_t end;
	int got = read_appended(walk, FIRST_CHAINED, &volume);

	if (got <= 0 || volume.start + volume.size > walk->head.size)
		return got < 0 ? got : 0;
	while (got > 0) {
		got = session_end(walk, &volume, &end);
		if (got == 0)
			got = add_session(walk, &volume, end - volume.start);
		if (got < 0)
			return got;
		if (volume.root == walk->head.root)
			return 1;
		got = end < walk->head.size ? find_next(walk, end, &volume) : 0;
	}
	vec_clear(&walk->report->sessions);
	return got;
}

/* No chain: the head is a session from 0, or a copy of the descriptors of a later one whose start shows by
 * having the same root directory. What came before it can't be told any more. */
static int add_head_session(const struct walk *walk)
{
	const struct volume *head = &walk->head;
	uint64_t stop = head->root > SEARCH_BACK + ALIGN ? head->root - SEARCH_BACK : ALIGN;
	struct volume volume;

	for (uint64_t start = head->root & ~15ull; start >= stop; start -= 16) {
		int got = read_appended(walk, start, &volume);

		if (got < 0)
			return got;
		if (got > 0 && volume.root == head->root)
			return add_session(walk, &volume,
					   head->size > start ? head->size - start : volume.size);
	}
	return add_session(walk, head, head->size);
}

/* The UDF volume that the head led to before sessions were appended to it. */
static int add_udf_before(const struct walk *walk)
{
	struct disc_report *report = walk->report;
	uint64_t first = report->sessions.count ? report->sessions.items[0].start : 0;
	struct verb_session session;
	struct volume volume;
	int got = udf_session_before(walk->source, first, &volume, walk->why);

	if (got <= 0)
		return got;
	got = add_session(walk, &volume, first);
	if (got < 0)
		return got;
	session = report->sessions.items[report->sessions.count - 1];
	session.formats = FORMAT_BIT(FORMAT_UDF);
	memmove(report->sessions.items + 1, report->sessions.items,
		(report->sessions.count - 1) * sizeof session);
	report->sessions.items[0] = session;
	for (size_t i = 0; i < report->sessions.count; i++)
		report->sessions.items[i].number = (uint32_t)i + 1;
	return 0;
}

/* Sessions of other writers behind the head's volume. Only where the head is the descriptor of a first
 * session from 0: a chain that starts at 32 keeps its head up to date, and what follows it is left over from
 * before the medium was blanked. */
static int walk_behind(const struct walk *walk)
{
	struct verb_disc *disc = &walk->report->disc;
	struct volume volume;
	uint64_t end;
	int got;

	if (walk->report->sessions.count != 1 || walk->report->sessions.items[0].start != 0)
		return 0;
	while ((got = find_next(walk, disc->recorded, &volume)) > 0) {
		got = session_end(walk, &volume, &end);
		if (got < 0)
			return got;
		if ((volume.ours && !volume.headless) || end > walk->source->sectors + PAD_SLACK)
			return 0;
		got = add_session(walk, &volume, end - volume.start);
		if (got < 0)
			return got;
		disc->base = volume.start;
		disc->recorded = end;
	}
	return got;
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

/* A volume larger than its file was cut off, unless only padding can be missing: that can't be told here, and
 * isn't dangerous, because import refuses every file that reaches beyond the end. */
static int check_whole(const struct walk *walk)
{
	const struct volume *head = &walk->head;

	if (walk->damaged || head->size <= walk->source->sectors + PAD_SLACK)
		return 0;
	return reason_set(walk->why, EIO,
			  "truncated: the volume is %" PRIu64
			  " sectors long but the file ends at sector %" PRIu64,
			  head->size, walk->source->sectors);
}

static int probe_recorded(const struct walk *walk, const uint8_t *head)
{
	struct verb_disc *disc = &walk->report->disc;
	int got = check_whole(walk);

	if (got == 0)
		got = walk_chain(walk);
	if (got == 0)
		got = add_head_session(walk);
	if (got >= 0)
		got = add_udf_before(walk);
	if (got < 0)
		return got;
	disc->recorded = max_u64(walk->head.size, HEAD_SECTORS);
	got = walk_behind(walk);
	if (got < 0)
		return got;
	disc->nwa = round_up(disc->recorded, ALIGN);
	disc->sessions = (uint32_t)walk->report->sessions.count;
	disc->state = DISC_APPENDABLE;
	if (sessions_partitioned(head)) {
		disc->state = DISC_CLOSED;
		strcpy(disc->closed_why,
		       "it is partitioned like a hard disk (isohybrid): a new session would leave "
		       "its partition tables stale");
	}
	return 0;
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

static int fingerprint_disc(const struct source *source, const uint8_t *head, struct verb_disc *disc,
			    struct reason *why)
{
	uint64_t at = disc->base;
	uint8_t base[16 * SECTOR];
	int got = 0;

	if (disc->formats == FORMAT_BIT(FORMAT_UDF))
		got = udf_session_identity(source, &at, base, why);
	else if (disc->base)
		got = read_some(source, disc->base + 16, 16, base, why);
	if (got == 0 && sessions_fingerprint(head, at, base, disc->fingerprint) < 0)
		got = reason_set(why, EIO, "can't compute SHA-256");
	return got;
}

int sessions_probe(const struct source *source, const struct verb_job *job, struct disc_report *ret,
		   struct reason *why)
{
	struct walk walk = { .source = source, .report = ret, .why = why, .damaged = job->damaged };
	struct verb_disc *disc = &ret->disc;
	AUTO_FREE uint8_t *head = malloc(HEAD_BYTES);
	bool marked;
	int got;

	if (!head)
		return reason_set(why, ENOMEM, "out of memory");
	got = read_some(source, 0, HEAD_SECTORS, head, why);
	if (got < 0)
		return got;
	read_mark(head, disc, &marked);
	got = volume_read(source, 0, &walk.head, why);
	if (got < 0)
		return got;
	if (got > 0) {
		got = probe_recorded(&walk, head);
	} else if ((marked || source->is_drive) &&
		   all_zero(head + (size_t)16 * SECTOR, (size_t)16 * SECTOR)) {
		disc->state = DISC_BLANK;
		disc->nwa = FIRST_CHAINED;
	} else {
		got = udf_session_probe(source, head, ret, why);
		if (got == 0)
			got = refuse_foreign(source, head, why);
	}
	if (got == 0)
		got = disc_report_choose(ret, job->wanted, why);
	disc_report_print(ret, source);
	return got < 0 ? got : fingerprint_disc(source, head, disc, why);
}
