/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/medium.h"

#include <stdio.h>
#include <string.h>

static void test_profiles(void **state)
{
	assert_int_equal(medium_find("cd")->sectors, 359847);
	assert_int_equal(medium_find("dvd")->sectors, 2295104);
	assert_int_equal(medium_find("dvd-dl")->sectors, 4173824);
	assert_int_equal(medium_find("bd")->sectors, 12219392);
	assert_int_equal(medium_find("bd-dl")->sectors, 24438784);
	assert_int_equal(medium_find("bd-xl")->sectors, 48878592);
	assert_null(medium_find("floppy"));
	assert_null(medium_find(""));
}

static void test_mark(void **state)
{
	const struct medium_mark mark = { "bd", 12219392, "6f1c2d3e-0000-4000-8000-00000000abcd" };
	struct medium_mark back;
	uint8_t block[SECTOR];

	medium_mark_write(&mark, block);
	assert_true(medium_mark_read(block, &back));
	assert_string_equal(back.profile, mark.profile);
	assert_string_equal(back.id, mark.id);
	assert_int_equal(back.capacity, mark.capacity);
}

static bool reads(const char *text)
{
	uint8_t block[SECTOR] = { 0 };
	struct medium_mark back;

	snprintf((char *)block, sizeof block, "%s", text);
	return medium_mark_read(block, &back);
}

static void test_mark_refused(void **state)
{
	uint8_t block[SECTOR];
	struct medium_mark back;

	assert_true(reads("discfs medium 1\nprofile custom\ncapacity 512\nid 6f\n"));
	assert_false(reads(""));
	assert_false(reads("discfs medium 2\nprofile bd\ncapacity 512\nid 6f\n"));
	assert_false(reads("discfs medium 1\nprofile bd\ncapacity 0\nid 6f\n"));
	assert_false(reads("discfs medium 1\nprofile bd\ncapacity 4294967296\nid 6f\n"));
	assert_false(reads("discfs medium 1\nprofile bd\ncapacity 99999999999999999999\nid 6f\n"));
	assert_false(reads("discfs medium 1\nprofile bd\ncapacity 0512\nid 6f\n"));
	assert_false(reads("discfs medium 1\nprofile bd capacity 512\nid 6f\n"));
	assert_false(reads("discfs medium 1\nprofile bdbdbdbdbdbdbdbdbd\ncapacity 512\nid 6f\n"));
	assert_false(reads("discfs medium 1\nprofile BD\ncapacity 512\nid 6f\n"));
	assert_false(reads("discfs medium 1\nprofile bd\ncapacity 512\nid 6f\nmore\n"));
	memset(block, 'x', sizeof block);
	assert_false(medium_mark_read(block, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_mark_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
