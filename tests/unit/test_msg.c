/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "wire/msg.h"

#include <string.h>

static void test_round_trip(void **state)
{
	CLEANUP(msg_clear) struct msg msg;
	char name[8];
	size_t length;
	const uint8_t *bytes;

	msg_start(&msg, 7);
	msg_put_u8(&msg, 0xAB);
	msg_put_u32(&msg, 0xDEADBEEF);
	msg_put_u64(&msg, UINT64_MAX - 1);
	msg_put_i64(&msg, INT64_MIN);
	msg_put_bytes(&msg, "a\0b", 3);
	msg_put_bytes(&msg, NULL, 0);
	msg_put_string(&msg, "seven77");
	assert_false(msg.bad);
	assert_int_equal(msg_get_u8(&msg), 0xAB);
	assert_int_equal(msg_get_u32(&msg), 0xDEADBEEF);
	assert_true(msg_get_u64(&msg) == UINT64_MAX - 1);
	assert_true(msg_get_i64(&msg) == INT64_MIN);
	bytes = msg_get_bytes(&msg, 3, &length);
	assert_int_equal(length, 3);
	assert_memory_equal(bytes, "a\0b", 3);
	msg_get_bytes(&msg, 3, &length);
	assert_int_equal(length, 0);
	assert_false(msg_done(&msg));
	msg_get_string(&msg, name, sizeof name);
	assert_string_equal(name, "seven77");
	assert_true(msg_done(&msg));
}

static void test_little_endian(void **state)
{
	CLEANUP(msg_clear) struct msg msg;

	msg_start(&msg, 1);
	msg_put_u64(&msg, 0x0807060504030201ull);
	assert_memory_equal(msg.data, "\1\2\3\4\5\6\7\10", 8);
}

static void test_past_the_end(void **state)
{
	CLEANUP(msg_clear) struct msg msg;

	msg_start(&msg, 1);
	msg_put_u32(&msg, 5);
	assert_int_equal(msg_get_u64(&msg), 0);
	assert_true(msg.bad);
	assert_int_equal(msg_get_u32(&msg), 0); /* bad stays bad */
	assert_false(msg_done(&msg));
}

static void test_empty(void **state)
{
	struct msg msg;

	msg_start(&msg, 1);
	assert_true(msg_done(&msg));
	assert_int_equal(msg_get_u8(&msg), 0);
	assert_false(msg_done(&msg));
}

static void test_string_refused(void **state)
{
	CLEANUP(msg_clear) struct msg msg;
	char name[4];

	msg_start(&msg, 1);
	msg_put_string(&msg, "four");
	msg_get_string(&msg, name, sizeof name);
	assert_true(msg.bad);
	assert_string_equal(name, "");
	msg_clear(&msg);
	msg_start(&msg, 1);
	msg_put_bytes(&msg, "a\0b", 3);
	msg_get_string(&msg, name, sizeof name);
	assert_true(msg.bad);
	assert_string_equal(name, "");
}

static void test_length_lies(void **state)
{
	CLEANUP(msg_clear) struct msg msg;
	size_t length = 1;

	msg_start(&msg, 1);
	msg_put_u32(&msg, UINT32_MAX);
	msg_put_u32(&msg, 0);
	assert_null(msg_get_bytes(&msg, SIZE_MAX, &length));
	assert_int_equal(length, 0);
	assert_true(msg.bad);
}

static void test_limit(void **state)
{
	CLEANUP(msg_clear) struct msg msg;
	static uint8_t large[MSG_LIMIT];

	msg_start(&msg, 1);
	msg_put_bytes(&msg, large, MSG_LIMIT - 4);
	assert_false(msg.bad);
	msg_put_u8(&msg, 1);
	assert_true(msg.bad);
	assert_int_equal(msg.length, MSG_LIMIT);
	msg_clear(&msg);
	msg_start(&msg, 1);
	msg_put_bytes(&msg, large, sizeof large);
	assert_true(msg.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_little_endian),
		cmocka_unit_test(test_past_the_end),   cmocka_unit_test(test_empty),
		cmocka_unit_test(test_string_refused), cmocka_unit_test(test_length_lies),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
