/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/verify.h"

#include "disc/iso_import.h"
#include "disc/lineage.h"
#include "disc/own_sums.h"
#include "disc/verify_tags.h"
#include "disc/verify_udf.h"
#include "disc/volume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROGRESS_MS	 200
#define FIRST_DESCRIPTOR 16u /* of a session, ECMA-119 6.7.1 */

struct entry {
	IsoNode *node;		     /* borrowed; NULL: of UDF */
	const struct udf_file *file; /* borrowed; NULL: of ISO 9660 */
	uint64_t lba, size;
	bool plain; /* one row of sectors: place and size tell which body it is */
};

/* One session's check. */
struct checking {
	struct verify *verify;
	const struct verb_session *session;
	uint64_t own_start; /* of its own descriptors */
	uint64_t start;	    /* of what its sums cover, see volume.h */
	bool head;	    /* there is a copy of them in blocks 0..31 */
	struct iso_import import;
	struct udf_files files; /* of a session whose tree is UDF's */
	VEC(struct entry) entries;
	VEC(struct body_found) fresh; /* read for this session */
	struct reason failed;	      /* of the import by its own descriptors */
	bool has_sums;		      /* the root tells of sums of files */
	struct sums_place sums;
	bool tree_told; /* that it's damaged */
	struct verb_checked result;
	struct verb_progress progress;
	uint64_t told_ms;	/* when of the progress */
	const struct entry *at; /* what is being read */
	struct reason *why;
};

static void checking_clear(struct checking *checking)
{
	vec_clear(&checking->entries);
	vec_clear(&checking->fresh);
	udf_files_clear(&checking->files);
	iso_import_close(&checking->import);
}

/* ---- telling ---- */

static int tell_damaged(void *self, struct verb_damaged *damaged)
{
	struct checking *checking = (struct checking *)self;
	struct verify *verify = checking->verify;

	damaged->session = checking->session->number;
	checking->tree_told |= damaged->what == DAMAGED_TREE || damaged->what == DAMAGED_DESCRIPTORS;
	checking->result.damages++;
	return verify->told++ < DAMAGES_LIMIT ? verify->sink->damaged(verify->self, damaged) : 0;
}

static int tell(struct checking *checking, uint32_t what, uint32_t how, uint64_t lba, const char *text)
{
	struct verb_damaged damaged = { .what = what, .how = how, .lba = lba };

	snprintf(damaged.text, sizeof damaged.text, "%.*s", (int)sizeof damaged.text - 1, text);
	return tell_damaged(checking, &damaged);
}

static char *path_of(const struct entry *entry)
{
	return entry->file ? strdup(entry->file->path) : iso_tree_get_node_path(entry->node);
}

