/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which session counts on a disc that takes one behind the other: with discs made by hand. */
#include "unit.h"

#include "disc/drive_sessions.h"
#include "disc/udf_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TRACK 400u /* sectors of every track; the next begins 300 behind it */

enum content {
	NOTHING,
	OURS,
	OURS_LONG,
	OURS_UNTAGGED,
	BRIDGE,
	BRIDGE_TORN,
	FOREIGN,
	FOREIGN_LONG,
	FOLLOWER,
	OTHER,
	UNREADABLE
};

struct disc_case {
	const char *name;
	enum content sessions[4]; /* up to the first NOTHING */
	uint32_t wanted, bad;	  /* bad: number of a track, from 1 */
	/* expected */
	int result;
	uint32_t count, base; /* base: number of its track */
	uint32_t state;
};

static const struct disc_case cases[] = {
	{ "two good ones", { OURS, OURS }, 0, 0, 0, 2, 2, DISC_APPENDABLE },
	{ "foreign ones", { FOREIGN, FOREIGN }, 0, 0, 0, 2, 2, DISC_APPENDABLE },
	{ "one that carries our name on", { OURS, FOLLOWER }, 0, 0, 0, 2, 2, DISC_APPENDABLE },
	{ "the newest was cut off", { OURS, OURS_LONG }, 0, 0, 0, 1, 1, DISC_APPENDABLE },
	{ "a foreign one was cut off", { OURS, FOREIGN_LONG }, 0, 0, 0, 1, 1, DISC_APPENDABLE },
	{ "the newest was filled up when it was closed",
	  { OURS, OURS_UNTAGGED },
	  0,
	  0,
	  0,
	  1,
	  1,
	  DISC_APPENDABLE },
	{ "ones with UDF", { BRIDGE, BRIDGE }, 0, 0, 0, 2, 2, DISC_APPENDABLE },
	{ "one with UDF was filled up when it was closed",
	  { BRIDGE, BRIDGE_TORN },
	  0,
	  0,
	  0,
	  1,
	  1,
	  DISC_APPENDABLE },
	{ "known to be bad", { OURS, OURS }, 0, 2, 0, 1, 1, DISC_APPENDABLE },
	{ "good ones around a bad one", { OURS, OURS_LONG, OURS }, 0, 0, 0, 2, 3, DISC_APPENDABLE },
	{ "something else between two good ones", { OURS, OTHER, OURS }, 0, 0, 0, 2, 3, DISC_APPENDABLE },
	{ "only one, and that was cut off", { OURS_LONG }, 0, 0, 0, 0, 0, DISC_BLANK },
	{ "only one, and that is known to be bad", { OURS }, 0, 1, 0, 0, 0, DISC_BLANK },
	{ "only what isn't ISO 9660", { OTHER }, 0, 0, EMEDIUMTYPE, 0, 0, 0 },
	{ "the newest can't be read", { OURS, OURS, UNREADABLE }, 0, 0, EIO, 0, 0, 0 },
	{ "the only one can't be read", { UNREADABLE }, 0, 0, EIO, 0, 0, 0 },
	{ "an older one is wanted then", { OURS, OURS, UNREADABLE }, 2, 0, 0, 3, 2, DISC_CLOSED },
	{ "the unreadable one is wanted", { OURS, OURS, UNREADABLE }, 3, 0, EIO, 0, 0, 0 },
	{ "one is wanted that isn't there", { OURS, OURS }, 3, 0, ENOENT, 0, 0, 0 },
	{ "the unreadable one is known to be bad",
	  { OURS, OURS, UNREADABLE },
	  0,
	  3,
	  0,
	  2,
	  2,
	  DISC_APPENDABLE },
};

static uint32_t start_of(uint32_t number)
{
	return (number - 1) * (TRACK + 300);
}

static void put_both(uint8_t *at, uint32_t value)
{
	put_le32(at, value);
	put_be32(at + 4, value);
}

/* xorriso appends to a session of ours without changing the application. */
static void put_names(uint8_t *block, enum content content)
{
	memset(block + 446, ' ', 256);
	if (content == FOREIGN || content == FOREIGN_LONG)
		return;
	memcpy(block + 446, content == FOLLOWER ? "XORRISO" : "DISCFS ", 7);
	memcpy(block + 574, VOLUME_APPLICATION_HEADLESS, strlen(VOLUME_APPLICATION_HEADLESS));
}

