/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/extent_map.h"

#include <errno.h>
#include <string.h>

#define SECTIONS_LIMIT 100u
/* ISO 9660 counts a section's bytes in 32 bits, and all but the last are whole sectors (ECMA-119 9.1.4). */
#define SECTION_LIMIT 0xFFFFF800u
#define KIND_SHIFT    56
#define ORIGIN_LIMIT  (1ull << KIND_SHIFT)

static uint64_t extent_end(const struct extent *extent)
{
	return extent->offset + extent->length;
}

static bool extent_continues(const struct extent *first, const struct extent *second)
{
	return first->kind == second->kind && extent_end(first) == second->offset &&
	       first->origin + first->length == second->origin;
}

static int map_reserve(struct extent_map *map, size_t count)
{
	size_t room = map->room ? map->room : 1;
	struct extent *grown;

	if (count <= map->room)
		return 0;
	while (room < count)
		room *= 2;
	grown = reallocarray(map->items, room, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	map->items = grown;
	map->room = room;
	return 0;
}

void extent_map_clear(struct extent_map *map)
{
	free(map->items);
	*map = (struct extent_map){ 0 };
}

int extent_map_copy(const struct extent_map *map, struct extent_map *ret)
{
	struct extent_map copy = { 0 };

	if (map->count) {
		copy.items = reallocarray(NULL, map->count, sizeof *copy.items);
		if (!copy.items)
			return -ENOMEM;
		memcpy(copy.items, map->items, map->count * sizeof *copy.items);
		copy.count = copy.room = map->count;
	}
	extent_map_clear(ret);
	*ret = copy;
	return 0;
}

/* Index of the first extent in [low, count) for which its end (or, with by_start, its offset + 1) is >
 * offset. */
static size_t map_search(const struct extent_map *map, size_t low, uint64_t offset, bool by_start)
{
	size_t high = map->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct extent *at = &map->items[middle];

		if (by_start ? at->offset >= offset : extent_end(at) > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

size_t extent_map_find(const struct extent_map *map, uint64_t offset)
{
	/* Reading on and appending both look at the end first. */
	if (!map->count || extent_end(&map->items[map->count - 1]) <= offset)
		return map->count;
	return map_search(map, 0, offset, false);
}

/* Puts count extents in place of [first, last). 0 or -ENOMEM (unchanged). */
static int map_replace(struct extent_map *map, size_t first, size_t last, const struct extent *items,
		       size_t count)
{
	size_t after = map->count - last;
	int err = map_reserve(map, first + count + after);

	if (err < 0)
		return err;
	if (after && first + count != last)
		memmove(&map->items[first + count], &map->items[last], after * sizeof *items);
	if (count)
		memcpy(&map->items[first], items, count * sizeof *items);
	map->count = first + count + after;
	return 0;
}

/* Appends to the short list of pieces, joining what continues. Returns the new count. */
static size_t pieces_add(struct extent *pieces, size_t count, const struct extent *extent)
{
	if (count && extent_continues(&pieces[count - 1], extent)) {
		pieces[count - 1].length += extent->length;
		return count;
	}
	pieces[count] = *extent;
	return count + 1;
}

/* Replaces [start, end) by middle (NULL: a hole). What sticks out of the outermost extents stays, and
 * neighbours that middle continues, or that continue it, become one with it. */
static int map_splice(struct extent_map *map, uint64_t start, uint64_t end, const struct extent *middle)
{
	size_t first = extent_map_find(map, start);
	size_t last = map_search(map, first, end, true);
	struct extent pieces[3];
	size_t count = 0;

	if (first < last && map->items[first].offset < start) {
		struct extent left = map->items[first];

		left.length = start - left.offset;
		count = pieces_add(pieces, count, &left);
	} else if (middle && first > 0 && extent_continues(&map->items[first - 1], middle)) {
		first--;
		count = pieces_add(pieces, count, &map->items[first]);
	}
	if (middle)
		count = pieces_add(pieces, count, middle);
	if (first < last && extent_end(&map->items[last - 1]) > end) {
		struct extent right = map->items[last - 1];

		right.length = extent_end(&right) - end;
		right.origin += end - right.offset;
		right.offset = end;
		count = pieces_add(pieces, count, &right);
	} else if (middle && last < map->count && extent_continues(middle, &map->items[last])) {
		count = pieces_add(pieces, count, &map->items[last]);
		last++;
	}
	return map_replace(map, first, last, pieces, count);
}

int extent_map_prepare(struct extent_map *map)
{
	return map_reserve(map, map->count + 2); /* one extent becomes three */
}

int extent_map_set(struct extent_map *map, const struct extent *extent)
{
	struct extent *last = map->count ? &map->items[map->count - 1] : NULL;

	if (!extent->length)
		return 0;
	if (last && extent_continues(last, extent)) {
		last->length += extent->length;
		return 0;
	}
	return map_splice(map, extent->offset, extent_end(extent), extent);
}

int extent_map_punch(struct extent_map *map, uint64_t offset, uint64_t length)
{
	uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;

	if (!length)
		return 0;
	return map_splice(map, offset, end, NULL);
}

void extent_map_piece(const struct extent_map *map, uint64_t offset, uint64_t length, struct extent *ret)
{
	size_t index = extent_map_find(map, offset);
	const struct extent *at = index < map->count ? &map->items[index] : NULL;
	struct extent piece = { .offset = offset, .length = length };

	if (at && at->offset <= offset) {
		piece.kind = at->kind;
		piece.origin = at->origin + (offset - at->offset);
		piece.length = min_u64(length, extent_end(at) - offset);
	} else if (at) {
		piece.length = min_u64(length, at->offset - offset);
	}
	*ret = piece;
}

bool extent_map_is_on_disc(const struct extent_map *map, uint64_t size)
{
	uint64_t done = 0, sections = 0;

	for (size_t i = 0; i < map->count && done < size; i++) {
		const struct extent *at = &map->items[i];

		if (at->kind != EXTENT_DISC || at->offset != done || at->origin % SECTOR)
			return false;
		/* The one before must have ended with a sector. */
		if (done % SECTOR)
			return false;
		done = min_u64(extent_end(at), size);
		sections += (done - at->offset - 1) / SECTION_LIMIT + 1;
	}
	return size && done == size && sections <= SECTIONS_LIMIT;
}

static int compare_extents(const struct extent *a, const struct extent *b)
{
	int order = compare_u64(a->origin, b->origin);

	if (!order)
		order = compare_u64(a->offset, b->offset);
	if (!order)
		order = compare_u64(a->length, b->length);
	return order ? order : compare_u64(a->kind, b->kind);
}

int extent_map_compare(const struct extent_map *a, const struct extent_map *b)
{
	int order = compare_u64(a->count, b->count);

	for (size_t i = 0; !order && i < a->count; i++)
		order = compare_extents(&a->items[i], &b->items[i]);
	return order;
}

bool extent_map_equal(const struct extent_map *a, const struct extent_map *b)
{
	return extent_map_compare(a, b) == 0;
}

uint64_t extent_map_spooled(const struct extent_map *map)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->items[i].kind == EXTENT_SPOOL)
			sum += map->items[i].length;
	return sum;
}

static void put_le64(uint8_t *at, uint64_t value)
{
	put_le32(at, (uint32_t)value);
	put_le32(at + 4, (uint32_t)(value >> 32));
}

uint64_t extent_map_stored(const struct extent_map *map)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < map->count; i++)
		sum += map->items[i].length;
	return sum;
}

