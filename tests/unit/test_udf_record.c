/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is recorded of UDF, against the bytes that ECMA-167 and UDF 1.02 ask for, and against the reader.
 * Whole volumes: tests/mount/bridge.sh. */
#include "unit.h"

#include "base/text.h"
#include "disc/udf_dir.h"
#include "disc/udf_record.h"
#include "disc/udf_tag.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- names ---- */

struct name_case {
	const char *name;
	const char *recorded; /* with its compression */
	size_t length;
	bool changed;
};

#define CASE(name, recorded, changed)                                                                        \
	{                                                                                                    \
		name, recorded, sizeof recorded - 1, changed                                                 \
	}

static void names_are_recorded(void **state)
{
	static const struct name_case cases[] = {
		CASE("plain.txt", "\10plain.txt", false),
		CASE("caf\303\251", "\10caf\351", false),
		CASE("a\346\227\245", "\20\0a\x65\xe5", false),
		CASE("\360\237\230\200", "\20\xd8\x3d\xde\x00", false),
		CASE("a:b\\c*.", "\10a:b\\c*.", false),
		CASE("new\nline", "\10new\nline", false),
		/* bytes that aren't UTF-8: alone, overlong, half of a surrogate pair, cut off */
		CASE("\377", "\10_#1EF0", true),
		CASE("\300\200.x", "\10__#5288.x", true),
		CASE("\355\240\200", "\10___#6E96", true),
		CASE("x\342\202", "\10x__#B6B3", true),
	};
	uint8_t ret[UDF_IDENT_MOST];
	char back[UDF_NAME_ROOM];
	bool changed;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *name = cases[i].name;
		size_t length = udf_ident(name, strlen(name), 0, ret, &changed);

		if (length != cases[i].length || memcmp(ret, cases[i].recorded, length) != 0)
			fail_msg("case %zu: '%.*s'", i, (int)length - 1, (const char *)ret + 1);
		assert_int_equal(changed, cases[i].changed);
		udf_name(ret, length, back);
		if (!changed)
			assert_string_equal(back, name);
	}
}

static void long_names_are_cut(void **state)
{
	char name[256] = "";
	uint8_t ret[UDF_IDENT_MOST], other[UDF_IDENT_MOST];
	bool changed;

	memset(name, 'n', 254);
	assert_int_equal(udf_ident(name, 254, 0, ret, &changed), 255);
	assert_false(changed);
	memcpy(name + 250, ".jpeg", 5);
	assert_int_equal(udf_ident(name, 255, 0, ret, &changed), 255);
	assert_true(changed);
	assert_memory_equal(ret + 250, ".jpeg", 5);
	assert_int_equal(ret[245], '#');
	/* the how-manieth of them differs in the digits, not in its length */
	assert_int_equal(udf_ident(name, 255, 1, other, &changed), 255);
	assert_true(memcmp(ret, other, 255) != 0);
	assert_memory_equal(ret, other, 246);
	/* 85 characters of three bytes each fit; 127 units are the most, and no pair is torn */
	for (int i = 0; i < 85; i++)
		memcpy(name + 3 * i, "\346\227\245", 3);
	assert_int_equal(udf_ident(name, 255, 0, ret, &changed), 171);
	assert_false(changed);
	for (int i = 0; i < 64; i++)
		memcpy(name + 4 * i, "\360\237\230\200", 4 - (i == 63));
	assert_int_equal(udf_ident(name, 252, 0, ret, &changed), 1 + 2 * 126);
	assert_false(changed);
	memcpy(name + 248, "abcdefg", 7); /* 62 pairs and 7 characters: 131 units */
	(void)udf_ident(name, 255, 0, ret, &changed);
	assert_true(changed);
	for (size_t i = 1; i + 1 < 255; i += 2)
		if ((ret[i] & 0xfc) == 0xd8)
			assert_int_equal(ret[i + 2] & 0xfc, 0xdc);
}

static void targets_come_back(void **state)
{
	static const struct {
		const char *target, *back;
	} cases[] = { { "a", "a" },
		      { "../b", "../b" },
		      { "/", "/" },
		      { "/etc//./x/", "/etc/./x" },
		      { "\346\227\245/caf\303\251", "\346\227\245/caf\303\251" } };
	uint8_t content[2000];
	char back[4096];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const uint8_t *target = (const uint8_t *)cases[i].target;
		struct blob blob = { content, udf_record_target(target, strlen(cases[i].target), content,
								sizeof content) };
		size_t length = udf_link_target(&blob, back, sizeof back);

		assert_int_equal(length, strlen(cases[i].back));
		assert_memory_equal(back, cases[i].back, length);
	}
	assert_int_equal(udf_record_target((const uint8_t *)"abcdef", 6, content, 10), 0);
}

/* ---- descriptors ---- */

static const struct udf_facts facts = { .start = 4000,
					.end = 9000,
					.file_set = 8000,
					.root = 8002,
					.files = 7,
					.dirs = 3,
					.time_ns = 1234567890123456789,
					.label = "PHOTOS",
					.set = 0x0123456789abcdef };

static uint8_t *sector(uint8_t *front, uint32_t at)
{
	return front + (size_t)at * SECTOR;
}

