/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a bridge's sums: what is believed of it, and what its sums show. */
#include "unit.h"

#include "disc/bridge_sums.h"

#include <openssl/evp.h>
#include <string.h>

#define START 64u
#define DIRS  20u
#define TAIL  1000u /* begins there, and is as long: several sectors a piece */
#define AT    (TAIL + TAIL)

#define NO_CHANGE UINT32_MAX

static uint8_t block[SECTOR];

static const struct bridge_sums sound = { .start = START,
					  .ranges = { { .first = START, .sectors = BRIDGE_SECTORS },
						      { .first = START + BRIDGE_SECTORS, .sectors = DIRS },
						      { .first = TAIL, .sectors = TAIL } } };

static void test_round_trip(void **state)
{
	struct bridge_sums sums = sound, same;

	for (size_t i = 0; i < BRIDGE_RANGES; i++) {
		memset(sums.ranges[i].sum, (int)i + 1, sizeof sums.ranges[i].sum);
		memset(sums.ranges[i].pieces, (int)i + 10, sizeof sums.ranges[i].pieces);
	}
	assert_int_equal(bridge_sums_put(&sums, AT, block), 0);
	assert_true(udf_record_is_anchor(block, AT));
	assert_memory_equal(block + 512, "DISCFS UDF SUM 1", 16);
	assert_int_equal(get_le32(block + 528), START);
	assert_int_equal(get_le32(block + 536), BRIDGE_SECTORS);
	assert_true(bridge_sums_get(block, AT, &same));
	assert_memory_equal(&sums, &same, sizeof sums);
	/* it says where it stands */
	assert_false(bridge_sums_get(block, AT + 1, &same));
	assert_false(bridge_sums_get(block, AT - 1, &same));
	assert_false(bridge_sums_get(block, AT + (UINT64_C(1) << 32), &same));
}

static void test_every_bit_counts(void **state)
{
	struct bridge_sums sums;

	assert_int_equal(bridge_sums_put(&sound, AT, block), 0);
	for (size_t bit = 0; bit < 8 * (size_t)SECTOR; bit++) {
		block[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(bridge_sums_get(block, AT, &sums));
		block[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(bridge_sums_get(block, AT, &sums));
}

/* A record whose own sum is right says anything. */
static bool believed(size_t range, uint32_t first, uint32_t sectors, uint64_t at)
{
	struct bridge_sums sums = sound, same;

	sums.ranges[range].first = first;
	sums.ranges[range].sectors = sectors;
	assert_int_equal(bridge_sums_put(&sums, AT, block), 0);
	return bridge_sums_get(block, at, &same);
}

static void test_hostile(void **state)
{
	static const uint32_t values[] = { 0, 1, 63, 65, 287, 289, 0x7fffffff, 0x80000000, 0xffffffff };
	struct bridge_sums sums = sound;

	assert_true(believed(RANGE_FRONT, START, BRIDGE_SECTORS, AT));
	assert_true(believed(RANGE_DIRS, START + BRIDGE_SECTORS, TAIL - START - BRIDGE_SECTORS, AT));
	assert_false(believed(RANGE_DIRS, START + BRIDGE_SECTORS, TAIL - START - BRIDGE_SECTORS + 1, AT));
	assert_true(believed(RANGE_TAIL, AT - 5, 5, AT));
	assert_true(believed(RANGE_TAIL, AT, 0, AT));
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		assert_false(believed(RANGE_FRONT, values[i], BRIDGE_SECTORS, AT));
		assert_false(believed(RANGE_FRONT, START, values[i], AT));
		assert_false(believed(RANGE_DIRS, values[i], DIRS, AT));
		assert_false(believed(RANGE_TAIL, values[i], TAIL, AT));
		assert_false(believed(RANGE_TAIL, TAIL, values[i], AT));
	}
	assert_false(believed(RANGE_DIRS, START + BRIDGE_SECTORS, 0xffffffff, AT));
	sums.start++;
	assert_int_equal(bridge_sums_put(&sums, AT, block), 0);
	assert_false(bridge_sums_get(block, AT, &sums));
}

/* Of so many sectors, each filled with its number; one of them is another. */
static bool sum_up(uint32_t first, uint32_t sectors, uint32_t given, uint32_t changed, struct range_sums *ret)
{
	struct range_summing summing;
	struct reason why = { 0 };
	bool good;

	*ret = (struct range_sums){ .first = first, .sectors = sectors };
	assert_int_equal(range_summing_open(&summing, ret, &why), 0);
	for (uint32_t i = 0; i < given; i++) {
		memset(block, (int)(i % 251) + (i == changed), sizeof block);
		range_summing_add(&summing, first + i, block);
	}
	good = range_summing_end(&summing);
	range_summing_close(&summing);
	return good;
}

static void test_pieces(void **state)
{
	static const uint32_t sizes[] = { 1, 111, 112, 113, 224, 1000 };
	struct range_sums whole, other;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint32_t step = range_sums_step(&(struct range_sums){ .sectors = sizes[i] });
		uint32_t changed = sizes[i] - 1;

		assert_true(step * BRIDGE_PIECES >= sizes[i] && (step - 1) * BRIDGE_PIECES < sizes[i]);
		assert_true(sum_up(START, sizes[i], sizes[i], NO_CHANGE, &whole));
		assert_true(sum_up(START, sizes[i], sizes[i], changed, &other));
		assert_memory_not_equal(whole.sum, other.sum, sizeof whole.sum);
		for (uint32_t j = 0; j < BRIDGE_PIECES; j++)
			assert_int_equal(memcmp(whole.pieces[j], other.pieces[j], BRIDGE_PIECE_SUM) != 0,
					 j == changed / step);
		assert_false(sum_up(START, sizes[i], sizes[i] - 1, NO_CHANGE, &other));
		assert_false(sum_up(START, sizes[i], sizes[i] + 1, NO_CHANGE, &other));
	}
	assert_int_equal(range_sums_step(&(struct range_sums){ .sectors = 0xffffffff }),
			 0xffffffff / BRIDGE_PIECES + 1);
	assert_int_equal(range_sums_step(&(struct range_sums){ .sectors = 0 }), 1);
}

/* Sector 256 belongs to the newest session, unless it's that session's own anchor. */
static void test_anchor(void **state)
{
	struct range_sums whole, other;

	assert_true(sum_up(32, BRIDGE_SECTORS, BRIDGE_SECTORS, NO_CHANGE, &whole));
	assert_true(sum_up(32, BRIDGE_SECTORS, BRIDGE_SECTORS, 256 - 32, &other));
	assert_memory_equal(&whole, &other, sizeof whole);
	assert_true(sum_up(32, BRIDGE_SECTORS, BRIDGE_SECTORS, 256, &other));
	assert_memory_not_equal(&whole, &other, sizeof whole);
	assert_true(sum_up(0, BRIDGE_SECTORS, BRIDGE_SECTORS, NO_CHANGE, &whole));
	assert_true(sum_up(0, BRIDGE_SECTORS, BRIDGE_SECTORS, 256, &other));
	assert_memory_not_equal(&whole, &other, sizeof whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_hostile),	   cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_anchor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
