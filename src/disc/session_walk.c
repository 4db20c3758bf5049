/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/session_walk.h"

#include "disc/formats.h"
#include "disc/lineage.h"
#include "disc/udf_record.h"
#include "disc/udf_session.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define SEARCH_BACK   4096u /* how far before a root directory the descriptors of its session can lie */
#define SCAN_SECONDS  5
#define SCAN_OF_DRIVE 512u /* reads: each may be a seek, and an error takes seconds */

/* ---- one session ---- */

/* A session that could have been recorded behind another one. 1, 0 or -errno. Descriptors that we can't use
 * end the search instead of failing it: they're somebody's data. */
static int read_appended(const struct session_walk *walk, uint64_t start, struct volume *ret)
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
static int find_next(const struct session_walk *walk, uint64_t end, struct volume *ret)
{
	for (uint64_t start = end; start < end + PAD_SLACK + SESSION_ALIGN; start++) {
		int got = read_appended(walk, start, ret);

		if (got)
			return got;
	}
	return 0;
}

/* Absolute end of a session by its own descriptor. 0 or -errno. */
static int session_end(const struct session_walk *walk, const struct volume *volume, uint64_t *ret)
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

static int add_session(const struct session_walk *walk, const struct volume *volume, uint64_t sectors)
{
	return disc_report_add(walk->report, walk->source, volume, sectors, walk->why);
}

/* ---- a last resort ---- */

/* The next one in [from, limit) at a multiple of 32. 1 or 0: what can't be read isn't found. */
static int scan(const struct session_walk *walk, uint64_t from, uint64_t limit, struct volume *ret)
{
	const struct session_walk looking = { .source = walk->source, .why = walk->why, .damaged = true };
	time_t until = time(NULL) + SCAN_SECONDS;
	uint64_t reads = 0;

	limit = min_u64(limit, walk->source->sectors);
	for (uint64_t at = round_up(from, SESSION_ALIGN); at < limit && time(NULL) <= until;
	     at += SESSION_ALIGN)
		if ((walk->source->is_drive && ++reads > SCAN_OF_DRIVE) ||
		    (read_appended(&looking, at, ret) > 0 && volume_has_root(walk->source, ret)))
			return reads <= SCAN_OF_DRIVE;
	return 0;
}

/* ---- by what the newest says ---- */

/* The starts of all, the newest first. */
struct starts {
	VEC(uint64_t) all;
};

static void starts_clear(struct starts *starts)
{
	vec_clear(&starts->all);
}

static int push_start(struct starts *starts, uint64_t start)
{
	uint64_t *at = vec_push(&starts->all);

	if (!at)
		return -ENOMEM;
	*at = start;
	return 0;
}

/* What doesn't fit into one record, the oldest one that it names has in its own. */
static int follow(const struct session_walk *walk, const struct lineage *newest, struct starts *ret)
{
	struct lineage lineage = *newest;
	int got = push_start(ret, lineage.start);

	while (got == 0) {
		struct reason ignored = { 0 };
		struct volume volume;

		for (uint32_t i = 0; got == 0 && i < lineage.count; i++)
			got = push_start(ret, lineage.before[i]);
		if (got < 0 || lineage.count == 0 || lineage.number <= lineage.count + 1 ||
		    volume_read_either(walk->source, lineage.before[lineage.count - 1], &volume, &ignored) <=
			0 ||
		    !lineage_get(volume.block, &lineage) ||
		    lineage.start != ret->all.items[ret->all.count - 1])
			break;
	}
	return got < 0 ? reason_set(walk->why, ENOMEM, "out of memory") : 0;
}

/* It keeps its number. What is at 0 now is another one's. 1 or -errno. */
static int add_first_lost(const struct session_walk *walk, uint64_t end)
{
	const struct volume volume = { 0 };
	struct verb_session *added;
	int got = add_session(walk, &volume, end);

	if (got < 0)
		return got;
	added = &walk->report->sessions.items[walk->report->sessions.count - 1];
	added->formats = 0;
	added->broken = true;
	return 1;
}

/* The session that began at 0: its head is where the copy is. A volume that has UDF only has none. 1 =
 * listed, 0 = not found, or -errno. */
