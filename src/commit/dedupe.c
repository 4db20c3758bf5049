/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/dedupe.h"

#include "commit/bodies.h"
#include "commit/repoint.h"
#include "store/contents.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

#define BEGINNING    (64u << 10) /* of larger bodies these are compared first */
#define INOS_AT_ONCE 50000u	 /* rows that are looked at before others may have the tree */
#define SUMMED_MOST  4u		 /* old bodies of equal MD5 that are tried: one that can be read is enough */
/* Old bodies without a sum that one content is compared with, in one commit: a disc that records no sums may
 * have any number of that size, and each must be read whole. What was read is known the next time. */
#define UNSUMMED_MOST 64u

/* A staged body that may be the same as another one. */
struct body {
	uint64_t ino, size, origin; /* origin: of its first byte in the spool */
	uint8_t sha256[SHA256_BYTES], md5[MD5_BYTES];
	bool based;	  /* the base has bodies that may be the same */
	bool old;	  /* same_as is of the base */
	uint64_t same_as; /* whose place it gets, 0: it keeps its own */
};

/* A body of the base that one of them may be the same as. */
struct old {
	uint64_t ino, origin;
	uint32_t body; /* index */
	bool keep;     /* the disc records no sum of it */
	uint8_t sha256[SHA256_BYTES];
};

struct dedupe {
	struct tree *tree;
	uint32_t gen;
	struct bodies reading;
	struct dedupe_saved *saved;
	struct reason *why;
	uint64_t catalog; /* byte address of the base's boot catalogue, UINT64_MAX: none */
	VEC(struct body) bodies;
	VEC(uint64_t) partly; /* those that are partly on the disc */
	VEC(struct old) olds;
	uint32_t at;		   /* the body that olds are looked for, */
	unsigned summed, unsummed; /* and how many were found */
};

static void dedupe_clear(struct dedupe *dedupe)
{
	vec_clear(&dedupe->bodies);
	vec_clear(&dedupe->partly);
	vec_clear(&dedupe->olds);
	bodies_clear(&dedupe->reading);
}

static int by_size(const void *left, const void *right)
{
	const struct body *a = left, *b = right;
	int order = compare_u64(a->size, b->size);

	return order ? order : compare_u64(a->ino, b->ino);
}

static int by_content(const void *left, const void *right)
{
	const struct body *a = left, *b = right;
	int order = compare_u64(a->size, b->size);

	if (!order)
		order = memcmp(a->sha256, b->sha256, sizeof a->sha256);
	return order ? order : compare_u64(a->ino, b->ino);
}

static int by_place(const void *left, const void *right)
{
	const struct body *a = left, *b = right;

	return compare_u64(a->origin, b->origin);
}

static int by_ino(const void *left, const void *right)
{
	const struct body *a = left, *b = right;

	return compare_u64(a->ino, b->ino);
}

static int old_by_place(const void *left, const void *right)
{
	const struct old *a = left, *b = right;
	int order = compare_u64(a->origin, b->origin);

	return order ? order : compare_u64(a->ino, b->ino);
}

static void sort(struct dedupe *dedupe, int (*order)(const void *, const void *))
{
	if (dedupe->bodies.count)
		qsort(dedupe->bodies.items, dedupe->bodies.count, sizeof *dedupe->bodies.items, order);
}

static int unreadable_rows(const struct dedupe *dedupe, int err)
{
	return reason_set(dedupe->why, -err, "the staged tree can't be read: %s", strerror(-err));
}

static void count_saved(struct dedupe *dedupe, uint64_t size)
{
	dedupe->saved->files++;
	dedupe->saved->sectors += sectors_of(size);
}

/* ---- what is staged ---- */

static bool touches_disc(const struct extent_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->items[i].kind == EXTENT_DISC)
			return true;
	return false;
}

static int take_staged(void *self, uint64_t ino, uint64_t size, const struct extent_map *map,
		       const struct extent_map *base)
{
	struct dedupe *dedupe = self;
	struct body *body;
	uint64_t *partly;

	if (extent_map_is_on_disc(map, size)) {
		if (!base || !extent_map_equal(map, base)) /* a copy by reference */
			count_saved(dedupe, size);
		return 0;
	}
	if (touches_disc(map)) {
		if (!base || !extent_map_is_on_disc(base, size))
			return 0;
		partly = vec_push(&dedupe->partly);
		if (partly)
			*partly = ino;
		return partly ? 0 : -ENOMEM;
	}
	body = vec_push(&dedupe->bodies);
	if (!body)
		return -ENOMEM;
	*body = (struct body){ .ino = ino, .size = size, .origin = map->count ? map->items[0].origin : 0 };
	return 0;
}