static int tell_file(struct checking *checking, const struct entry *entry, uint32_t how, uint64_t lba)
{
	struct verb_damaged damaged = { .what = DAMAGED_FILE, .how = how, .lba = lba };
	AUTO_FREE char *path = path_of(entry);

	if (!path)
		return reason_set(checking->why, ENOMEM, "out of memory");
	damaged.path = path;
	damaged.path_length = strlen(path);
	if (how == DAMAGED_DIFFERS)
		snprintf(damaged.text, sizeof damaged.text, "its content isn't what was recorded");
	else if (how == DAMAGED_CUT)
		snprintf(damaged.text, sizeof damaged.text, "cut off: the medium ends before sector %" PRIu64,
			 lba);
	else
		snprintf(damaged.text, sizeof damaged.text, "can't be read at sector %" PRIu64, lba);
	return tell_damaged(checking, &damaged);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The first one at once, since the look at a large tree takes a while. */
static int tell_progress(void *self, uint64_t sectors)
{
	struct checking *checking = (struct checking *)self;
	AUTO_FREE char *path = NULL;
	uint64_t now = now_ms();

	checking->progress.done += sectors;
	if (checking->told_ms && now - checking->told_ms < PROGRESS_MS)
		return 0;
	checking->told_ms = now;
	path = checking->at ? path_of(checking->at) : NULL;
	checking->progress.file = path ? path : "";
	checking->progress.file_length = path ? strlen(path) : 0;
	return checking->verify->sink->progress(checking->verify->self, &checking->progress);
}

/* ---- what there is to read ---- */

/* Of a file: NULL and 0 where nothing is recorded. */
static int sections_of_node(struct checking *checking, IsoNode *node, struct iso_file_section **ret,
			    int *ret_count)
{
	AUTO_FREE char *content = NULL;
	IsoBoot *catalog = NULL;
	uint32_t lba = 0;
	off_t size = 0;

	*ret = NULL;
	*ret_count = 0;
	if (iso_node_get_type(node) == LIBISO_FILE)
		return iso_file_get_old_image_sections((IsoFile *)node, ret_count, ret, 0) < 0
			   ? reason_set(checking->why, ENOMEM, "out of memory")
			   : 0;
	if (iso_image_get_bootcat(checking->import.image, &catalog, &lba, &content, &size) != 1)
		return 0;
	*ret = calloc(1, sizeof **ret);
	if (!*ret)
		return reason_set(checking->why, ENOMEM, "out of memory");
	**ret = (struct iso_file_section){ lba, (uint32_t)size };
	*ret_count = 1;
	return 0;
}

static int add_entry(struct checking *checking, IsoNode *node)
{
	AUTO_FREE struct iso_file_section *sections = NULL;
	struct entry *entry = vec_push(&checking->entries);
	int count, got;

	if (!entry || checking->entries.count > VERIFY_NAMES_LIMIT)
		return reason_set(checking->why, ENOMEM, "out of memory");
	*entry = (struct entry){ .node = node, .plain = true };
	got = sections_of_node(checking, node, &sections, &count);
	for (int i = 0; got == 0 && i < count; i++) {
		if (entry->size == 0)
			entry->lba = sections[i].block;
		else if (sections[i].block != entry->lba + sectors_of(entry->size) || entry->size % SECTOR)
			entry->plain = false;
		entry->size += sections[i].size;
	}
	return got;
}

/* Depth was limited when the tree was built. */
static int collect(struct checking *checking, IsoDir *dir)
{
	IsoDirIter *iter = NULL;
	IsoNode *node;
	int got = 0;

	if (iso_dir_get_children(dir, &iter) < 0)
		return reason_set(checking->why, ENOMEM, "out of memory");
	while (got == 0 && iso_dir_iter_next(iter, &node) == 1) {
		enum IsoNodeType type = iso_node_get_type(node);

		if (type == LIBISO_DIR)
			got = collect(checking, (IsoDir *)node);
		else if (type == LIBISO_FILE || type == LIBISO_BOOT)
			got = add_entry(checking, node);
	}
	iso_dir_iter_free(iter);
	return got;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_u64(a->lba, b->lba);

	return order ? order : compare_u64(a->size, b->size);
}

static int by_known_place(const void *left, const void *right)
{
	const struct body_found *a = left, *b = right;
	int order = compare_u64(a->lba, b->lba);

	return order ? order : compare_u64(a->size, b->size);
}

/* The last body read, or one that a session before had; NULL: it must be read. */
static struct body_found *find_known(const struct checking *checking, const struct entry *entry,
				     bool *ret_shared)
{
	const struct body_found wanted = { .lba = entry->lba, .size = entry->size };
	const struct verify *verify = checking->verify;
	size_t count = checking->fresh.count;
	struct body_found *last = count ? &checking->fresh.items[count - 1] : NULL;

	*ret_shared = false;
	if (!entry->plain)
		return NULL;
	if (last && by_known_place(last, &wanted) == 0)
		return last;
	if (!verify->known.count)
		return NULL;
	last = bsearch(&wanted, verify->known.items, verify->known.count, sizeof wanted, by_known_place);
	*ret_shared = last != NULL;
	return last;
}

static uint64_t sectors_to_read(struct checking *checking)
{
	const struct entry *before = NULL;
	uint64_t sum = 0;
	bool shared;

	vec_each (&checking->entries, entry) {
		bool same = before && before->plain && entry->plain && by_place(before, entry) == 0;

		before = entry;
		if (!same && !find_known(checking, entry, &shared))
			sum += sectors_of(entry->size);
	}
	return sum;
}

/* ---- files ---- */

static bool get_md5(const struct checking *checking, const struct entry *entry, char *ret)
{
	return entry->node && iso_node_get_type(entry->node) == LIBISO_FILE &&
	       iso_file_get_md5(checking->import.image, (IsoFile *)entry->node, ret, 0) == 1;
}

/* Of a body that the disc has no sum of. */
static bool wants_sha256(const struct checking *checking, const struct entry *entry)
{
	char md5[MD5_LENGTH];

	return entry->plain && (checking->verify->learn || checking->verify->sum_count) &&
	       !get_md5(checking, entry, md5);
}

static int read_body(struct checking *checking, const struct entry *entry, struct body_found *ret)
{
	const struct body_reader reader = { checking->verify->source, checking->verify->buffer,
					    wants_sha256(checking, entry), tell_progress, checking };
	AUTO_FREE struct iso_file_section *sections = NULL;
	uint64_t done = checking->progress.done;
	int count = 0, got = 0;

	*ret = (struct body_found){ .lba = entry->lba, .size = entry->size };
	checking->at = entry;
	if (entry->file)
		got = verify_body(&reader, entry->file->sections, entry->file->count, ret, checking->why);
	else
		got = sections_of_node(checking, entry->node, &sections, &count);
	if (got == 0 && !entry->file)
		got = verify_body(&reader, sections, (size_t)count, ret, checking->why);
	checking->progress.done = done + sectors_of(entry->size);
	if (got < 0 || !entry->plain)
		return got;
	return vec_push(&checking->fresh) ? (checking->fresh.items[checking->fresh.count - 1] = *ret, 0)
					  : reason_set(checking->why, ENOMEM, "out of memory");
}

static int by_sum_place(const void *left, const void *right)
{
	const struct verb_sum *a = left, *b = right;
	int order = compare_u64(a->lba, b->lba);

	return order ? order : compare_u64(a->bytes, b->bytes);
}

void verify_sort_sums(struct verb_sum *sums, size_t count)
{
	if (count)
		qsort(sums, count, sizeof *sums, by_sum_place);
}

enum judged { JUDGED_UNSUMMED, JUDGED_GOOD, JUDGED_DIFFERS };

static enum judged judge_sum(const struct checking *checking, const struct entry *entry,
			     const struct body_found *found)
{
	const struct verb_sum wanted = { .lba = entry->lba, .bytes = entry->size };
	const struct verify *verify = checking->verify;
	const struct verb_sum *sum;
	char md5[MD5_LENGTH];

	if (get_md5(checking, entry, md5))
		return memcmp(md5, found->md5, MD5_LENGTH) ? JUDGED_DIFFERS : JUDGED_GOOD;
	if (!entry->plain || !verify->sum_count)
		return JUDGED_UNSUMMED;
	sum = bsearch(&wanted, verify->sums, verify->sum_count, sizeof wanted, by_sum_place);
	return !sum							? JUDGED_UNSUMMED
	       : memcmp(sum->sha256, found->sha256, sizeof sum->sha256) ? JUDGED_DIFFERS
									: JUDGED_GOOD;
}

/* Whoever keeps it can tell the next time. */
static int teach(const struct checking *checking, const struct entry *entry, const struct body_found *found)
{
	struct verb_sum sum = { .lba = entry->lba, .bytes = entry->size };

	if (!checking->verify->learn || !entry->plain)
		return 0;
	memcpy(sum.sha256, found->sha256, sizeof sum.sha256);
	return checking->verify->sink->sum(checking->verify->self, &sum);
}

/* bytes: of it that were read now. shared: it was read with a session before, and told if it's damaged. */
static int judge(struct checking *checking, const struct entry *entry, struct body_found *found,
		 uint64_t bytes, bool shared)
{
	struct verb_checked *result = &checking->result;
	enum judged judged = found->how ? JUDGED_DIFFERS : judge_sum(checking, entry, found);

	result->shared_files += shared;
	if (judged == JUDGED_DIFFERS) {
		bool known = shared && found->told;

		found->told = true;
		result->damaged_files++;
		result->damaged_bytes += bytes;
		result->again_files += known;
		return known ? 0
			     : tell_file(checking, entry, found->how ? found->how : DAMAGED_DIFFERS,
					 found->how ? found->bad_lba : NO_SECTOR);
	}
	if (judged == JUDGED_GOOD) {
		result->good_files++;
		result->good_bytes += bytes;
		return 0;
	}
	result->unsummed_files++;
	result->unsummed_bytes += bytes;
	return bytes ? teach(checking, entry, found) : 0;
}

static int check_entry(struct checking *checking, const struct entry *entry)
{
	struct body_found now, *known;
	bool shared = false;
	int got;

	if (!entry->size) { /* its size is a part of the tree */
		checking->result.good_files++;
		return 0;
	}
	known = find_known(checking, entry, &shared);
	if (known)
		return judge(checking, entry, known, 0, shared);
	got = read_body(checking, entry, &now);
	if (got < 0)
		return got;
	known = entry->plain ? &checking->fresh.items[checking->fresh.count - 1] : &now;
	return judge(checking, entry, known, entry->size, false);
}

static int check_files(struct checking *checking)
{
	struct verify *verify = checking->verify;
	int got;

	if (checking->entries.count) /* nothing at all has no address */
		qsort(checking->entries.items, checking->entries.count, sizeof *checking->entries.items,
		      by_place);
	checking->progress = (struct verb_progress){ .total = sectors_to_read(checking) };
	got = tell_progress(checking, 0);
	for (size_t i = 0; got == 0 && i < checking->entries.count; i++)
		got = check_entry(checking, &checking->entries.items[i]);
	for (size_t i = 0; got == 0 && i < checking->fresh.count; i++) {
		struct body_found *kept = vec_push(&verify->known);

		if (!kept)
			return reason_set(checking->why, ENOMEM, "out of memory");
		*kept = checking->fresh.items[i];
	}
	if (verify->known.count)
		qsort(verify->known.items, verify->known.count, sizeof *verify->known.items, by_known_place);
	return got;
}

/* ---- the tree ---- */

/* Where the session's own descriptors lead nowhere, their copy may. */
static int open_import(struct checking *checking)
{
	const struct source *source = checking->verify->source;
	int got = iso_import_open_damaged(&checking->import, source, checking->start, &checking->failed);
	struct reason second = { 0 };

	if (got == 0 || !checking->head || (got != -EIO && got != -EMEDIUMTYPE))
		return got;
	iso_import_close(&checking->import);
	return iso_import_open_damaged(&checking->import, source, 0, &second) < 0 ? got : 0;
}

static int import(struct checking *checking)
{
	int got = open_import(checking);

	if (got < 0)
		return got == -EIO || got == -EMEDIUMTYPE
			   ? 0
			   : reason_set(checking->why, -got, "%s", checking->failed.text);
	checking->result.imported = true;
	checking->has_sums = own_sums_place(checking->import.image, &checking->sums);
	return 0;
}

static int check_sums(struct checking *checking, const struct verify_tags *tags)
{
	uint32_t start, array;
	char md5[MD5_LENGTH];

	if (!checking->has_sums)
		return 0;
	if (iso_image_get_session_md5(checking->import.image, &start, &array, md5, 0) != ISO_SUCCESS)
		return tell(checking, DAMAGED_SUMS, DAMAGED_DIFFERS, checking->sums.array,
			    "damaged: files can only be read, not compared");
	return tags->expected ? verify_tags_end(tags, &checking->sums, checking->why) : 0;
}

/* Without sums that agree, the directories themselves must show that they're whole: those of all trees. */
static int check_dirs(struct checking *checking)
{
	int got = 0;

	for (int tree = 0; tree < TREES && got == 0; tree++) {
		struct tree_faults *faults = &checking->import.faults[tree];

		vec_each (&faults->items, fault) {
			if (got == 0)
				got = tell(checking, DAMAGED_TREE,
					   fault->unreadable ? DAMAGED_UNREADABLE : DAMAGED_DIFFERS,
					   fault->lba, fault->text);
		}
	}
	return got;
}

/* What importing met, and no sum tells of. */
static int check_import(struct checking *checking)
{
	const struct iso_medium *medium = &checking->import.medium;
	char text[DAMAGE_TEXT];

	if (checking->tree_told)
		return 0;
	if (checking->failed.err && checking->result.imported) /* by their copy in the head */
		return tell(checking, DAMAGED_DESCRIPTORS, DAMAGED_DIFFERS,
			    checking->start + FIRST_DESCRIPTOR, checking->failed.text);
	if (checking->failed.err)
		return tell(checking, DAMAGED_TREE, DAMAGED_DIFFERS, NO_SECTOR, checking->failed.text);
	if (checking->import.refused.err)
		return tell(checking, DAMAGED_TREE, DAMAGED_DIFFERS, NO_SECTOR,
			    checking->import.refused.text);
	if (checking->result.imported && !checking->result.summed) {
		int got = check_dirs(checking);

		if (got < 0 || checking->tree_told)
			return got;
	}
	if (!medium->holes || (checking->has_sums && medium->first_hole >= checking->sums.array))
		return 0;
	snprintf(text, sizeof text, "can't be read at sector %" PRIu64, medium->first_hole);
	return tell(checking, DAMAGED_TREE, DAMAGED_UNREADABLE, medium->first_hole, text);
}

/* A bridge whose descriptors differ from their copies isn't known by them: its sums tell where they count
 * from. */
static uint64_t start_of_sums(const struct checking *checking)
{
	bool bridged = checking->has_sums && checking->sums.start == volume_behind_front(checking->own_start);

	return bridged ? checking->sums.start : checking->start;
}

static int check_tree(struct checking *checking)
{
	const uint64_t start = start_of_sums(checking);
	struct verify_tags tags = { .source = checking->verify->source,
				    .start = start,
				    .expected = checking->has_sums && checking->sums.start == start,
				    .damaged = tell_damaged,
				    .self = checking };
	int got = checking->head ? verify_tags_head(&tags, checking->why) : 0;

	if (got == 0)
		got = verify_tags_session(&tags, checking->why);
	if (got < 0)
		return got;
	checking->result.summed = got > 0;
	got = check_sums(checking, &tags);
	return got < 0 ? got : check_import(checking);
}

/* The descriptors that readers look for, before a bridge's own part, have no sum: they must be there. */
static int check_front(struct checking *checking)
{
	struct reason failed = { 0 };
	struct volume volume;
	uint64_t lba = checking->own_start + 16;
	int got = checking->own_start == start_of_sums(checking)
		      ? 1
		      : volume_read(checking->verify->source, checking->own_start, &volume, &failed);

	if (got > 0)
		return 0;
	return tell(checking, DAMAGED_DESCRIPTORS, got == -EIO ? DAMAGED_UNREADABLE : DAMAGED_DIFFERS, lba,
		    got == -EIO ? "can't be read" : "not as they were recorded");
}

/* Sessions on overwriteable media form a chain from sector 32 on. */
static int check_chain(struct checking *checking)
{
	struct reason failed = { 0 };
	struct volume volume;
	int got;

	if (!checking->verify->chain || checking->own_start <= HEAD_SECTORS)
		return 0;
	got = volume_read(checking->verify->source, HEAD_SECTORS, &volume, &failed);
	if (got == 0)
		return 0;
	return tell(checking, DAMAGED_DESCRIPTORS, got == -EIO ? DAMAGED_UNREADABLE : DAMAGED_DIFFERS,
		    HEAD_SECTORS + 16,
		    "the session at sector 32 doesn't lead to this one: older sessions can't be found");
}

/* What is known of the sessions may be of before somebody put another disc into the drive. One that can't be
 * read is damaged. */
static int check_disc(const struct checking *checking)
{
	const struct verb_session *session = checking->session;
	struct reason failed = { 0 };
	struct volume volume;
	int got;

	if (!checking->verify->source->is_drive || !session->time)
		return 0;
	got = volume_read(checking->verify->source, session->start, &volume, &failed);
	if (got == 0 || (got > 0 && volume.time != session->time))
		return reason_set(checking->why, ESTALE, "another disc is in the drive");
	return got < 0 && failed.err != EIO && failed.err != EMEDIUMTYPE
		   ? reason_set(checking->why, failed.err, "%s", failed.text)
		   : 0;
}

/* ---- sessions whose tree is UDF's ---- */

static int tell_lost(void *self, const char *text)
{
	struct checking *checking = (struct checking *)self;

	return tell(checking, DAMAGED_TREE, DAMAGED_DIFFERS, NO_SECTOR, text);
}

static int collect_udf(struct checking *checking)
{
	struct reason failed = { 0 };
	int got = verify_udf_collect(checking->verify->source, checking->session->start, &checking->files,
				     tell_lost, checking, &failed);

	if (got == -EIO || got == -EMEDIUMTYPE || got == -EBADMSG)
		return tell(checking, DAMAGED_TREE, DAMAGED_DIFFERS, NO_SECTOR, failed.text);
	if (got < 0)
		return reason_set(checking->why, -got, "%s", failed.text);
	checking->result.imported = true;
	vec_each (&checking->files.items, file) {
		struct entry *entry = vec_push(&checking->entries);

		if (!entry || checking->entries.count > VERIFY_NAMES_LIMIT)
			return reason_set(checking->why, ENOMEM, "out of memory");
		*entry = (struct entry){
			.file = file, .lba = file->lba, .size = file->size, .plain = file->plain
		};
	}
	return 0;
}

static int check_udf(struct checking *checking)
{
	int got = tell_progress(checking, 0);

	if (got == 0)
		got = collect_udf(checking);
	return got == 0 ? check_files(checking) : got;
}

/* ---- all of a session ---- */

static int check_session(struct checking *checking)
{
	int got;

	if (tree_format_best(checking->session->formats) == FORMAT_UDF)
		return check_udf(checking);
	got = check_disc(checking);

	if (got == 0)
		got = tell_progress(checking, 0);
	if (got == 0)
		got = import(checking);
	if (got == 0)
		got = check_tree(checking);
	if (got == 0 && checking->result.imported)
		got = collect(checking, iso_image_get_root(checking->import.image));
	if (got == 0)
		got = check_files(checking);
	return got == 0 ? check_chain(checking) : got;
}

/* Of a session at 0, whose place the head took, the copy of its descriptors is as good. */
static int verify_first(struct verify *verify, const struct verb_session *session, uint8_t *head,
			struct reason *why)
{
	CLEANUP(checking_clear)
	struct checking checking = { .verify = verify, .session = session, .why = why };
	const struct source *medium = verify->source;
	struct source source = *medium;
	struct reason lost = { 0 };
	int got;

	checking.result.session = session->number;
	if (lineage_read_copy(medium, session->copy, session->copied, head, &lost) == 0)
		source.head = head;
	verify->source = &source;
	got = check_session(&checking);
	verify->source = medium;
	return got < 0 ? got : verify->sink->checked(verify->self, &checking.result);
}

int verify_session(struct verify *verify, const struct verb_session *session, bool head, struct reason *why)
{
	CLEANUP(checking_clear)
	struct checking checking = {
		.verify = verify, .session = session, .start = session->start, .why = why
	};
	AUTO_FREE uint8_t *first = !session->start && session->copy ? malloc(HEAD_BYTES) : NULL;
	int got;

	if (first)
		return verify_first(verify, session, first, why);
	if (!session->start && session->copy)
		return reason_set(why, ENOMEM, "out of memory");
	checking.result.session = session->number;
	if (!checking.start)
		checking.start = verify_tags_relocated(verify->source);
	checking.head = checking.start && (head || !session->start);
	checking.own_start = checking.start;
	checking.start = volume_inner(verify->source, checking.start);
	got = check_session(&checking);
	if (got == 0)
		got = check_front(&checking);
	return got < 0 ? got : verify->sink->checked(verify->self, &checking.result);
}

int verify_open(struct verify *verify, const struct source *source, const struct verify_sink *sink,
		void *self, struct reason *why)
{
	*verify = (struct verify){ .source = source, .sink = sink, .self = self };
	verify->buffer = malloc((size_t)BODY_BUFFER * SECTOR);
	return verify->buffer ? 0 : reason_set(why, ENOMEM, "out of memory");
}

void verify_close(struct verify *verify)
{
	free(verify->buffer);
	vec_clear(&verify->known);
}
