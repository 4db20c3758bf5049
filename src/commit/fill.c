/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/fill.h"

#include "base/text.h"
#include "commit/repoint.h"
#include "store/rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COPY_BYTES   (1u << 20) /* what a cancel waits for */
#define INOS_AT_ONCE 50000u	/* rows that are looked at before others may have the tree */

struct fill {
	struct tree *tree;
	uint32_t gen;
	const struct fill_progress *progress;
	struct reason *why;
	VEC(uint64_t) bodies;	     /* to be filled */
	VEC(struct extent) wanted;   /* where on the disc; offset and length only */
	struct extent_map copies;    /* by disc address: where in the spool */
	uint64_t total, done, ready; /* bytes; ready: with room in the spool */
};

static void fill_clear(struct fill *fill)
{
	vec_clear(&fill->bodies);
	vec_clear(&fill->wanted);
	extent_map_clear(&fill->copies);
}

/* ---- what is wanted ---- */

/* Bytes of the disc that the session must carry along. */
static uint64_t disc_bytes(const struct extent_map *map, uint64_t size)
{
	uint64_t sum = 0;

	if (extent_map_is_on_disc(map, size))
		return 0;
	for (size_t i = 0; i < map->count; i++)
		if (map->items[i].kind == EXTENT_DISC)
			sum += map->items[i].length;
	return sum;
}

static int want_body(void *self, uint64_t ino, uint64_t size, const struct extent_map *map)
{
	struct fill *fill = self;
	uint64_t *body = disc_bytes(map, size) ? vec_push(&fill->bodies) : NULL;

	if (!body)
		return disc_bytes(map, size) ? -ENOMEM : 0;
	*body = ino;
	for (size_t i = 0; i < map->count; i++) {
		struct extent *wanted = map->items[i].kind == EXTENT_DISC ? vec_push(&fill->wanted) : NULL;

		if (wanted)
			*wanted =
			    (struct extent){ .offset = map->items[i].origin, .length = map->items[i].length };
		else if (map->items[i].kind == EXTENT_DISC)
			return -ENOMEM;
	}
	return 0;
}

static int extent_by_offset(const void *a, const void *b)
{
	const struct extent *left = a, *right = b;

	return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Copies of a file want the same pieces: each is read once. */
static void join_wanted(struct fill *fill)
{
	size_t count = 0;

	if (fill->wanted.count)
		qsort(fill->wanted.items, fill->wanted.count, sizeof *fill->wanted.items, extent_by_offset);
	vec_each (&fill->wanted, wanted) {
		struct extent *last = count ? &fill->wanted.items[count - 1] : NULL;
		uint64_t end = wanted->offset + wanted->length;

		if (last && wanted->offset <= last->offset + last->length)
			last->length = max_u64(last->offset + last->length, end) - last->offset;
		else
			fill->wanted.items[count++] = *wanted;
	}
	fill->wanted.count = count;
	vec_each (&fill->wanted, wanted)
		fill->total += wanted->length;
}

static int collect(struct fill *fill)
{
	uint64_t limit;
	int ret;

	{
		WITH_LOCK(&fill->tree->lock);
		limit = fill->tree->next_ino;
		ret = tree_repair(fill->tree);
	}
	for (uint64_t from = 0; ret == 0 && from < limit; from += INOS_AT_ONCE) {
		WITH_LOCK(&fill->tree->lock);
		ret = rows_bodies(&fill->tree->db, from, from + INOS_AT_ONCE, fill->gen, want_body, fill);
	}
	if (ret < 0)
		return reason_set(fill->why, -ret, "the staged tree can't be read: %s", strerror(-ret));
	join_wanted(fill);
	return 0;
}

/* ---- room ---- */

static int no_room(const struct fill *fill, uint64_t missing)
{
	const struct spool *spool = &fill->tree->spool;
	char link[32], place[256], needed[16], short_of[16];
	ssize_t length;

	snprintf(link, sizeof link, "/proc/self/fd/%d", spool->fd);
	length = readlink(link, place, sizeof place - 1);
	place[length < 0 ? 0 : length] = '\0';
	return reason_set(
	    fill->why, ENOSPC,
	    "a drive can't read while it burns: %s of files that were changed in part must be copied from "
	    "the disc to the spool %s first, which has %s too little room; make room there%s",
	    text_size(needed, fill->total), place, text_size(short_of, missing),
	    spool->limit ? ", or mount with a larger spool_limit" : "");
}

/* All of it at once, so that nothing is read in vain. From then on the spool keeps these places as it keeps
 * the frozen generation's: who changes such a body afterwards writes elsewhere. */
static int reserve(struct fill *fill)
{
	struct spool *spool = &fill->tree->spool;
	uint64_t room = spool_room(spool);
	int ret = 0;

	if (room < fill->total)
		return no_room(fill, fill->total - room);
	vec_each (&fill->wanted, wanted)
		for (uint64_t done = 0; ret == 0 && done < wanted->length;) {
			struct extent copy = { .offset = wanted->offset + done, .kind = EXTENT_SPOOL };

			ret = spool_allocate(spool, NULL, wanted->length - done, &copy.origin, &copy.length);
			if (ret == 0)
				ret = extent_map_set(&fill->copies, &copy);
			if (ret == 0)
				done += copy.length;
			fill->ready += ret == 0 ? copy.length : 0;
		}
	spool_freeze(spool);
	if (ret == -ENOSPC)
		return no_room(fill, fill->total - fill->ready);
	return ret < 0 ? reason_set(fill->why, -ret, "out of memory") : 0;
}

/* ---- copying ---- */

static bool holds(const struct extent_map *map, uint64_t at)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->items[i].kind == EXTENT_DISC && at >= map->items[i].origin &&
		    at - map->items[i].origin < map->items[i].length)
			return true;
	return false;
}