static int collect(struct dedupe *dedupe)
{
	struct tree *tree = dedupe->tree;
	uint64_t limit;
	int ret;

	{
		WITH_LOCK(&tree->lock);
		limit = tree->next_ino;
		ret = tree_repair(tree);
	}
	for (uint64_t from = 0; ret == 0 && from < limit; from += INOS_AT_ONCE) {
		WITH_LOCK(&tree->lock);
		ret = contents_staged(&tree->db, dedupe->gen, from, from + INOS_AT_ONCE, take_staged, dedupe);
	}
	return ret < 0 ? unreadable_rows(dedupe, ret) : 0;
}

/* How many from index on are the same by that order, but for their inode numbers. */
static size_t run_length(const struct dedupe *dedupe, size_t index, bool by_sum)
{
	const struct body *first = &dedupe->bodies.items[index];
	size_t end = index + 1;

	while (end < dedupe->bodies.count) {
		const struct body *next = &dedupe->bodies.items[end];

		if (next->size != first->size ||
		    (by_sum && memcmp(next->sha256, first->sha256, sizeof first->sha256) != 0))
			break;
		end++;
	}
	return end - index;
}

/* Keeps the bodies that stand beside another one or that the base may have. They are sorted. */
static void keep_suspects(struct dedupe *dedupe, bool by_sum)
{
	size_t kept = 0, run;

	for (size_t i = 0; i < dedupe->bodies.count; i += run) {
		run = run_length(dedupe, i, by_sum);
		if (run == 1 && !dedupe->bodies.items[i].based)
			continue;
		memmove(&dedupe->bodies.items[kept], &dedupe->bodies.items[i],
			run * sizeof *dedupe->bodies.items);
		kept += run;
	}
	dedupe->bodies.count = kept;
}

static int compare_sizes(struct dedupe *dedupe)
{
	size_t run;

	sort(dedupe, by_size);
	for (size_t i = 0; i < dedupe->bodies.count; i += run) {
		int found;

		run = run_length(dedupe, i, false);
		{
			WITH_LOCK(&dedupe->tree->lock);
			found = contents_base_has(&dedupe->tree->db, dedupe->bodies.items[i].size);
		}
		if (found < 0)
			return unreadable_rows(dedupe, found);
		for (size_t j = i; j < i + run; j++)
			dedupe->bodies.items[j].based = found;
	}
	keep_suspects(dedupe, false);
	return 0;
}

static int sum_ino(struct dedupe *dedupe, uint64_t ino, uint32_t gen, uint64_t bytes, uint8_t *ret_sha256)
{
	struct node node CLEANUP(node_clear) = { 0 };
	int ret = bodies_load(&dedupe->reading, ino, gen, &node);

	return ret < 0 ? ret : bodies_sum(&dedupe->reading, &node, bytes, ret_sha256, NULL);
}

/* ---- how large ones begin ---- */

static int take_old(void *self, const struct contents_old *found)
{
	struct dedupe *dedupe = self;
	const struct body *body = &dedupe->bodies.items[dedupe->at];
	bool known = !found->has_md5 && found->has_sha256;
	unsigned *count = found->has_md5 ? &dedupe->summed : &dedupe->unsummed;
	struct old *old;

	if (found->map->items[0].origin == dedupe->catalog)
		return 0;
	if (known && memcmp(found->sha256, body->sha256, sizeof found->sha256) != 0)
		return 0;
	old = vec_push(&dedupe->olds);
	if (!old)
		return -ENOMEM;
	*old = (struct old){ .ino = found->ino,
			     .origin = found->map->items[0].origin,
			     .body = dedupe->at,
			     .keep = !found->has_md5 && !known };
	return ++*count >= (found->has_md5 ? SUMMED_MOST : UNSUMMED_MOST);
}

