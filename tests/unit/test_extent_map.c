/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/extent_map.h"

#include <errno.h>
#include <string.h>

#define SPACE 200u /* bytes of the modelled file */
#define SEEDS 40u
#define STEPS 600u

/* The model: for each byte where it comes from. */
struct byte_source {
	uint64_t origin;
	int kind; /* 0: hole */
};

static struct extent disc(uint64_t offset, uint64_t length, uint64_t origin)
{
	return (struct extent){ .offset = offset, .length = length, .origin = origin, .kind = EXTENT_DISC };
}

static struct extent spool(uint64_t offset, uint64_t length, uint64_t origin)
{
	return (struct extent){ .offset = offset, .length = length, .origin = origin, .kind = EXTENT_SPOOL };
}

static void put(struct extent_map *map, struct extent extent)
{
	assert_int_equal(extent_map_set(map, &extent), 0);
}

static void assert_extent(const struct extent *got, struct extent want)
{
	assert_int_equal(got->offset, want.offset);
	assert_int_equal(got->length, want.length);
	assert_int_equal(got->origin, want.origin);
	assert_int_equal(got->kind, want.kind);
}

static void assert_invariants(const struct extent_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct extent *at = &map->items[i];

		assert_true(at->length > 0);
		if (!i)
			continue;
		assert_true(at[-1].offset + at[-1].length <= at->offset);
		assert_false(at[-1].kind == at->kind && at[-1].offset + at[-1].length == at->offset &&
			     at[-1].origin + at[-1].length == at->origin);
	}
}

static void assert_same(const struct extent_map *map, const struct byte_source *model)
{
	uint64_t spooled = 0;

	for (uint64_t at = 0; at < SPACE;) {
		struct extent piece;

		extent_map_piece(map, at, SPACE - at, &piece);
		assert_int_equal(piece.offset, at);
		assert_true(piece.length > 0 && piece.length <= SPACE - at);
		for (uint64_t i = 0; i < piece.length; i++) {
			assert_int_equal(piece.kind, model[at + i].kind);
			if (piece.kind)
				assert_int_equal(piece.origin + i, model[at + i].origin);
			spooled += piece.kind == EXTENT_SPOOL;
		}
		at += piece.length;
	}
	assert_int_equal(extent_map_spooled(map), spooled);
}

static void assert_packs(const struct extent_map *map)
{
	CLEANUP(blob_clear) struct blob packed = { 0 };
	CLEANUP(extent_map_clear) struct extent_map back = { 0 };

	assert_int_equal(extent_map_pack(map, &packed), 0);
	assert_int_equal(packed.length, map->count * EXTENT_PACKED);
	assert_int_equal(extent_map_unpack(packed.data, packed.length, &back), 0);
	assert_int_equal(back.count, map->count);
	for (size_t i = 0; i < map->count; i++)
		assert_extent(&back.items[i], map->items[i]);
}

static void random_step(struct extent_map *map, struct byte_source *model, uint64_t *state)
{
	uint64_t offset = random_below(state, SPACE), length = random_below(state, SPACE - offset) + 1;
	struct extent extent = spool(offset, length, 0);
	bool hole = random_below(state, 4) == 0;

	if (random_below(state, 2))
		length = extent.length = min_u64(length, 4);
	if (random_below(state, 2))
		extent.kind = EXTENT_DISC;
	/* Few origins, in step with the offset: so that neighbours often continue each other. */
	extent.origin = offset + 1000 * random_below(state, 3);
	if (hole)
		assert_int_equal(extent_map_punch(map, offset, length), 0);
	else
		put(map, extent);
	for (uint64_t i = 0; i < length; i++)
		model[offset + i] = hole ? (struct byte_source){ 0 }
					 : (struct byte_source){ extent.origin + i, (int)extent.kind };
}

static void test_random(void **state)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		CLEANUP(extent_map_clear) struct extent_map map = { 0 };
		struct byte_source model[SPACE] = { { 0 } };
		uint64_t generator = seed * 0x9E3779B97F4A7C15ull;

		for (unsigned step = 0; step < STEPS; step++) {
			random_step(&map, model, &generator);
			assert_invariants(&map);
			assert_same(&map, model);
		}
		assert_packs(&map);
	}
}

static void test_empty(void **state)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	struct extent piece;

	extent_map_piece(&map, 7, 100, &piece);
	assert_int_equal(piece.kind, 0);
	assert_int_equal(piece.offset, 7);
	assert_int_equal(piece.length, 100);
	assert_int_equal(extent_map_find(&map, 0), 0);
	assert_int_equal(extent_map_punch(&map, 0, UINT64_MAX), 0);
	put(&map, spool(5, 0, 9));
	assert_int_equal(map.count, 0);
	assert_packs(&map);
}

static void test_append_joins(void **state)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };

	for (uint64_t at = 0; at < 1000; at++)
		put(&map, spool(at * 10, 10, 5000 + at * 10));
	assert_int_equal(map.count, 1);
	assert_extent(&map.items[0], spool(0, 10000, 5000));
	put(&map, disc(10000, 10, 15000));
	assert_int_equal(map.count, 2);
}