static void put_volume(int fd, uint32_t start, uint32_t end, enum content content)
{
	bool ours = content != FOREIGN && content != FOREIGN_LONG && content != FOLLOWER;
	uint8_t block[SECTOR] = "\1CD001\1";

	put_both(block + 80, ours ? end : end - start);
	block[120] = 1;			   /* volume set size */
	block[128 + 1] = SECTOR >> 8;	   /* block size */
	put_le32(block + 158, start + 20); /* root directory */
	put_names(block, content);
	assert_int_equal(pwrite(fd, block, sizeof block, (off_t)(start + 16) * SECTOR), SECTOR);
	if (content == BRIDGE || content == BRIDGE_TORN)
		assert_int_equal(
		    pwrite(fd, block, sizeof block, (off_t)(volume_behind_front(start) + 16) * SECTOR),
		    SECTOR);
	if (content != BRIDGE)
		return;
	udf_record_anchor(end - 1, start, block);
	assert_int_equal(pwrite(fd, block, sizeof block, (off_t)(end - 1) * SECTOR), SECTOR);
}

static void put_tag(int fd, uint32_t lba)
{
	char text[64];
	int length = snprintf(text, sizeof text, "libisofs_checksum_tag_v1 pos=%u range_start=0 ", lba);

	assert_int_equal(pwrite(fd, text, (size_t)length, (off_t)lba * SECTOR), length);
}

/* The one behind the descriptors, which says that there will be others. */
static void put_first_tag(int fd, uint32_t start)
{
	static const char text[] = "libisofs_sb_checksum_tag_v1 pos=18 range_start=16 range_size=2 ";

	assert_int_equal(pwrite(fd, text, sizeof text, (off_t)(start + 18) * SECTOR), sizeof text);
}

static void put_content(int fd, uint32_t number, enum content content)
{
	uint32_t start = start_of(number);
	bool is_long = content == OURS_LONG || content == FOREIGN_LONG;
	/* Ours don't count the padding. Of others it may be missing. */
	uint32_t end = start + TRACK + (is_long ? content == OURS_LONG ? 1 : 151 : 0);

	if (content == OTHER)
		assert_int_equal(pwrite(fd, "other", 5, (off_t)(start + 16) * SECTOR), 5);
	else if (content != UNREADABLE)
		put_volume(fd, start, end, content);
	if (content == OURS || content == OURS_LONG || content == OURS_UNTAGGED)
		put_first_tag(fd, start);
	if (content == OURS || content == OURS_LONG)
		put_tag(fd, end - 1);
}

static void try_case(const struct disc_case *at)
{
	struct drive_report facts = { .drive = { .profile = 0x1b, .status = DRIVE_APPENDABLE, .nwa = 5000 } };
	struct disc_report report = { 0 };
	struct verb_job job = { .wanted = at->wanted, .bad_count = at->bad ? 1 : 0 };
	struct reason why = { 0 };
	struct source source;
	uint32_t count = 0;
	bool cut = false;
	int got;

	source.fd = memfd_create("disc", 0);
	for (; count < 4 && at->sessions[count] != NOTHING; count++) {
		struct verb_track *track = vec_push(&facts.tracks);
		uint32_t number = count + 1;

		*track = (struct verb_track){ number, number, start_of(number), TRACK, true };
		put_content(source.fd, number, at->sessions[count]);
		cut |= at->sessions[count] == UNREADABLE;
	}
	/* What lies behind the end of the file can't be read. */
	assert_int_equal(ftruncate(source.fd, (off_t)(start_of(cut ? count : count + 1)) * SECTOR), 0);
	source.sectors = start_of(count + 1);
	source.is_drive = false;
	job.bad[0] = at->bad ? start_of(at->bad) : 0;
	got = drive_sessions_probe(&source, &job, &facts, &report, &why);
	if (got != -at->result)
		fail_msg("%s: %d (%s)", at->name, got, why.text);
	if (got < 0)
		assert_true(why.text[0]);
	else if (report.disc.state != at->state || report.disc.sessions != at->count ||
		 report.disc.base != (at->base ? start_of(at->base) : 0))
		fail_msg("%s: state %u, %u sessions, base %u", at->name, report.disc.state,
			 report.disc.sessions, (unsigned)report.disc.base);
	close(source.fd);
	disc_report_clear(&report);
	drive_report_clear(&facts);
}

static void test_choice(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		try_case(&cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_choice) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
