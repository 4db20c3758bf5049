/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sessions are found on a medium with a head, whatever is destroyed of one of them: by what each says
 * of those before it, by their sizes, by looking for them. With images made by hand. */
#include "unit.h"

#include "disc/lineage.h"
#include "disc/sessions.h"
#include "disc/volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH 256u /* sectors of a session */
#define ROOT   20u  /* of them: the root directory */

/* ---- the record ---- */

static void descriptor_of(const struct lineage *lineage, uint8_t ret[SECTOR])
{
	memset(ret, 0, SECTOR);
	assert_int_equal(lineage_put(lineage, ret + LINEAGE_OFFSET), 0);
}

static void test_record(void **state)
{
	struct lineage lineage = { .number = 200,
				   .start = 99999,
				   .copy = 501,
				   .copied = 14,
				   .count = LINEAGE_BEFORE },
		       found;
	uint8_t block[SECTOR];

	for (uint32_t i = 0; i < LINEAGE_BEFORE; i++)
		lineage.before[i] = 90000 - 100ul * i;
	descriptor_of(&lineage, block);
	assert_true(lineage_get(block, &found));
	assert_memory_equal(&found, &lineage, sizeof found);
	for (size_t i = 0; i < LINEAGE_BYTES; i++) {
		block[LINEAGE_OFFSET + i] ^= 0x10;
		assert_false(lineage_get(block, &found));
		block[LINEAGE_OFFSET + i] ^= 0x10;
	}
	assert_true(lineage_get(block, &found));
}

static void test_nonsense(void **state)
{
	static const struct lineage cases[] = {
		{ .number = 0, .start = 32 },
		{ .number = 1, .start = 32, .count = 1 },
		{ .number = 3, .start = 500, .count = 2, .before = { 32, 200 } },
		{ .number = 3, .start = 500, .count = 2, .before = { 200, 200 } },
		{ .number = 2, .start = 500, .count = 1, .before = { 500 } },
		{ .number = 2, .start = 500, .count = 1, .before = { 0 }, .copy = 5000, .copied = 14 },
		{ .number = 2, .start = 500, .count = 1, .before = { 0 }, .copy = 501, .copied = 17 },
		{ .number = 2, .start = 500, .count = 1, .before = { 0 }, .copied = 14 },
	};
	struct lineage found;
	uint8_t block[SECTOR];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		descriptor_of(&cases[i], block);
		if (lineage_get(block, &found))
			fail_msg("record %zu was taken", i);
	}
	memset(block, ' ', sizeof block);
	assert_false(lineage_get(block, &found));
}

/* ---- the sessions ---- */

static void put_both(uint8_t *at, uint64_t value)
{
	put_le32(at, (uint32_t)value);
	put_be32(at + 4, (uint32_t)value);
}

static void put_block(int fd, uint64_t lba, const uint8_t *block)
{
	assert_int_equal(pwrite(fd, block, SECTOR, (off_t)(lba * SECTOR)), SECTOR);
}

static void make_volume(uint8_t *block, uint64_t start, uint64_t size, uint32_t number)
{
	memset(block, 0, SECTOR);
	memcpy(block, "\1CD001\1", 8);
	if (start) {
		memcpy(block + 446, VOLUME_APPLICATION, strlen(VOLUME_APPLICATION));
		memcpy(block + 574, VOLUME_APPLICATION, strlen(VOLUME_APPLICATION));
	}
	snprintf((char *)block + 40, 32, "SESSION %u", number);
	put_both(block + 80, size);
	block[120] = 1;		      /* volume set size */
	block[128 + 1] = SECTOR >> 8; /* block size */
	put_le32(block + 158, (uint32_t)(start + ROOT));
}

/* at: where a copy is to stand. */
static void put_root(int fd, uint64_t start, uint64_t at)
{
	uint8_t block[SECTOR] = { 34 };

	put_both(block + 2, start + ROOT);
	block[25] = 2; /* a directory */
	block[32] = 1; /* whose name is a byte, 0: "." */
	put_block(fd, at, block);
}

static uint64_t start_of(uint32_t first, uint32_t number)
{
	return number == 1 ? first : (first ? first : 64) + (number - (first ? 1 : 2)) * (uint64_t)LENGTH;
}