/* Which body is it that has that byte of the disc? Its path, escaped. */
static void name_body(struct fill *fill, uint64_t at, struct text *ret)
{
	struct text path AUTO_TEXT = { 0 };
	struct tree *tree = fill->tree;

	WITH_LOCK(&tree->lock);
	vec_each (&fill->bodies, ino) {
		struct node node CLEANUP(node_clear) = { 0 };
		uint32_t gen;

		if (rows_node_get(&tree->db, *ino, fill->gen, &node, &gen) <= 0 || !holds(&node.map, at))
			continue;
		if (rows_path(&tree->db, *ino, fill->gen, &path) == 0)
			text_add_escaped(ret, path.data, path.length);
		return;
	}
}

static int unreadable(struct fill *fill, uint64_t at)
{
	struct text path AUTO_TEXT = { 0 };

	name_body(fill, at, &path);
	return reason_set(fill->why, EIO,
			  "the disc can't be read at sector %llu, where \"%.300s\" has content that the next "
			  "session must carry along",
			  (unsigned long long)(at / SECTOR), path.data ? path.data : "");
}

static int disc_gone(struct fill *fill, int err)
{
	return reason_set(fill->why, -err,
			  "the disc was %s before the next session had what it needs of it: put it back and "
			  "commit again",
			  err == -ESTALE ? "changed for another one" : "taken out");
}

/* A sector after the other where it fails as a whole: to try again, and to know which one it is. */
static int read_disc(struct fill *fill, uint8_t *data, size_t length, uint64_t origin)
{
	struct disc_reader *disc = &fill->tree->disc;
	int ret = disc_read(disc, data, length, origin);

	if (ret == 0)
		return 0;
	for (size_t done = 0; done < length;) {
		uint64_t at = origin + done;
		size_t here = (size_t)min_u64(length - done, SECTOR - at % SECTOR);

		ret = disc_read(disc, data + done, here, at);
		if (ret < 0)
			return ret == -EIO ? unreadable(fill, at) : disc_gone(fill, ret);
		done += here;
	}
	return 0;
}