static int take_any_old(void *self, const struct contents_old *found)
{
	struct dedupe *dedupe = self;
	struct old *old = found->map->items[0].origin == dedupe->catalog ? NULL : vec_push(&dedupe->olds);

	if (old)
		*old = (struct old){ .ino = found->ino, .origin = found->map->items[0].origin };
	return dedupe->olds.count > UNSUMMED_MOST;
}

/* Whether one of the old bodies of that size begins as those of a run do. Too many to look at: perhaps. */
static int compare_heads(struct dedupe *dedupe, size_t first, size_t count)
{
	struct body *bodies = &dedupe->bodies.items[first];
	int ret;

	dedupe->olds.count = 0;
	{
		WITH_LOCK(&dedupe->tree->lock);
		ret = contents_base(&dedupe->tree->db, bodies->size, NULL, take_any_old, dedupe);
	}
	if (ret != 0)
		return ret < 0 ? unreadable_rows(dedupe, ret) : 0;
	for (size_t i = 0; i < count; i++)
		bodies[i].based = false;
	vec_each (&dedupe->olds, old) {
		ret = sum_ino(dedupe, old->ino, 0, BEGINNING, old->sha256);
		if (ret < 0)
			return ret;
		for (size_t i = 0; ret == 0 && i < count; i++)
			bodies[i].based |= memcmp(bodies[i].sha256, old->sha256, SHA256_BYTES) == 0;
	}
	return 0;
}

/* It can't be read: nothing is like it. A number isn't anybody's sum. */
static void stand_alone(struct body *body)
{
	memset(body->sha256, 0xff, sizeof body->sha256);
	memcpy(body->sha256, &body->ino, sizeof body->ino);
	body->based = false;
}

/* What a large one begins with stands in for its sum meanwhile. */
static int sum_heads(struct dedupe *dedupe)
{
	sort(dedupe, by_place);
	vec_each (&dedupe->bodies, body) {
		int ret = body->size <= BEGINNING
			      ? 0
			      : sum_ino(dedupe, body->ino, dedupe->gen, BEGINNING, body->sha256);

		if (ret < 0)
			return ret;
		if (ret > 0)
			stand_alone(body);
	}
	sort(dedupe, by_size);
	return 0;
}

static int compare_large(struct dedupe *dedupe)
{
	size_t run;
	int ret = sum_heads(dedupe);

	for (size_t i = 0; ret == 0 && i < dedupe->bodies.count; i += run) {
		const struct body *body = &dedupe->bodies.items[i];

		run = run_length(dedupe, i, false);
		if (body->size > BEGINNING && body->based)
			ret = compare_heads(dedupe, i, run);
	}
	if (ret < 0)
		return ret;
	sort(dedupe, by_content);
	keep_suspects(dedupe, true);
	return 0;
}

/* ---- the staged bodies ---- */

/* What lies at the same place is the same. */
struct last_sum {
	struct node node;
	struct body body;
};

static int sum_body(struct dedupe *dedupe, struct body *body, struct last_sum *last)
{
	struct node node CLEANUP(node_clear) = { 0 };
	int ret = bodies_load(&dedupe->reading, body->ino, dedupe->gen, &node);

	if (ret < 0)
		return ret;
	if (last->body.size == body->size && extent_map_equal(&last->node.map, &node.map)) {
		memcpy(body->sha256, last->body.sha256, sizeof body->sha256);
		memcpy(body->md5, last->body.md5, sizeof body->md5);
		return bodies_step(&dedupe->reading, body->size);
	}
	ret = bodies_sum(&dedupe->reading, &node, body->size, body->sha256, body->based ? body->md5 : NULL);
	if (ret < 0)
		return ret;
	if (ret > 0)
		stand_alone(body);
	last->body = *body;
	extent_map_clear(&last->node.map);
	last->node.map = node.map;
	node.map = (struct extent_map){ 0 };
	return 0;
}

static int sum_bodies(struct dedupe *dedupe)
{
	struct last_sum last = { 0 };
	int ret = 0;

	vec_each (&dedupe->bodies, body)
		dedupe->reading.total += body->size;
	sort(dedupe, by_place);
	vec_each (&dedupe->bodies, body)
		if (ret == 0)
			ret = sum_body(dedupe, body, &last);
	node_clear(&last.node);
	sort(dedupe, by_content);
	keep_suspects(dedupe, true);
	return ret;
}