/* first: where the first session begins. The head is as the newest says. */
static void lay_session(int fd, uint32_t first, uint32_t number, bool records)
{
	uint64_t start = start_of(first, number);
	struct lineage lineage = { .number = number, .start = start };
	uint8_t block[SECTOR];

	make_volume(block, start, start ? LENGTH : 60, number);
	lineage.count = number - 1 < LINEAGE_BEFORE ? number - 1 : LINEAGE_BEFORE;
	for (uint32_t i = 0; i < lineage.count; i++)
		lineage.before[i] = start_of(first, number - 1 - i);
	lineage.copy = first ? 0 : start + 1;
	lineage.copied = first ? 0 : 14;
	if (records && start)
		assert_int_equal(lineage_put(&lineage, block + LINEAGE_OFFSET), 0);
	put_block(fd, start + 16, block);
	put_root(fd, start, start + ROOT);
	if (!start)
		return;
	put_both(block + 80, start + LENGTH);
	put_block(fd, 16, block);
	make_volume(block, 0, 60, 1);
	if (!first) {
		put_block(fd, start + 1, block);
		put_root(fd, 0, start + 1 + ROOT - 16);
	}
}

enum harm { NO_HARM, DESCRIPTOR, ROOT_TOO, HEAD_LOST, CUT_IN, CUT_BEFORE };

struct disc_case {
	const char *name;
	uint32_t first, count;
	bool records;
	enum harm harm;
	uint32_t harmed, wanted;
	bool damaged;
	/* expected */
	int result;
	uint32_t found, broken; /* broken: number, 0 = none */
	uint32_t state;
};

static const struct disc_case cases[] = {
	{ "a chain", 32, 5, false, NO_HARM, 0, 0, false, 0, 5, 0, DISC_APPENDABLE },
	{ "records", 32, 5, true, NO_HARM, 0, 0, false, 0, 5, 0, DISC_APPENDABLE },
	{ "more than a record holds", 32, 300, true, NO_HARM, 0, 0, false, 0, 300, 0, DISC_APPENDABLE },
	{ "one only", 32, 1, true, NO_HARM, 0, 0, false, 0, 1, 0, DISC_APPENDABLE },
	{ "from 0", 0, 4, true, NO_HARM, 0, 0, false, 0, 4, 0, DISC_APPENDABLE },
	{ "from 0, the first asked for", 0, 4, true, NO_HARM, 0, 1, false, 0, 4, 0, DISC_CLOSED },
	{ "from 0 without records: the newest only", 0, 4, false, NO_HARM, 0, 0, false, 0, 1, 0,
	  DISC_APPENDABLE },
	{ "the newest asked for", 32, 3, true, NO_HARM, 0, 3, false, 0, 3, 0, DISC_CLOSED },
	{ "none of that number", 32, 3, true, NO_HARM, 0, 4, false, ENOENT, 0, 0, 0 },
	{ "the first is destroyed", 32, 5, true, ROOT_TOO, 1, 2, false, 0, 5, 1, DISC_CLOSED },
	{ "one between is destroyed", 32, 5, true, DESCRIPTOR, 3, 0, false, 0, 5, 3, DISC_APPENDABLE },
	{ "one between, without records", 32, 5, false, DESCRIPTOR, 3, 0, false, 0, 5, 3, DISC_APPENDABLE },
	{ "one between, from 0", 0, 5, true, ROOT_TOO, 3, 1, false, 0, 5, 3, DISC_CLOSED },
	{ "the newest is destroyed", 32, 5, true, ROOT_TOO, 5, 4, false, 0, 5, 5, DISC_CLOSED },
	{ "the newest, without records", 32, 5, false, ROOT_TOO, 5, 1, false, 0, 5, 5, DISC_CLOSED },
	{ "the newest one's descriptor: the head has it", 32, 5, false, DESCRIPTOR, 5, 0, false, 0, 5, 0,
	  DISC_APPENDABLE },
	{ "the head is lost", 32, 5, true, HEAD_LOST, 0, 0, false, EIO, 0, 0, 0 },
	{ "the head is lost, one asked for", 32, 5, false, HEAD_LOST, 0, 2, false, 0, 5, 0, DISC_CLOSED },
	{ "the head is lost, from 0", 0, 5, true, HEAD_LOST, 0, 1, false, 0, 5, 0, DISC_CLOSED },
	{ "the head is lost, what is left", 32, 5, true, HEAD_LOST, 0, 0, true, 0, 5, 0, DISC_CLOSED },
	{ "cut off in the newest", 32, 9, true, CUT_IN, 9, 0, false, EIO, 0, 0, 0 },
	{ "cut off, an older one asked for", 32, 9, true, CUT_IN, 6, 5, false, 0, 9, 0, DISC_CLOSED },
	{ "cut off, without records", 32, 9, false, CUT_BEFORE, 6, 5, false, EIO, 0, 0, 0 },
	{ "cut off, a lost one asked for", 32, 9, true, CUT_BEFORE, 6, 6, false, EIO, 0, 0, 0 },
	{ "cut off, what is left", 32, 9, true, CUT_BEFORE, 6, 0, true, 0, 9, 9, DISC_CLOSED },
};

