/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages about drives: what goes in comes out, and nothing malformed does. */
#include "unit.h"

#include "wire/drive_verbs.h"

#include <string.h>

/* Each verb: how a good message is built, how it's read, and a reader that compares. */
struct verb_case {
	const char *name;
	void (*build)(struct msg *msg);
	bool (*read)(struct msg *msg);
	void (*compare)(struct msg *msg);
};

static const struct verb_drive some_drive = {
	.vendor = "HL-DT-ST",
	.product = "BD-RE BH16NS55  ",
	.revision = "1.02",
	.serial = "KLAJ1234567890ABCDEF1234567890AB",
	.profile = 0x41,
	.status = DRIVE_APPENDABLE,
	.overwriteable = false,
	.formatted = true,
	.damaged = true,
	.single = false,
	.simulates = true,
	.capacity = 12219392,
	.free = 12000000,
	.nwa = 219392,
	.damaged_start = 200000,
	.tracks = 3,
	.speeds = 2,
	.head = HEAD_VOLUME,
	.volume_sectors = 4321,
	.label = "32_CHARACTERS_ARE_THE_MOST_THERE",
};

static void build_drive(struct msg *msg)
{
	put_drive(msg, &some_drive);
}

static bool read_drive(struct msg *msg)
{
	struct verb_drive drive;

	return get_drive(msg, &drive);
}

static void compare_drive(struct msg *msg)
{
	struct verb_drive drive;

	assert_true(get_drive(msg, &drive));
	assert_string_equal(drive.vendor, some_drive.vendor);
	assert_string_equal(drive.product, some_drive.product);
	assert_string_equal(drive.revision, some_drive.revision);
	assert_string_equal(drive.serial, some_drive.serial);
	assert_int_equal(drive.profile, 0x41);
	assert_int_equal(drive.status, DRIVE_APPENDABLE);
	assert_false(drive.overwriteable);
	assert_true(drive.formatted);
	assert_true(drive.damaged);
	assert_false(drive.single);
	assert_true(drive.simulates);
	assert_int_equal(drive.capacity, 12219392);
	assert_int_equal(drive.free, 12000000);
	assert_int_equal(drive.nwa, 219392);
	assert_int_equal(drive.damaged_start, 200000);
	assert_int_equal(drive.tracks, 3);
	assert_int_equal(drive.speeds, 2);
	assert_int_equal(drive.head, HEAD_VOLUME);
	assert_int_equal(drive.volume_sectors, 4321);
	assert_string_equal(drive.label, some_drive.label);
}

static void build_track(struct msg *msg)
{
	const struct verb_track track = {
		.number = 300, .session = 299, .start = 4000000000, .sectors = 16, .data = true
	};

	put_track(msg, &track);
}

static bool read_track(struct msg *msg)
{
	struct verb_track track;

	return get_track(msg, &track);
}

static void compare_track(struct msg *msg)
{
	struct verb_track track;

	assert_true(get_track(msg, &track));
	assert_int_equal(track.number, 300);
	assert_int_equal(track.session, 299);
	assert_int_equal(track.start, 4000000000);
	assert_int_equal(track.sectors, 16);
	assert_true(track.data);
}

static void build_speed(struct msg *msg)
{
	const struct verb_speed speed = { .kbps = 53946, .write = true };

	put_speed(msg, &speed);
}

static bool read_speed(struct msg *msg)
{
	struct verb_speed speed;

	return get_speed(msg, &speed);
}

static void compare_speed(struct msg *msg)
{
	struct verb_speed speed;

	assert_true(get_speed(msg, &speed));
	assert_int_equal(speed.kbps, 53946);
	assert_true(speed.write);
}

static void build_task(struct msg *msg)
{
	const struct verb_task task = {
		.op = DRIVE_FORMAT, .full = true, .spare = SPARE_UNWANTED, .look = true
	};

	put_task(msg, &task);
}

static bool read_task(struct msg *msg)
{
	struct verb_task task;

	return get_task(msg, &task);
}

static void compare_task(struct msg *msg)
{
	struct verb_task task;

	assert_true(get_task(msg, &task));
	assert_int_equal(task.op, DRIVE_FORMAT);
	assert_true(task.full);
	assert_int_equal(task.spare, SPARE_UNWANTED);
	assert_true(task.look);
}

#define VERB_CASE(name)                                                                                      \
	{                                                                                                    \
#name, build_##name, read_##name, compare_##name                                             \
	}

static const struct verb_case cases[] = {
	VERB_CASE(drive),
	VERB_CASE(track),
	VERB_CASE(speed),
	VERB_CASE(task),
};

#define CASES (sizeof cases / sizeof *cases)

static void test_round_trip(void **state)
{
	for (size_t i = 0; i < CASES; i++) {
		CLEANUP(msg_clear) struct msg msg = { 0 };

		cases[i].build(&msg);
		assert_false(msg.bad);
		cases[i].compare(&msg);
	}
}

/* Reads a copy of exactly that length, so that the address sanitizer sees a read beyond it. */
static bool reads_cut(const struct verb_case *at, const struct msg *whole, size_t length)
{
	AUTO_FREE uint8_t *bytes = malloc(length ? length : 1);
	struct msg cut = { .verb = whole->verb, .data = bytes, .length = length };

	memcpy(bytes, whole->data, length);
	return at->read(&cut);
}

