/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "base/bytes.h"
#include "base/text.h"
#include "base/vec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void test_text_grows(void **state)
{
	AUTO_TEXT struct text text = { 0 };

	for (int i = 0; i < 1000; i++)
		text_add(&text, "%d,", i % 10);
	text_add_bytes(&text, "end", 3);
	assert_false(text.failed);
	assert_int_equal(text.length, 2003);
	assert_int_equal(strlen(text.data), 2003);
	assert_string_equal(text.data + 1998, "9,end");
}

static void assert_json(const char *data, size_t length, const char *want)
{
	AUTO_TEXT struct text text = { 0 };

	text_add_json(&text, data, length);
	assert_string_equal(text.data, want);
}

static void test_json(void **state)
{
	assert_json("plain", 5, "\"plain\"");
	assert_json("", 0, "\"\"");
	assert_json("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
	assert_json("\n\x01\x7f", 3, "\"\\u000a\\u0001\\u007f\"");
	assert_json("a\0b", 3, "\"a\\u0000b\"");
	assert_json("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x92\xBF", 9, "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x92\xBF\"");
}

static void test_json_bad_utf8(void **state)
{
	const char *const mark = "\"\xEF\xBF\xBD\"";

	assert_json("\xFF", 1, mark);
	assert_json("\xC3", 1, mark);						    /* cut off */
	assert_json("\xC0\x80", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");		    /* overlong */
	assert_json("\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""); /* a surrogate */
	assert_json("\xE9t\xE9", 3, "\"\xEF\xBF\xBDt\xEF\xBF\xBD\"");		    /* Latin 1 */
}

static void test_escaped(void **state)
{
	AUTO_TEXT struct text text = { 0 };

	text_add_escaped(&text, "a\tb\\c\nd \xC3\xA9", 10);
	assert_string_equal(text.data, "a\\011b\\134c\\012d \xC3\xA9");
	text_clear(&text);
	text_add_visible(&text, "a\tb\\c\x7F \xC3\xA9", 9);
	assert_string_equal(text.data, "a\\011b\\c\\177 \xC3\xA9");
}

static void test_utf8(void **state)
{
	AUTO_TEXT struct text text = { 0 };

	text_add_utf8(&text, "\xC3\xA9 \xE9\n\xE2\x82",
		      8); /* e acute, the same in Latin 1, one that is cut off */
	assert_string_equal(text.data, "\xC3\xA9 \xEF\xBF\xBD\n\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void assert_unescaped(const char *line, const char *want)
{
	char copy[64];

	snprintf(copy, sizeof copy, "%s", line);
	text_unescape(copy);
	assert_string_equal(copy, want);
}

static void assert_word(const char *word, const char *want)
{
	char *quoted = text_shell_word(word);

	assert_string_equal(quoted, want);
	free(quoted);
}

static void test_shell_word(void **state)
{
	assert_word("/media/me/disc_1", "/media/me/disc_1");
	assert_word("", "''");
	assert_word("/media/me/My Disc", "'/media/me/My Disc'");
	assert_word("$(rm) `x` \\ \"*?", "'$(rm) `x` \\ \"*?'");
	assert_word("it's", "'it'\\''s'");
	assert_word("\xC3\xA9", "'\xC3\xA9'");
	assert_word("a\nb'\\\1771", "$'a\\012b\\'\\\\\\1771'");
}

static void test_unescape(void **state)
{
	assert_unescaped("", "");
	assert_unescaped("plain", "plain");
	assert_unescaped("a\\011b\\134c\\012d", "a\tb\\c\nd");
	assert_unescaped("\\134134", "\\134"); /* once only */
	assert_unescaped("\\377\\400\\000\\8", "\377\\400\\000\\8");
	assert_unescaped("cut\\13", "cut\\13");
	assert_unescaped("\\", "\\");
}

static void assert_size(uint64_t bytes, const char *want)
{
	char buffer[16];

	assert_string_equal(text_size(buffer, bytes), want);
}

static void test_size(void **state)
{
	assert_size(0, "0 B");
	assert_size(999, "999 B");
	assert_size(1000, "1.0 kB");
	assert_size(9940, "9.9 kB");
	assert_size(9960, "10 kB");
	assert_size(999499, "999 kB");
	assert_size(999500, "1.0 MB");
	assert_size(4700372992, "4.7 GB");
	assert_size(UINT64_MAX, "18447 PB");
}

static void assert_parsed(const char *word, uint64_t want)
{
	uint64_t got = 0;

	assert_int_equal(text_parse_size(word, &got), 0);
	assert_int_equal(got, want);
}

static void test_parse_size(void **state)
{
	static const char *const wrong[] = { "",    "x",  "-1",	  "1X",	  "1KX", "1KBX", "nan", "0x1M",
					     "inf", " 1", "1e30", "9E9T", "K",	 "0x",	 "+5" };
	uint64_t got = 77;

	assert_parsed("0", 0);
	assert_parsed("1048576", 1048576);
	assert_parsed("650M", 650ull << 20);
	assert_parsed("25g", 25ull << 30);
	assert_parsed("25GB", 25000000000);
	assert_parsed("1.5k", 1536);
	assert_parsed("2Tb", 2000000000000);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(text_parse_size(wrong[i], &got), -EINVAL);
	assert_int_equal(got, 77);
}

static void test_bytes(void **state)
{
	uint8_t at[4];

	put_le32(at, 0x11223344);
	assert_memory_equal(at, "\x44\x33\x22\x11", 4);
	assert_int_equal(get_le32(at), 0x11223344);
	put_be32(at, 0x11223344);
	assert_memory_equal(at, "\x11\x22\x33\x44", 4);
	assert_int_equal(round_up(0, 2048), 0);
	assert_int_equal(round_up(1, 2048), 2048);
	assert_int_equal(round_up(2048, 2048), 2048);
	assert_int_equal(sectors_of(2049), 2);
	assert_int_equal(sectors_of(UINT64_MAX), UINT64_MAX / 2048 + 1);
	assert_true(range_within(5, 5, 10));
	assert_false(range_within(5, 6, 10));
	assert_false(range_within(11, 0, 10));
	assert_false(range_within(5, UINT64_MAX, 10));
}

static void test_blob(void **state)
{
	CLEANUP(blob_clear) struct blob blob = { 0 };

	assert_int_equal(blob_set(&blob, "abc", 3), 0);
	assert_memory_equal(blob.data, "abc", 3);
	assert_int_equal(blob_set(&blob, blob.data + 1, 2), 0);
	assert_memory_equal(blob.data, "bc", 2);
	assert_int_equal(blob_set(&blob, NULL, 0), 0);
	assert_null(blob.data);
}

static void test_vec(void **state)
{
	VEC(int) numbers = { 0 };
	int sum = 0;

	vec_each (&numbers, at)
		sum += *at;
	assert_int_equal(sum, 0);
	for (int i = 0; i < 1000; i++)
		*vec_push(&numbers) = i;
	vec_each (&numbers, at)
		sum += *at;
	assert_int_equal(numbers.count, 1000);
	assert_int_equal(sum, 499500);
	vec_clear(&numbers);
	assert_null(numbers.items);
	assert_null(vec_grow(NULL, SIZE_MAX / 4, 8, &numbers.room));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_grows),    cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_bad_utf8), cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_unescape),      cmocka_unit_test(test_size),
		cmocka_unit_test(test_parse_size),    cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_blob),	      cmocka_unit_test(test_vec),
		cmocka_unit_test(test_utf8),	      cmocka_unit_test(test_shell_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