static uint64_t harm(int fd, const struct disc_case *at)
{
	uint64_t start = start_of(at->first, at->harmed), end = start_of(at->first, at->count + 1);
	uint8_t nothing[SECTOR] = { 0 };

	if (at->harm == DESCRIPTOR || at->harm == ROOT_TOO)
		put_block(fd, start + 16, nothing);
	if (at->harm == ROOT_TOO)
		put_block(fd, start + ROOT, nothing);
	for (uint64_t lba = 0; at->harm == HEAD_LOST && lba < 20; lba++)
		put_block(fd, lba, nothing);
	return at->harm == CUT_IN ? start + 40 : at->harm == CUT_BEFORE ? start - 20 : end;
}

static void check(const struct disc_case *at, const struct disc_report *report)
{
	const struct verb_session *items = report->sessions.items;

	if (report->disc.state != at->state || report->sessions.count != at->found)
		fail_msg("%s: state %u, %zu sessions", at->name, report->disc.state, report->sessions.count);
	for (uint32_t i = 0; i < at->found; i++) {
		uint32_t number = at->found < at->count ? at->count : i + 1;

		if (items[i].number != i + 1 || items[i].start != start_of(at->first, number))
			fail_msg("%s: session %u begins at %u", at->name, items[i].number,
				 (unsigned)items[i].start);
		if (items[i].broken != (at->broken && number == at->broken) && at->harm < CUT_IN)
			fail_msg("%s: session %u is broken: %d", at->name, number, items[i].broken);
		if (items[i].label[0] && (uint32_t)atoi(items[i].label + 8) != number)
			fail_msg("%s: session %u is called %s", at->name, number, items[i].label);
	}
	if (at->wanted && report->disc.base != start_of(at->first, at->wanted))
		fail_msg("%s: the base is at %u", at->name, (unsigned)report->disc.base);
}

static void try_case(const struct disc_case *at)
{
	CLEANUP(disc_report_clear) struct disc_report report = { 0 };
	const struct verb_job job = { .wanted = at->wanted, .damaged = at->damaged };
	AUTO_CLOSE int fd = memfd_create("disc", 0);
	struct reason why = { 0 };
	struct source source;
	int got;

	for (uint32_t number = 1; number <= at->count; number++)
		lay_session(fd, at->first, number, at->records);
	assert_int_equal(ftruncate(fd, (off_t)(harm(fd, at) * SECTOR)), 0);
	assert_int_equal(source_open(&source, fd, 0, &why), 0);
	got = sessions_probe(&source, &job, &report, &why);
	if (got != -at->result)
		fail_msg("%s: %d (%s)", at->name, got, why.text);
	if (got < 0)
		assert_true(why.text[0]);
	else
		check(at, &report);
}

static void test_found(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		try_case(&cases[i]);
}

/* What is made for the next one is what the disc tells now. */
static void test_made(void **state)
{
	AUTO_FREE struct lineage_load *load = calloc(1, sizeof *load);
	AUTO_CLOSE int fd = memfd_create("disc", 0);
	uint8_t block[SECTOR] = { 0 };
	struct reason why = { 0 };
	struct lineage found;
	struct source source;

	for (uint32_t number = 1; number <= 3; number++)
		lay_session(fd, 0, number, true);
	assert_int_equal(ftruncate(fd, (off_t)(start_of(0, 4) * SECTOR)), 0);
	assert_int_equal(source_open(&source, fd, 0, &why), 0);
	for (uint32_t bridge = 0; bridge < 2; bridge++) {
		assert_int_equal(lineage_make(&source, false, start_of(0, 4), bridge, load, &why), 0);
		memcpy(block + LINEAGE_OFFSET, load->record, LINEAGE_BYTES);
		assert_true(lineage_get(block, &found));
		assert_int_equal(found.number, 4);
		assert_int_equal(found.copy, start_of(0, 4) + (bridge ? LINEAGE_FRONT_AT : LINEAGE_AREA_AT));
		assert_int_equal(found.copied, bridge ? LINEAGE_COPY_MOST : LINEAGE_AREA_COUNT);
		assert_int_equal(found.copied, load->copied);
		assert_string_equal((char *)load->copy + 40, "SESSION 1");
		assert_int_equal(found.count, 3);
		for (uint32_t i = 0; i < 3; i++)
			assert_int_equal(found.before[i], start_of(0, 3 - i));
	}
	assert_int_equal(lineage_make(&source, true, 32, false, load, &why), 0);
	memcpy(block + LINEAGE_OFFSET, load->record, LINEAGE_BYTES);
	assert_true(lineage_get(block, &found) && !load->copied && !found.copy);
	assert_int_equal(found.number, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