uint64_t extent_map_packed_stored(const void *data, size_t length)
{
	uint64_t sum = 0;

	for (size_t at = 0; at + EXTENT_PACKED <= length; at += EXTENT_PACKED)
		sum += get_le64((const uint8_t *)data + at + 8);
	return sum;
}

int extent_map_pack(const struct extent_map *map, struct blob *ret)
{
	struct blob packed = { .length = map->count * EXTENT_PACKED };

	if (map->count) {
		packed.data = malloc(packed.length);
		if (!packed.data)
			return -ENOMEM;
	}
	for (size_t i = 0; i < map->count; i++) {
		uint8_t *to = packed.data + i * EXTENT_PACKED;

		put_le64(to, map->items[i].offset);
		put_le64(to + 8, map->items[i].length);
		put_le64(to + 16, map->items[i].origin | (uint64_t)map->items[i].kind << KIND_SHIFT);
	}
	blob_clear(ret);
	*ret = packed;
	return 0;
}

static bool extent_unpack(const uint8_t *from, uint64_t least_offset, struct extent *ret)
{
	uint64_t origin = get_le64(from + 16);

	ret->offset = get_le64(from);
	ret->length = get_le64(from + 8);
	ret->origin = origin & (ORIGIN_LIMIT - 1);
	ret->kind = (enum extent_kind)(origin >> KIND_SHIFT);
	return (ret->kind == EXTENT_DISC || ret->kind == EXTENT_SPOOL) && ret->length &&
	       ret->offset >= least_offset && range_within(ret->offset, ret->length, INT64_MAX) &&
	       range_within(ret->origin, ret->length, ORIGIN_LIMIT);
}

int extent_map_unpack(const void *data, size_t length, struct extent_map *ret)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	uint64_t end = 0;

	if (length % EXTENT_PACKED)
		return -EINVAL;
	if (map_reserve(&map, length / EXTENT_PACKED) < 0)
		return -ENOMEM;
	for (size_t at = 0; at < length; at += EXTENT_PACKED) {
		struct extent extent;

		if (!extent_unpack((const uint8_t *)data + at, end, &extent))
			return -EINVAL;
		end = extent_end(&extent);
		if (extent_map_set(&map, &extent) < 0)
			return -ENOMEM;
	}
	extent_map_clear(ret);
	*ret = map;
	map = (struct extent_map){ 0 };
	return 0;
}
