/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/iso_links.h"

#include "disc/rr_links.h"

#include <errno.h>
#include <string.h>

/* qsort without context: entries are sorted through pointers. */
typedef struct iso_entry *entry_ref;

static int compare_extents(const struct iso_entry *a, const struct iso_entry *b)
{
	int order = compare_u64(a->lba, b->lba);

	return order ? order : compare_u64(a->size, b->size);
}

/* References to entries of one array: where they point is the order of the tree. */
static int compare_place(const struct iso_entry *a, const struct iso_entry *b)
{
	return a < b ? -1 : a > b;
}

static int by_serial(const void *left, const void *right)
{
	const struct iso_entry *a = *(const entry_ref *)left, *b = *(const entry_ref *)right;
	int order = compare_u64(a->serial, b->serial);

	if (!order)
		order = compare_extents(a, b);
	return order ? order : compare_place(a, b);
}

static int same_serial(entry_ref a, entry_ref b)
{
	return a->serial == b->serial && compare_extents(a, b) == 0 &&
	       iso_node_cmp_ino(a->node, b->node, 0) == 0;
}

static int by_node(const void *left, const void *right)
{
	const struct iso_entry *a = *(const entry_ref *)left, *b = *(const entry_ref *)right;
	int order = iso_node_cmp_ino(a->node, b->node, 0);

	return order ? order : compare_place(a, b);
}

static int same_node(entry_ref a, entry_ref b)
{
	return iso_node_cmp_ino(a->node, b->node, 0) == 0;
}

static int compare_attrs(const struct iso_entry *a, const struct iso_entry *b)
{
	int order = compare_u64(iso_node_get_mode(a->node), iso_node_get_mode(b->node));

	if (!order)
		order = compare_u64(iso_node_get_uid(a->node), iso_node_get_uid(b->node));
	if (!order)
		order = compare_u64(iso_node_get_gid(a->node), iso_node_get_gid(b->node));
	if (!order)
		order =
		    compare_u64((uint64_t)iso_node_get_mtime(a->node), (uint64_t)iso_node_get_mtime(b->node));
	return order;
}

static int by_extent(const void *left, const void *right)
{
	const struct iso_entry *a = *(const entry_ref *)left, *b = *(const entry_ref *)right;
	int order = compare_extents(a, b);

	if (!order)
		order = compare_attrs(a, b);
	return order ? order : compare_place(a, b);
}

static int same_extent(entry_ref a, entry_ref b)
{
	return compare_extents(a, b) == 0 && compare_attrs(a, b) == 0;
}

/* Gives neighbours that are the same the first one's place as leader. evidence: NULL, or only these extents
 * count. */
static void join_runs(struct iso_entry *entries, entry_ref *refs, size_t count,
		      int (*same)(entry_ref, entry_ref), const struct lba_set *evidence)
{
	for (size_t i = 1; i < count; i++) {
		if (!same(refs[i - 1], refs[i]) || (evidence && !lba_set_has(evidence, refs[i]->lba)))
			continue;
		refs[i]->leader = refs[i - 1]->leader;
	}
}

typedef bool (*entry_filter)(const struct iso_entry *entry);

static bool is_file(const struct iso_entry *entry)
{
	return iso_node_get_type(entry->node) == LIBISO_FILE;
}

static bool is_other(const struct iso_entry *entry)
{
	enum IsoNodeType type = iso_node_get_type(entry->node);

	return type == LIBISO_SYMLINK || type == LIBISO_SPECIAL;
}

static bool has_extent(const struct iso_entry *entry)
{
	return is_file(entry) && entry->lba != NO_EXTENT && entry->size > 0;
}

static size_t collect(struct iso_entry *entries, uint32_t count, entry_filter filter, entry_ref *refs)
{
	size_t kept = 0;

	for (uint32_t i = 0; i < count; i++)
		if (filter(&entries[i]))
			refs[kept++] = &entries[i];
	return kept;
}

static bool shares_extents(const entry_ref *refs, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (same_extent(refs[i - 1], refs[i]) && refs[i - 1]->leader != refs[i]->leader)
			return true;
	return false;
}

/* A leader may have found a leader of its own in a later round; leaders always come first. */
static void follow_leaders(struct iso_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		entries[i].leader = entries[entries[i].leader].leader;
}

static void lead_oneself(struct iso_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		entries[i].leader = i;
}

int iso_links_find(struct iso_entry *entries, uint32_t count, const struct source *source, uint64_t volume,
		   struct reason *why)
{
	CLEANUP(lba_set_clear) struct lba_set evidence = { 0 };
	AUTO_FREE entry_ref *refs = calloc(count + 1u, sizeof *refs);
	size_t kept;
	int got = 0;

	if (!refs)
		return reason_set(why, ENOMEM, "out of memory");
	lead_oneself(entries, count);
	kept = collect(entries, count, is_file, refs);
	qsort(refs, kept, sizeof(entry_ref), by_serial);
	join_runs(entries, refs, kept, same_serial, NULL);
	kept = collect(entries, count, is_other, refs);
	qsort(refs, kept, sizeof(entry_ref), by_node);
	join_runs(entries, refs, kept, same_node, NULL);
	kept = collect(entries, count, has_extent, refs);
	qsort(refs, kept, sizeof(entry_ref), by_extent);
	if (shares_extents(refs, kept)) {
		got = rr_links_scan(source, volume, &evidence, why);
		if (got == 0)
			join_runs(entries, refs, kept, same_extent, &evidence);
	}
	follow_leaders(entries, count);
	return got;
}