static void test_set_splits_and_heals(void **state)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };

	put(&map, disc(0, 100, 2048));
	put(&map, spool(40, 20, 0));
	assert_int_equal(map.count, 3);
	assert_extent(&map.items[2], disc(60, 40, 2108));
	put(&map, disc(40, 20, 2088));
	assert_int_equal(map.count, 1);
	assert_extent(&map.items[0], disc(0, 100, 2048));
}

static void test_punch_to_the_end(void **state)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };

	put(&map, spool(0, 10, 0));
	put(&map, spool(20, 10, 100));
	assert_int_equal(extent_map_punch(&map, 5, UINT64_MAX), 0);
	assert_int_equal(map.count, 1);
	assert_extent(&map.items[0], spool(0, 5, 0));
}

static void test_copy(void **state)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	CLEANUP(extent_map_clear) struct extent_map copy = { 0 };

	put(&copy, spool(9, 9, 9));
	assert_int_equal(extent_map_copy(&map, &copy), 0);
	assert_int_equal(copy.count, 0);
	put(&map, spool(0, 10, 0));
	assert_int_equal(extent_map_copy(&map, &copy), 0);
	put(&copy, disc(3, 2, 0));
	assert_int_equal(map.count, 1);
	assert_int_equal(copy.count, 3);
}

static void test_is_on_disc(void **state)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };

	assert_false(extent_map_is_on_disc(&map, 0));
	put(&map, disc(0, 4096, 2048));
	assert_true(extent_map_is_on_disc(&map, 4096));
	assert_true(extent_map_is_on_disc(&map, 4000));
	assert_false(extent_map_is_on_disc(&map, 4097));
	put(&map, disc(4096, 100, 20480));
	assert_true(extent_map_is_on_disc(&map, 4196));
	put(&map, disc(4196, 100, 40960)); /* the one before is no whole sector, and isn't the last */
	assert_false(extent_map_is_on_disc(&map, 4296));
	assert_true(extent_map_is_on_disc(&map, 4196));
	put(&map, spool(0, 1, 0));
	assert_false(extent_map_is_on_disc(&map, 4196));
}

static void test_is_on_disc_unaligned(void **state)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };

	put(&map, disc(0, 2048, 2049));
	assert_false(extent_map_is_on_disc(&map, 2048));
}

static void test_is_on_disc_sections(void **state)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	CLEANUP(extent_map_clear) struct extent_map large = { 0 };

	for (uint64_t i = 0; i < 100; i++)
		put(&map, disc(i * SECTOR, SECTOR, (i * 2 + 10) * SECTOR));
	assert_true(extent_map_is_on_disc(&map, 100 * SECTOR));
	put(&map, disc(100 * SECTOR, SECTOR, 900 * SECTOR));
	assert_false(extent_map_is_on_disc(&map, 101 * SECTOR));
	put(&large, disc(0, 100 * 0xFFFFF800ull, SECTOR));
	assert_true(extent_map_is_on_disc(&large, 100 * 0xFFFFF800ull));
	put(&large, disc(100 * 0xFFFFF800ull, 1, SECTOR + 100 * 0xFFFFF800ull));
	assert_false(extent_map_is_on_disc(&large, 100 * 0xFFFFF800ull + 1));
}

static int unpack(const struct extent *extents, size_t count)
{
	CLEANUP(blob_clear) struct blob packed = { 0 };
	CLEANUP(extent_map_clear) struct extent_map back = { 0 };
	struct extent items[4];
	const struct extent_map map = { .items = items, .count = count };

	memcpy(items, extents, count * sizeof *items);
	assert_int_equal(extent_map_pack(&map, &packed), 0);
	return extent_map_unpack(packed.data, packed.length, &back);
}

static void test_unpack_refuses(void **state)
{
	const struct extent overlap[] = { spool(0, 10, 0), spool(9, 1, 50) };
	const struct extent order[] = { spool(50, 10, 0), spool(0, 1, 50) };
	const struct extent empty[] = { spool(0, 0, 0) };
	const struct extent wraps[] = { spool(UINT64_MAX - 1, 10, 0) };
	const struct extent far[] = { spool(0, UINT64_MAX, 0) };
	const struct extent kind[] = { { .offset = 0, .length = 1, .kind = (enum extent_kind)3 } };
	const struct extent good[] = { spool(0, 10, 0), disc(10, 1, 50) };
	struct extent_map map = { 0 };

	assert_int_equal(unpack(good, 2), 0);
	assert_int_equal(unpack(overlap, 2), -EINVAL);
	assert_int_equal(unpack(order, 2), -EINVAL);
	assert_int_equal(unpack(empty, 1), -EINVAL);
	assert_int_equal(unpack(wraps, 1), -EINVAL);
	assert_int_equal(unpack(far, 1), -EINVAL);
	assert_int_equal(unpack(kind, 1), -EINVAL);
	assert_int_equal(extent_map_unpack("short", 5, &map), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_append_joins),
		cmocka_unit_test(test_set_splits_and_heals),
		cmocka_unit_test(test_punch_to_the_end),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_is_on_disc),
		cmocka_unit_test(test_is_on_disc_unaligned),
		cmocka_unit_test(test_is_on_disc_sections),
		cmocka_unit_test(test_unpack_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