static void a_volume_has_its_descriptors(void **state)
{
	static const struct {
		uint32_t at, tag;
	} there[] = { { 32, 1 }, { 33, 4 }, { 34, 5 }, { 35, 6 }, { 36, 7 }, { 37, 8 },
		      { 48, 1 }, { 51, 6 }, { 53, 8 }, { 64, 9 }, { 65, 8 }, { 256, 2 } };
	uint8_t *front = calloc(BRIDGE_SECTORS, SECTOR), *at;
	char label[33];

	memset(sector(front, 16), 0x55, SECTOR);
	udf_record_volume(&facts, front);
	assert_int_equal(sector(front, 16)[0], 0x55);
	for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
		at = sector(front, there[i].at);
		assert_int_equal(udf_tag_read(at, SECTOR), there[i].tag);
		assert_int_equal(udf_tag_location(at), 4000 + there[i].at);
	}
	at = sector(front, 34); /* partition: all of the medium, read only */
	assert_int_equal(get_le32(at + 184), 1);
	assert_int_equal(get_le32(at + 188), 0);
	assert_int_equal(get_le32(at + 192), 9000);
	at = sector(front, 35); /* logical volume: revision, file set, integrity */
	assert_int_equal(get_le16(at + 240), 0x0102);
	assert_int_equal(get_le32(at + 252), 8000);
	assert_int_equal(get_le32(at + 436), 4064);
	udf_dstring(at + 84, 128, label, sizeof label);
	assert_string_equal(label, "PHOTOS");
	at = sector(front, 64); /* integrity: closed, counts */
	assert_int_equal(get_le32(at + 28), 1);
	assert_int_equal(get_le32(at + 120), 7);
	assert_int_equal(get_le32(at + 124), 3);
	at = sector(front, 256);
	assert_true(udf_record_is_anchor(at, 4256));
	assert_false(udf_record_is_anchor(at, 256));
	assert_int_equal(get_le32(at + 20), 4032);
	assert_int_equal(get_le32(at + 28), 4048);
	free(front);
}

/* The times are what the reader makes of them again, to the microsecond. */
static void file_entries_are_recorded(void **state)
{
	struct node_attr attr = { .mode = S_IFREG | 04751,
				  .uid = 1000,
				  .gid = 70000,
				  .atime_ns = 1234567890123456789,
				  .mtime_ns = -1500000000,
				  .ctime_ns = 4102444800000000000 };
	struct udf_file file = { .attr = &attr, .at = 777, .id = 777, .links = 2, .size = 5000 };
	uint8_t block[SECTOR];
	uint32_t at = udf_record_file(&file, block);

	udf_record_extent(12345, 5000, block + at);
	udf_record_file_end(777, 8, block);
	assert_int_equal(udf_tag_read(block, SECTOR), UDF_TAG_FILE);
	assert_int_equal(udf_tag_location(block), 777);
	assert_int_equal(get_le16(block + 10), 176 + 8 - 16);
	assert_int_equal(block[27], UDF_FILE_REGULAR);
	assert_int_equal(get_le16(block + 34), 1 << 6); /* setuid, short descriptors */
	assert_int_equal(get_le32(block + 36), 1000);
	assert_int_equal(get_le32(block + 40), 70000);
	/* owner rwx and may change attributes and delete, group rx, others x */
	assert_int_equal(get_le32(block + 44), 0x1f << 10 | 5 << 5 | 1);
	assert_int_equal(get_le16(block + 48), 2);
	assert_int_equal(get_le64(block + 56), 5000);
	assert_int_equal(get_le64(block + 64), 3);
	assert_int_equal(udf_time(block + 72), 1234567890123456000);
	assert_int_equal(udf_time(block + 84), -1500000000);
	assert_int_equal(udf_time(block + 96), 4102444800000000000);
	assert_int_equal(get_le32(block + 176), 5000);
	assert_int_equal(get_le32(block + 180), 12345);
}

static void names_of_directories_are_recorded(void **state)
{
	uint8_t data[200];
	struct blob content = { data, 0 };
	struct udf_entry entry;
	struct reason why = { 0 };
	size_t next = 0;

	content.length = udf_record_name(50, 40, 0, true, NULL, 0, data);
	assert_int_equal(content.length, 40);
	assert_int_equal(data[18], 0x0a);
	content.length +=
	    udf_record_name(50, 60, 60, true, (const uint8_t *)"\10sub", 4, data + content.length);
	content.length +=
	    udf_record_name(51, 61, 61, false, (const uint8_t *)"\10file", 5, data + content.length);
	assert_int_equal(content.length, 40 + 44 + 44);
	assert_int_equal(udf_tag_location(data + 84), 51);
	assert_int_equal(udf_dir_next(&content, &next, &entry, &why), 1);
	assert_string_equal(entry.name, "sub");
	assert_int_equal(entry.icb.block, 60);
	assert_int_equal(udf_dir_next(&content, &next, &entry, &why), 1);
	assert_string_equal(entry.name, "file");
	assert_int_equal(entry.icb_length, SECTOR);
	assert_int_equal(udf_dir_next(&content, &next, &entry, &why), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_recorded),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(targets_come_back),
		cmocka_unit_test(a_volume_has_its_descriptors),
		cmocka_unit_test(file_entries_are_recorded),
		cmocka_unit_test(names_of_directories_are_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