static int add_first(const struct session_walk *walk, uint64_t copy, uint32_t copied, uint64_t end)
{
	AUTO_FREE uint8_t *head = copy ? malloc(HEAD_BYTES) : NULL;
	struct source source = *walk->source;
	struct volume volume = { 0 }, udf;
	struct verb_session *added;
	struct reason ignored = { 0 };
	int got;

	if (copy && !head)
		return reason_set(walk->why, ENOMEM, "out of memory");
	if (!copy)
		return 0;
	if (lineage_read_copy(walk->source, copy, copied, head, &ignored) < 0)
		return add_first_lost(walk, end);
	source.head = head;
	got = volume_read(&source, 0, &volume, &ignored);
	if (got == 0)
		got = udf_session_read(&source, 0, end, &volume, &ignored);
	if (got <= 0)
		return add_first_lost(walk, end);
	got = disc_report_add(walk->report, &source, &volume, min_u64(volume.size ? volume.size : end, end),
			      walk->why);
	if (got < 0)
		return got;
	added = &walk->report->sessions.items[walk->report->sessions.count - 1];
	added->copy = copy;
	added->copied = copied;
	/* Sector 256 may lead to a bridge of ours by now. */
	if (volume.root && udf_session_before(walk->source, end, &udf, &ignored) <= 0)
		added->formats &= ~FORMAT_BIT(FORMAT_UDF);
	return 1;
}

/* The newest one's descriptors are in the head, too. What has UDF, the session itself tells: the head leads
 * to whatever is at the medium's end. */
static void take_head(const struct session_walk *walk, struct verb_session *ret)
{
	struct reason ignored = { 0 };
	uint32_t formats = 0;

	(void)formats_probe(walk->source, 0, &formats, &ignored);
	ret->formats = (formats & ~FORMAT_BIT(FORMAT_UDF)) | (ret->formats & FORMAT_BIT(FORMAT_UDF));
	ret->copy = HEAD_BLOCK;
	ret->copied = LINEAGE_COPY_MOST;
}

/* One that can't be read keeps its number. next: 0 = it's the newest. */
static int add_by_start(const struct session_walk *walk, uint64_t start, uint64_t next)
{
	uint64_t end = next ? next : walk->head.size;
	struct reason ignored = { 0 };
	struct volume volume;
	int got = volume_read(walk->source, start, &volume, &ignored);
	bool lost = got <= 0 || volume.root <= start || volume.size == 0;
	uint64_t inner = lost ? volume_inner(walk->source, start) : start;

	if (lost && !next)
		volume = walk->head;
	else if (lost && (inner == start || volume_read(walk->source, inner, &volume, &ignored) <= 0))
		volume = (struct volume){ 0 };
	volume.start = start;
	if (lost || start + volume.size > end)
		volume.size = end > start ? end - start : 0;
	got = add_session(walk, &volume, volume.size);
	if (got == 0 && lost && !next)
		take_head(walk, &walk->report->sessions.items[walk->report->sessions.count - 1]);
	return got;
}

static bool is_in_force(const struct session_walk *walk, const struct lineage *lineage)
{
	struct reason ignored = { 0 };
	struct volume volume;
	int got = volume_read(walk->source, lineage->start, &volume, &ignored);

	return lineage->start < walk->head.root && walk->head.root < walk->head.size &&
	       (got <= 0 || volume.root == walk->head.root);
}

/* 1 = listed all, 0 = the head says nothing of it, or -errno. */
static int list_lineage(const struct session_walk *walk)
{
	CLEANUP(starts_clear) struct starts starts = { 0 };
	struct lineage lineage;
	int got;

	if (!lineage_get(walk->head.block, &lineage) || !is_in_force(walk, &lineage))
		return 0;
	got = follow(walk, &lineage, &starts);
	for (size_t i = starts.all.count; got >= 0 && i-- > 0;) {
		uint64_t start = starts.all.items[i], next = i ? starts.all.items[i - 1] : 0;

		got = start == 0 ? add_first(walk, lineage.copy, lineage.copied, next)
				 : add_by_start(walk, start, next);
	}
	return got < 0 ? got : 1;
}

/* ---- by their sizes ---- */

/* The head's session, when its own descriptor isn't found behind those that are: our own begin at the next
 * multiple of 32. */
static int add_newest_lost(const struct session_walk *walk, uint64_t end)
{
	return add_by_start(walk, round_up(end, SESSION_ALIGN), 0);
}

/* Behind the last one of a chain, where the next can't be found: what lies before the head's session. 0 or
 * -errno; *ret: the next one. 1 = found. */
static int find_over_gap(const struct session_walk *walk, uint64_t end, struct volume *ret)
{
	const struct session_walk tolerant = { walk->source, walk->head, walk->report, walk->why, true };
	int got = end < walk->head.size ? find_next(&tolerant, end, ret) : 0;

	return got ? got : scan(walk, end, min_u64(walk->head.root, walk->head.size), ret);
}