/* ---- the old ones ---- */

/* For the first of each run of equal bodies. */
static int find_olds(struct dedupe *dedupe)
{
	struct db *db = &dedupe->tree->db;
	size_t run;
	int ret = 0;

	dedupe->olds.count = 0;
	for (size_t i = 0; ret >= 0 && i < dedupe->bodies.count; i += run) {
		const struct body *body = &dedupe->bodies.items[i];

		run = run_length(dedupe, i, true);
		if (!body->based)
			continue;
		dedupe->at = (uint32_t)i;
		dedupe->summed = dedupe->unsummed = 0;
		WITH_LOCK(&dedupe->tree->lock);
		ret = contents_base(db, body->size, body->md5, take_old, dedupe);
		if (ret >= 0)
			ret = contents_base_unsummed(db, body->size, take_old, dedupe);
	}
	return ret < 0 ? unreadable_rows(dedupe, ret) : 0;
}

static int keep_sum(struct dedupe *dedupe, const struct old *old)
{
	int ret;

	WITH_LOCK(&dedupe->tree->lock);
	ret = tree_change_begin(dedupe->tree);
	if (ret == 0)
		ret = contents_keep(&dedupe->tree->db, old->ino, old->sha256);
	return ret < 0 ? reason_set(dedupe->why, -ret, "the staged work can't be written to %s: %s",
				    dedupe->tree->db.path, strerror(-ret))
		       : 0;
}

/* last: the one that was read before, or NULL. */
static int read_old(struct dedupe *dedupe, struct old *old, const struct old *last)
{
	struct body *body = &dedupe->bodies.items[old->body];
	int ret = 0;

	if (last && last->ino == old->ino) {
		memcpy(old->sha256, last->sha256, sizeof old->sha256);
	} else {
		ret = sum_ino(dedupe, old->ino, 0, UINT64_MAX, old->sha256);
		if (ret == 0 && old->keep)
			ret = keep_sum(dedupe, old);
	}
	if (ret > 0)
		memset(old->sha256, 0xff, sizeof old->sha256);
	if (ret >= 0 && memcmp(old->sha256, body->sha256, sizeof old->sha256) == 0) {
		body->same_as = old->ino;
		body->old = true;
	}
	return ret < 0 ? ret : 0;
}

static int read_olds(struct dedupe *dedupe)
{
	const struct old *last = NULL;
	int ret = find_olds(dedupe);

	if (ret < 0)
		return ret;
	if (dedupe->olds.count)
		qsort(dedupe->olds.items, dedupe->olds.count, sizeof *dedupe->olds.items, old_by_place);
	vec_each (&dedupe->olds, old)
		dedupe->reading.total += dedupe->bodies.items[old->body].size;
	vec_each (&dedupe->olds, old) {
		if (ret < 0 || dedupe->bodies.items[old->body].same_as)
			continue;
		ret = read_old(dedupe, old, last);
		last = old;
	}
	return ret;
}

/* ---- those that were written in part ---- */

static int compare_part(struct dedupe *dedupe, uint64_t ino)
{
	struct node node CLEANUP(node_clear) = { 0 };
	struct node old CLEANUP(node_clear) = { 0 };
	struct body *body;
	bool equal = false;
	int ret = bodies_load(&dedupe->reading, ino, dedupe->gen, &node);

	if (ret == 0)
		ret = bodies_load(&dedupe->reading, ino, 0, &old);
	if (ret < 0 || (old.map.count && old.map.items[0].origin == dedupe->catalog))
		return ret;
	ret = bodies_compare(&dedupe->reading, &node, &old, &equal);
	if (ret < 0 || !equal)
		return ret < 0 ? ret : 0;
	body = vec_push(&dedupe->bodies);
	if (!body)
		return reason_set(dedupe->why, ENOMEM, "out of memory");
	*body = (struct body){ .ino = ino, .size = node.attr.size, .same_as = ino, .old = true };
	count_saved(dedupe, body->size);
	return 0;
}

static int compare_parts(struct dedupe *dedupe)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < dedupe->partly.count; i++)
		ret = compare_part(dedupe, dedupe->partly.items[i]);
	return ret;
}