static void test_truncated(void **state)
{
	for (size_t i = 0; i < CASES; i++) {
		CLEANUP(msg_clear) struct msg msg = { 0 };

		cases[i].build(&msg);
		for (size_t length = 0; length < msg.length; length++)
			assert_false(reads_cut(&cases[i], &msg, length));
		assert_true(reads_cut(&cases[i], &msg, msg.length));
	}
}

static void test_over_long(void **state)
{
	for (size_t i = 0; i < CASES; i++) {
		CLEANUP(msg_clear) struct msg msg = { 0 };

		cases[i].build(&msg);
		msg_put_u8(&msg, 0);
		assert_false(cases[i].read(&msg));
	}
}

static void test_wrong_verb(void **state)
{
	for (size_t i = 0; i < CASES; i++) {
		CLEANUP(msg_clear) struct msg msg = { 0 };
		uint32_t right;

		cases[i].build(&msg);
		right = msg.verb;
		for (uint32_t verb = 0; verb <= VERB_TASK + 1; verb++) {
			struct msg again = { .verb = verb, .data = msg.data, .length = msg.length };

			assert_int_equal(cases[i].read(&again), verb == right);
		}
	}
}

/* Whatever single byte is damaged: no crash, and no read beyond the end. */
static void test_damaged(void **state)
{
	uint64_t generator = 43;

	for (size_t i = 0; i < CASES; i++)
		for (int round = 0; round < 3000; round++) {
			CLEANUP(msg_clear) struct msg msg = { 0 };

			cases[i].build(&msg);
			msg.data[random_below(&generator, msg.length)] = (uint8_t)random_next(&generator);
			cases[i].read(&msg);
		}
}

static bool drive_is_read(const struct verb_drive *drive)
{
	CLEANUP(msg_clear) struct msg msg = { 0 };

	put_drive(&msg, drive);
	return read_drive(&msg);
}

static void test_drive_limits(void **state)
{
	struct verb_drive drive = some_drive;

	assert_true(drive_is_read(&drive));
	drive.status = 0;
	assert_false(drive_is_read(&drive));
	drive.status = DRIVE_UNUSABLE + 1;
	assert_false(drive_is_read(&drive));
	drive = some_drive;
	drive.profile = 0xFFFF;
	assert_true(drive_is_read(&drive));
	drive.profile = 0x10000;
	assert_false(drive_is_read(&drive));
	drive = some_drive;
	drive.tracks = TRACKS_LIMIT;
	drive.speeds = SPEEDS_LIMIT;
	assert_true(drive_is_read(&drive));
	drive.tracks = TRACKS_LIMIT + 1;
	assert_false(drive_is_read(&drive));
	drive = some_drive;
	drive.speeds = SPEEDS_LIMIT + 1;
	assert_false(drive_is_read(&drive));
	drive = some_drive;
	drive.head = HEAD_UNREADABLE + 1;
	assert_false(drive_is_read(&drive));
}

static bool vendor_is_read(const char *vendor)
{
	CLEANUP(msg_clear) struct msg msg = { 0 };

	msg_start(&msg, VERB_DRIVE);
	msg_put_string(&msg, vendor);
	for (int i = 0; i < 3; i++)
		msg_put_string(&msg, "");
	for (int i = 0; i < 2; i++)
		msg_put_u32(&msg, 1);
	for (int i = 0; i < 5; i++)
		msg_put_u8(&msg, 0);
	for (int i = 0; i < 4; i++)
		msg_put_u64(&msg, 0);
	for (int i = 0; i < 4; i++)
		msg_put_u32(&msg, 0);
	msg_put_string(&msg, "");
	return read_drive(&msg);
}

static void test_text_too_long(void **state)
{
	assert_true(vendor_is_read("EIGHTCHR"));
	assert_false(vendor_is_read("NINECHARS"));
}

static bool task_is_read(uint32_t op, uint32_t spare)
{
	const struct verb_task task = { .op = op, .spare = spare };
	CLEANUP(msg_clear) struct msg msg = { 0 };

	put_task(&msg, &task);
	return read_task(&msg);
}

static void test_task_limits(void **state)
{
	assert_true(task_is_read(DRIVE_INQUIRE, SPARE_USUAL));
	assert_true(task_is_read(DRIVE_LOAD, SPARE_UNWANTED));
	assert_false(task_is_read(0, SPARE_USUAL));
	assert_false(task_is_read(DRIVE_LOAD + 1, SPARE_USUAL));
	assert_false(task_is_read(DRIVE_FORMAT, SPARE_UNWANTED + 1));
}

/* Yes and no are 1 and 0, nothing else. */
static void test_flags(void **state)
{
	CLEANUP(msg_clear) struct msg msg = { 0 };

	build_speed(&msg);
	msg.data[msg.length - 1] = 2;
	assert_false(read_speed(&msg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_over_long),     cmocka_unit_test(test_wrong_verb),
		cmocka_unit_test(test_damaged),	      cmocka_unit_test(test_drive_limits),
		cmocka_unit_test(test_text_too_long), cmocka_unit_test(test_task_limits),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