/* One that is destroyed leaves a gap. Ours leave none: they begin at the next multiple of 32. 1 or -errno. */
static int add_lost(const struct session_walk *walk, uint64_t end, bool ours, const struct volume *next)
{
	uint64_t start = round_up(end, SESSION_ALIGN);
	uint64_t slack = ours && next->ours ? 0 : PAD_SLACK + SESSION_ALIGN;
	int got = next->start > start + slack ? add_by_start(walk, start, next->start) : 0;

	return got < 0 ? got : 1;
}

/* Lists the chain that starts at 32, up to the session that the head stands for. 1 when it's that; 0 when
 * there's no such chain (then nothing was added). */
static int list_chain(const struct session_walk *walk)
{
	const struct session_walk tolerant = { walk->source, walk->head, walk->report, walk->why, true };
	struct volume volume;
	uint64_t end = 0;
	bool sure = true, ours;
	int got = read_appended(&tolerant, FIRST_CHAINED, &volume);

	if (got <= 0 || volume.start + volume.size > walk->head.size)
		return got < 0 ? got : 0;
	while (got > 0) {
		sure &= volume_has_root(walk->source, &volume);
		got = session_end(&tolerant, &volume, &end);
		if (got == 0)
			got = add_session(walk, &volume, end - volume.start);
		if (got < 0)
			return got;
		if (volume.root == walk->head.root)
			return 1;
		ours = volume.ours && !volume.headless;
		got = find_over_gap(walk, end, &volume);
		if (got > 0)
			got = add_lost(walk, end, ours, &volume);
	}
	if (got == 0 && sure && walk->head.root > end)
		return (got = add_newest_lost(walk, end)) < 0 ? got : 1;
	vec_clear(&walk->report->sessions);
	return got;
}

/* No chain: the head is a session from 0, or a copy of the descriptors of a later one whose start shows by
 * having the same root directory. What came before it can't be told any more. */
static int add_head_session(const struct session_walk *walk)
{
	const struct session_walk tolerant = { walk->source, walk->head, walk->report, walk->why, true };
	const struct volume *head = &walk->head;
	uint64_t stop = head->root > SEARCH_BACK + SESSION_ALIGN ? head->root - SEARCH_BACK : SESSION_ALIGN;
	struct volume volume;

	for (uint64_t start = head->root & ~15ull; start >= stop; start -= 16) {
		int got = read_appended(&tolerant, start, &volume);

		if (got < 0)
			return got;
		if (got > 0 && volume.root == head->root)
			return add_session(walk, &volume,
					   head->size > start ? head->size - start : volume.size);
	}
	walk->report->head_is_first = true;
	return add_session(walk, head, head->size);
}

/* The UDF volume that the head led to before sessions were appended to it. */
static int add_udf_before(const struct session_walk *walk)
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
	session.broken = false;
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
static int list_behind(const struct session_walk *walk)
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

int session_walk_list(const struct session_walk *walk)
{
	int got = list_lineage(walk);

	if (got == 0)
		got = list_chain(walk);
	if (got == 0)
		got = add_head_session(walk);
	if (got >= 0)
		got = add_udf_before(walk);
	if (got < 0)
		return got;
	walk->report->disc.recorded = max_u64(walk->head.size, HEAD_SECTORS);
	return list_behind(walk);
}

/* ---- without a head ---- */

static int list_found(const struct session_walk *walk)
{
	uint64_t at = FIRST_CHAINED, left;
	struct volume volume;
	int got = 0;

	while (got == 0 && (find_next(walk, at, &volume) > 0 || scan(walk, at, UINT64_MAX, &volume) > 0)) {
		left = walk->source->sectors - volume.start;
		got = add_session(walk, &volume, min_u64(volume.size, left));
		at = volume.start + min_u64(volume.size, left);
		walk->report->disc.recorded = at;
	}
	return got;
}

/* The newest one knows all, also those whose descriptors are lost. */
int session_walk_headless(const struct session_walk *walk)
{
	struct disc_report *report = walk->report;
	struct session_walk newest = *walk;
	struct reason ignored = { 0 };
	uint64_t start;
	int got;

	newest.damaged = true;
	got = list_found(&newest);
	if (got < 0 || report->sessions.count == 0)
		return got;
	start = report->sessions.items[report->sessions.count - 1].start;
	if (volume_read(walk->source, start, &newest.head, &ignored) <= 0)
		return 0;
	newest.head.size = report->disc.recorded;
	vec_clear(&report->sessions);
	got = list_lineage(&newest);
	if (got == 0)
		got = list_found(&newest);
	return got < 0 ? got : 0;
}
