/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/verify_files.h"

#include <errno.h>
#include <string.h>

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

int verify_files_collect(struct checking *checking)
{
	return collect(checking, iso_image_get_root(checking->import.image));
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
					    wants_sha256(checking, entry), checking_progress, checking };
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

/* Whoever keeps it can checking_tell the next time. */
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
			     : checking_tell_file(checking, entry, found->how ? found->how : DAMAGED_DIFFERS,
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

int verify_files_check(struct checking *checking)
{
	struct verify *verify = checking->verify;
	int got;

	if (checking->entries.count) /* nothing at all has no address */
		qsort(checking->entries.items, checking->entries.count, sizeof *checking->entries.items,
		      by_place);
	checking->progress = (struct verb_progress){ .total = sectors_to_read(checking) };
	got = checking_progress(checking, 0);
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

static int tell_lost(void *self, const char *text)
{
	struct checking *checking = (struct checking *)self;

	return checking_tell(checking, DAMAGED_TREE, DAMAGED_DIFFERS, NO_SECTOR, text);
}

int verify_files_collect_udf(struct checking *checking)
{
	struct reason failed = { 0 };
	int got = verify_udf_collect(checking->verify->source, checking->session->start, &checking->files,
				     tell_lost, checking, &failed);

	if (got == -EIO || got == -EMEDIUMTYPE || got == -EBADMSG)
		return checking_tell(checking, DAMAGED_TREE, DAMAGED_DIFFERS, NO_SECTOR, failed.text);
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