/* ---- what comes of it ---- */

/* All of a run get the place of the old body, or that of their first. */
static void share_runs(struct dedupe *dedupe)
{
	size_t run;

	for (size_t i = 0; i < dedupe->bodies.count; i += run) {
		const struct body *first = &dedupe->bodies.items[i];

		run = run_length(dedupe, i, true);
		if (first->old)
			count_saved(dedupe, first->size);
		for (size_t j = i + 1; j < i + run; j++) {
			struct body *body = &dedupe->bodies.items[j];

			body->old = first->old;
			body->same_as = first->old ? first->same_as : first->ino;
			count_saved(dedupe, body->size);
		}
	}
}

static int share(void *self, struct node *node)
{
	const struct dedupe *dedupe = self;
	const struct body key = { .ino = node->attr.ino };
	const struct body *body =
	    bsearch(&key, dedupe->bodies.items, dedupe->bodies.count, sizeof key, by_ino);
	struct node from CLEANUP(node_clear) = { 0 };
	int found;

	if (!body)
		return -EUCLEAN;
	found = contents_node(&dedupe->tree->db, body->same_as, body->old ? 0 : dedupe->gen, &from);
	if (found <= 0 || from.attr.size != node->attr.size)
		return found < 0 ? found : -EUCLEAN;
	if (extent_map_equal(&node->map, &from.map))
		return 1;
	extent_map_clear(&node->map);
	node->map = from.map;
	from.map = (struct extent_map){ 0 };
	return blob_set(&node->md5, from.md5.data, from.md5.length);
}

static int share_all(struct dedupe *dedupe)
{
	uint64_t *inos AUTO_FREE = calloc(dedupe->bodies.count + 1, sizeof *inos);
	size_t count = 0;
	int ret;

	if (!inos)
		return reason_set(dedupe->why, ENOMEM, "out of memory");
	sort(dedupe, by_ino);
	vec_each (&dedupe->bodies, body)
		if (body->same_as)
			inos[count++] = body->ino;
	ret = repoint_bodies(dedupe->tree, dedupe->gen, inos, count, share, dedupe);
	return ret < 0 ? reason_set(dedupe->why, -ret, "the staged work can't be written to %s: %s",
				    dedupe->tree->db.path, strerror(-ret))
		       : 0;
}

/* ---- all of it ---- */

/* El Torito 2.0, section 2: the record behind the primary descriptor says where the catalogue is. Where it
 * can't be read there's none, or nothing else can be read either. */
static uint64_t find_catalog(struct disc *disc)
{
	uint64_t at = (disc->probe.disc.base + 17) * SECTOR;
	uint8_t record[SECTOR] = { 0 };

	if (disc->probe.disc.state == DISC_BLANK ||
	    disc_read(&disc->tree.disc, record, sizeof record, at) < 0 ||
	    memcmp(record, "\0CD001\1EL TORITO SPECIFICATION", 30) != 0)
		return UINT64_MAX;
	return (uint64_t)get_le32(record + 71) * SECTOR;
}

static int run(struct dedupe *dedupe, struct disc *disc)
{
	int ret = collect(dedupe);

	if (ret == 0)
		ret = compare_sizes(dedupe);
	if (ret < 0 || dedupe->bodies.count + dedupe->partly.count == 0)
		return ret;
	dedupe->catalog = find_catalog(disc);
	ret = compare_large(dedupe);
	if (ret == 0)
		ret = sum_bodies(dedupe);
	if (ret == 0)
		ret = read_olds(dedupe);
	if (ret < 0)
		return ret;
	share_runs(dedupe);
	ret = compare_parts(dedupe);
	return ret < 0 ? ret : share_all(dedupe);
}

int dedupe_generation(struct disc *disc, uint32_t gen, const struct fill_progress *progress,
		      struct dedupe_saved *ret, struct reason *why)
{
	struct dedupe dedupe CLEANUP(
	    dedupe_clear) = { .tree = &disc->tree, .gen = gen, .saved = ret, .why = why };
	int err;

	*ret = (struct dedupe_saved){ 0 };
	err = bodies_open(&dedupe.reading, &disc->tree, progress, why);
	if (err < 0)
		return err;
	return run(&dedupe, disc);
}
