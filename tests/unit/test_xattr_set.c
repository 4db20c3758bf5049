/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "model/xattr_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void put(struct blob *set, const char *name, const char *value)
{
	assert_int_equal(xattr_set_put(set, name, value, strlen(value)), 0);
	assert_true(xattr_set_valid(set));
}

static void assert_value(const struct blob *set, const char *name, const char *value)
{
	struct xattr_view view;

	assert_true(xattr_set_find(set, name, &view));
	assert_int_equal(view.value_length, strlen(value));
	assert_memory_equal(view.value, value, strlen(value));
}

static void test_put_find_remove(void **state)
{
	CLEANUP(blob_clear) struct blob set = { 0 };
	struct xattr_view view;

	assert_false(xattr_set_find(&set, "user.a", &view));
	assert_int_equal(xattr_set_remove(&set, "user.a"), -ENODATA);
	put(&set, "user.a", "one");
	put(&set, "user.bb", "");
	put(&set, "user.c", "three");
	assert_value(&set, "user.a", "one");
	assert_value(&set, "user.bb", "");
	put(&set, "user.a", "a longer value");
	put(&set, "user.c", "x");
	assert_value(&set, "user.a", "a longer value");
	assert_value(&set, "user.c", "x");
	assert_int_equal(xattr_set_remove(&set, "user.bb"), 0);
	assert_false(xattr_set_find(&set, "user.bb", &view));
	assert_false(xattr_set_find(&set, "user.", &view));
	assert_int_equal(xattr_set_remove(&set, "user.a"), 0);
	assert_int_equal(xattr_set_remove(&set, "user.c"), 0);
	assert_int_equal(set.length, 0);
	assert_null(set.data);
}

static void test_limits(void **state)
{
	CLEANUP(blob_clear) struct blob set = { 0 };
	static char large[65537];
	char name[257];

	memset(name, 'n', sizeof name - 1);
	name[256] = '\0';
	assert_int_equal(xattr_set_put(&set, name, "", 0), -ERANGE);
	assert_int_equal(xattr_set_put(&set, "", "", 0), -ERANGE);
	assert_int_equal(xattr_set_put(&set, "user.x", large, 65537), -E2BIG);
	assert_int_equal(set.length, 0);
	name[255] = '\0';
	assert_int_equal(xattr_set_put(&set, name, large, 65536), 0);
	assert_true(xattr_set_valid(&set));
}

static void test_equal(void **state)
{
	CLEANUP(blob_clear) struct blob a = { 0 };
	CLEANUP(blob_clear) struct blob b = { 0 };

	assert_true(xattr_set_equal(&a, &b));
	put(&a, "user.a", "1");
	put(&a, "user.b", "2");
	assert_false(xattr_set_equal(&a, &b));
	put(&b, "user.b", "2");
	put(&b, "user.a", "1");
	assert_true(xattr_set_equal(&a, &b));
	put(&b, "user.a", "3");
	assert_false(xattr_set_equal(&a, &b));
	put(&b, "user.a", "1");
	assert_int_equal(xattr_set_remove(&b, "user.b"), 0);
	put(&b, "user.c", "2");
	assert_false(xattr_set_equal(&a, &b));
}

static void test_damaged(void **state)
{
	uint8_t bytes[] = { 1, 1, 0, 0, 0, 'a', 'x', 1, 1, 0, 0, 0, 'b', 'y' };
	struct blob set = { bytes, sizeof bytes };

	assert_true(xattr_set_valid(&set));
	for (size_t length = 1; length < sizeof bytes; length++) {
		set.length = length;
		assert_int_equal(xattr_set_valid(&set), length == 7);
	}
	set.length = sizeof bytes;
	bytes[12] = 'a'; /* twice the same name */
	assert_false(xattr_set_valid(&set));
	bytes[12] = 'b';
	bytes[4] = 0xFF; /* a length that would wrap */
	assert_false(xattr_set_valid(&set));
	bytes[4] = 0;
	bytes[0] = 0; /* an empty name */
	assert_false(xattr_set_valid(&set));
	bytes[0] = 1;
	bytes[5] = '\0'; /* a NUL in a name */
	assert_false(xattr_set_valid(&set));
}

static void test_many(void **state)
{
	CLEANUP(blob_clear) struct blob set = { 0 };
	char name[32];
	size_t at = 0, count = 0;
	struct xattr_view view;

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "user.%d", i % 250);
		assert_int_equal(xattr_set_put(&set, name, &i, sizeof i), 0);
	}
	assert_true(xattr_set_valid(&set));
	while (xattr_set_next(&set, &at, &view))
		count++;
	assert_int_equal(count, 250);
	assert_int_equal(at, set.length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_find_remove),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
