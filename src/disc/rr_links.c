/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/rr_links.h"

#include "disc/volume.h"

#include <errno.h>
#include <string.h>

/* Offsets in a directory record (ECMA-119 9.1) and in a PX entry (RRIP 4.1.1). */
enum {
	AT_EXTENT = 2,
	AT_LENGTH = 10,
	AT_FLAGS = 25,
	AT_NAME_LENGTH = 32,
	AT_NAME = 33,
	PX_LINKS = 12,
	PX_PLAIN = 36 /* length without a serial number */
};
#define FLAG_DIR  0x02u
#define DIR_CAP	  (64u << 20) /* bytes of one directory */
#define VISIT_CAP 20000000u   /* directories */

struct dir_extent {
	uint32_t lba;
	uint32_t length;
};

struct scan {
	const struct source *source;
	VEC(struct dir_extent) todo;
	struct lba_set *found;
	struct reason *why;
	uint64_t sectors_left; /* each is read once on an honest disc */
};

static void scan_clear(struct scan *scan)
{
	vec_clear(&scan->todo);
}

void lba_set_clear(struct lba_set *set)
{
	vec_clear(set);
}

static int compare_lba(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

bool lba_set_has(const struct lba_set *set, uint32_t lba)
{
	return set->count && bsearch(&lba, set->items, set->count, sizeof lba, compare_lba);
}

static void set_sort(struct lba_set *set)
{
	size_t kept = 0;

	if (set->count)
		qsort(set->items, set->count, sizeof *set->items, compare_lba);
	for (size_t i = 0; i < set->count; i++)
		if (kept == 0 || set->items[kept - 1] != set->items[i])
			set->items[kept++] = set->items[i];
	set->count = kept;
}

/* Looks through one system use area. CE: the area goes on elsewhere (left 0 when there's none). */
static uint32_t find_links(const uint8_t *area, size_t length, const uint8_t **ret_ce)
{
	*ret_ce = NULL;
	for (size_t at = 0; at + 4 <= length && area[at + 2] >= 4 && at + area[at + 2] <= length;
	     at += area[at + 2]) {
		const uint8_t *entry = area + at;

		if (entry[0] == 'P' && entry[1] == 'X' && entry[2] == PX_PLAIN)
			return get_le32(entry + PX_LINKS);
		if (entry[0] == 'C' && entry[1] == 'E' && entry[2] >= 28)
			*ret_ce = entry;
	}
	return 0;
}

/* Long names push PX into a continuation area; one hop is all that writers need. */
static uint32_t record_links(const struct scan *scan, const uint8_t *record)
{
	size_t skip = AT_NAME + record[AT_NAME_LENGTH] + (record[AT_NAME_LENGTH] % 2 == 0);
	struct reason ignored = { 0 };
	uint8_t block[SECTOR];
	const uint8_t *ce;
	uint32_t links, offset, length;

	if (skip >= record[0])
		return 0;
	links = find_links(record + skip, record[0] - skip, &ce);
	if (links || !ce)
		return links;
	offset = get_le32(ce + 12);
	length = get_le32(ce + 20);
	if (!range_within(offset, length, SECTOR) ||
	    source_read(scan->source, get_le32(ce + 4), 1, block, &ignored) < 0)
		return 0;
	return find_links(block + offset, length, &ce);
}

static int take_record(struct scan *scan, const uint8_t *record)
{
	bool is_self = record[AT_NAME_LENGTH] == 1 && record[AT_NAME] <= 1; /* "." and ".." */

	if (is_self)
		return 0;
	if (record[AT_FLAGS] & FLAG_DIR) {
		struct dir_extent *dir = scan->todo.count < VISIT_CAP ? vec_push(&scan->todo) : NULL;

		if (!dir)
			return -ENOMEM;
		*dir = (struct dir_extent){ get_le32(record + AT_EXTENT), get_le32(record + AT_LENGTH) };
		return 0;
	}
	if (get_le32(record + AT_LENGTH) && record_links(scan, record) > 1) {
		uint32_t *lba = vec_push(scan->found);

		if (!lba)
			return -ENOMEM;
		*lba = get_le32(record + AT_EXTENT);
	}
	return 0;
}

static int scan_sector(struct scan *scan, uint64_t lba)
{
	uint8_t block[SECTOR];
	int got = source_read(scan->source, lba, 1, block, scan->why);

	for (size_t at = 0; got == 0 && at < SECTOR && block[at];) {
		size_t length = block[at];

		if (length < AT_NAME + 1 || length > SECTOR - at ||
		    block[at + AT_NAME_LENGTH] > length - AT_NAME)
			break;
		got = take_record(scan, block + at);
		at += length;
	}
	return got;
}

static int scan_dir(struct scan *scan, const struct dir_extent *dir)
{
	uint64_t count = sectors_of(dir->length);
	int got = 0;

	if (dir->length > DIR_CAP || !range_within(dir->lba, count, scan->source->sectors))
		return 0;
	for (uint64_t i = 0; got == 0 && i < count; i++) {
		if (scan->sectors_left == 0)
			return 0;
		scan->sectors_left--;
		got = scan_sector(scan, dir->lba + i);
	}
	return got;
}

int rr_links_scan(const struct source *source, uint64_t volume, struct lba_set *ret, struct reason *why)
{
	CLEANUP(scan_clear)
	struct scan scan = { .source = source, .found = ret, .why = why, .sectors_left = source->sectors };
	struct volume head;
	struct dir_extent *root;
	int got = volume_read_either(source, volume, &head, why);

	if (got <= 0)
		return got;
	root = vec_push(&scan.todo);
	if (!root)
		return reason_set(why, ENOMEM, "out of memory");
	*root = (struct dir_extent){ (uint32_t)head.root, get_le32(head.block + 166) };
	while (scan.todo.count && got >= 0) {
		struct dir_extent dir = scan.todo.items[--scan.todo.count];

		got = scan_dir(&scan, &dir);
	}
	set_sort(ret);
	return got == -ENOMEM ? reason_set(why, ENOMEM, "out of memory") : got < 0 ? got : 0;
}