static int copy_piece(struct fill *fill, const struct extent *copy, uint8_t *data)
{
	struct spool *spool = &fill->tree->spool;
	int ret = 0;

	for (uint64_t done = 0; ret == 0 && done < copy->length;) {
		size_t here = (size_t)min_u64(COPY_BYTES, copy->length - done);

		if (fill->progress->step(fill->progress->self, fill->done, fill->total))
			return reason_set(fill->why, ECANCELED, "the commit was cancelled");
		ret = read_disc(fill, data, here, copy->offset + done);
		if (ret < 0)
			return ret;
		ret = spool_fill(spool, data, here, copy->origin + done);
		done += here;
		fill->done += ret == 0 ? here : 0;
	}
	if (ret == -ENOSPC || ret == -EDQUOT)
		return no_room(fill, fill->total - fill->done);
	return ret < 0 ? reason_set(fill->why, -ret, "the spool can't be written: %s", strerror(-ret)) : 0;
}

static int copy_all(struct fill *fill)
{
	uint8_t *data AUTO_FREE = malloc(COPY_BYTES);
	int ret = data ? 0 : reason_set(fill->why, ENOMEM, "out of memory");

	for (size_t i = 0; ret == 0 && i < fill->copies.count; i++)
		ret = copy_piece(fill, &fill->copies.items[i], data);
	if (ret < 0)
		return ret;
	ret = tree_sync(fill->tree); /* the bytes, before any row points at them */
	return ret < 0 ? reason_set(fill->why, -ret, "the staged work can't be written to %s: %s",
				    fill->tree->db.path, strerror(-ret))
		       : 0;
}

/* ---- pointing there ---- */

/* The same content, with the spool's copies in place of the disc's pieces. */
static int fill_body(void *self, struct node *node)
{
	const struct fill *fill = self;
	struct extent_map after = { 0 };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < node->map.count; i++) {
		const struct extent *from = &node->map.items[i];
		uint64_t done = 0;

		while (ret == 0 && done < from->length) {
			struct extent piece = *from;

			if (from->kind == EXTENT_DISC)
				extent_map_piece(&fill->copies, from->origin + done, from->length - done,
						 &piece);
			piece.offset = from->offset + done;
			done += piece.length;
			ret = piece.kind == EXTENT_SPOOL ? extent_map_set(&after, &piece) : -EUCLEAN;
		}
	}
	extent_map_clear(ret < 0 ? &after : &node->map);
	if (ret == 0)
		node->map = after;
	return ret;
}

static int point_all(struct fill *fill)
{
	int ret =
	    repoint_bodies(fill->tree, fill->gen, fill->bodies.items, fill->bodies.count, fill_body, fill);

	return ret < 0 ? reason_set(fill->why, -ret, "the staged work can't be written to %s: %s",
				    fill->tree->db.path, strerror(-ret))
		       : 0;
}

int fill_generation(struct disc *disc, uint32_t gen, const struct fill_progress *progress, struct reason *why)
{
	struct fill fill CLEANUP(
	    fill_clear) = { .tree = &disc->tree, .gen = gen, .progress = progress, .why = why };
	int ret = collect(&fill);

	if (ret < 0 || fill.total == 0)
		return ret;
	ret = reserve(&fill);
	if (ret == 0)
		ret = copy_all(&fill);
	return ret < 0 ? ret : point_all(&fill);
}

/* ---- prediction ---- */

struct needs {
	uint32_t gen;
	uint64_t bytes;
};

static int add_needs(void *self, struct node *node, uint32_t gen)
{
	struct needs *needs = self;

	if (gen == needs->gen && node->attr.nlink)
		needs->bytes += disc_bytes(&node->map, node->attr.size);
	return 0;
}

int fill_needs(struct disc *disc, uint64_t *ret_bytes)
{
	struct tree *tree = &disc->tree;
	struct needs needs = { 0 };
	int ret;

	WITH_LOCK(&tree->lock);
	tree_flush_locked(tree); /* what can't be flushed isn't counted */
	ret = tree_repair(tree);
	needs.gen = tree->gen;
	if (ret == 0)
		ret = rows_node_staged(&tree->db, add_needs, &needs);
	if (ret == 0)
		*ret_bytes = needs.bytes;
	return ret;
}
