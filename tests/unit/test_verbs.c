/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "wire/verbs.h"

#include <errno.h>
#include <string.h>

/* Each verb: how a good message is built, and a reader that also compares what it read. */
struct verb_case {
	const char *name;
	void (*build)(struct msg *msg);
	bool (*read)(struct msg *msg);
	void (*compare)(struct msg *msg);
};

static uint8_t some_bytes[HEAD_BYTES];

static void build_job(struct msg *msg)
{
	const struct verb_job job = { .path = "/dev/sr0",
				      .session = 32,
				      .nwa = 4096,
				      .recorded = 4090,
				      .limit = 359847,
				      .has_base = true,
				      .label = "HOLIDAYS",
				      .format = FORMAT_JOLIET,
				      .own = true };

	put_job(msg, &job);
}

static bool read_job(struct msg *msg)
{
	struct verb_job job;

	return get_job(msg, &job);
}

static void compare_job(struct msg *msg)
{
	struct verb_job job;

	assert_true(get_job(msg, &job));
	assert_string_equal(job.path, "/dev/sr0");
	assert_int_equal(job.session, 32);
	assert_int_equal(job.nwa, 4096);
	assert_int_equal(job.recorded, 4090);
	assert_int_equal(job.limit, 359847);
	assert_true(job.has_base);
	assert_string_equal(job.label, "HOLIDAYS");
	assert_int_equal(job.format, FORMAT_JOLIET);
	assert_true(job.own);
}

static void build_failed(struct msg *msg)
{
	const struct reason why = { .err = ENOSPC, .text = "It doesn't fit" };

	put_failed(msg, &why);
}

static bool read_failed(struct msg *msg)
{
	struct verb_failed failed;

	return get_failed(msg, &failed);
}

static void compare_failed(struct msg *msg)
{
	struct verb_failed failed;

	assert_true(get_failed(msg, &failed));
	assert_int_equal(failed.err, ENOSPC);
	assert_string_equal(failed.text, "It doesn't fit");
}

static void build_warning(struct msg *msg)
{
	put_warning(msg, "odd, but readable");
}

static bool read_warning(struct msg *msg)
{
	char text[480];

	return get_warning(msg, text, sizeof text);
}

static void compare_warning(struct msg *msg)
{
	char text[480];

	assert_true(get_warning(msg, text, sizeof text));
	assert_string_equal(text, "odd, but readable");
}

static void build_session(struct msg *msg)
{
	const struct verb_session session = { .number = 3,
					      .start = 1000,
					      .sectors = 500,
					      .time = -5,
					      .label = "BACKUP",
					      .copy = 77,
					      .copied = 14,
					      .broken = true };

	put_session(msg, &session);
}

static bool read_session(struct msg *msg)
{
	struct verb_session session;

	return get_session(msg, &session);
}

static void compare_session(struct msg *msg)
{
	struct verb_session session;

	assert_true(get_session(msg, &session));
	assert_int_equal(session.number, 3);
	assert_int_equal(session.start, 1000);
	assert_int_equal(session.sectors, 500);
	assert_int_equal(session.time, -5);
	assert_string_equal(session.label, "BACKUP");
	assert_int_equal(session.copy, 77);
	assert_int_equal(session.copied, 14);
	assert_true(session.broken);
}

static void build_disc(struct msg *msg)
{
	const struct verb_disc disc = { .state = DISC_CLOSED,
					.profile = "bd-dl",
					.capacity = 24438784,
					.recorded = 700,
					.nwa = 704,
					.base = 32,
					.bridge = true,
					.sessions = 2,
					.fingerprint = { 1, 2, 3 },
					.print = { 6, 7 },
					.closed_why = "The disc is finalized" };

	put_disc(msg, &disc);
}

static bool read_disc(struct msg *msg)
{
	struct verb_disc disc;

	return get_disc(msg, &disc);
}

static void compare_disc(struct msg *msg)
{
	struct verb_disc disc;

	assert_true(get_disc(msg, &disc));
	assert_int_equal(disc.state, DISC_CLOSED);
	assert_string_equal(disc.profile, "bd-dl");
	assert_int_equal(disc.capacity, 24438784);
	assert_int_equal(disc.recorded, 700);
	assert_int_equal(disc.nwa, 704);
	assert_int_equal(disc.base, 32);
	assert_true(disc.bridge);
	assert_int_equal(disc.sessions, 2);
	assert_memory_equal(disc.fingerprint, "\1\2\3", 4);
	assert_memory_equal(disc.print, "\6\7", 3);
	assert_string_equal(disc.closed_why, "The disc is finalized");
}

static const struct node_attr some_attr = { .ino = 9,
					    .mode = S_IFREG | 0644,
					    .uid = 1000,
					    .gid = 100,
					    .nlink = 2,
					    .size = 5000000000,
					    .rdev = 7,
					    .atime_ns = -1,
					    .mtime_ns = 1700000000000000001,
					    .ctime_ns = INT64_MAX };

static void build_node(struct msg *msg)
{
	const struct verb_node node = { .parent = 4,
					.name = "caf\xE9.txt",
					.name_length = 8,
					.attr = some_attr,
					.target = (const uint8_t *)"../there",
					.target_length = 8,
					.md5 = (const uint8_t *)"0123456789abcdef",
					.zf = (const uint8_t *)"pz\0\1",
					.zf_length = 4,
					.again = 1,
					.node_kept = 1,
					.was = "over/here",
					.was_length = 9 };

	put_node(msg, &node);
}

static bool read_node(struct msg *msg)
{
	struct verb_node node;

	return get_node(msg, &node);
}

static void compare_node(struct msg *msg)
{
	struct verb_node node;

	assert_true(get_node(msg, &node));
	assert_int_equal(node.parent, 4);
	assert_int_equal(node.name_length, 8);
	assert_memory_equal(node.name, "caf\xE9.txt", 8);
	assert_memory_equal(&node.attr, &some_attr, sizeof some_attr);
	assert_int_equal(node.target_length, 8);
	assert_memory_equal(node.target, "../there", 8);
	assert_memory_equal(node.md5, "0123456789abcdef", 16);
	assert_int_equal(node.zf_length, 4);
	assert_memory_equal(node.zf, "pz\0\1", 4);
	assert_false(node.name_kept);
	assert_true(node.node_kept);
	assert_int_equal(node.was_length, 9);
	assert_memory_equal(node.was, "over/here", 9);
	assert_int_equal(node.again, 1);
}

static void build_xattr(struct msg *msg)
{
	const struct verb_xattr xattr = {
		.name = "user.tag", .name_length = 8, .value = (const uint8_t *)"red", .value_length = 3
	};

	put_xattr(msg, &xattr);
}

static bool read_xattr(struct msg *msg)
{
	struct verb_xattr xattr;

	return get_xattr(msg, &xattr);
}

static void compare_xattr(struct msg *msg)
{
	struct verb_xattr xattr;

	assert_true(get_xattr(msg, &xattr));
	assert_int_equal(xattr.name_length, 8);
	assert_memory_equal(xattr.name, "user.tag", 8);
	assert_int_equal(xattr.value_length, 3);
	assert_memory_equal(xattr.value, "red", 3);
}

static void build_boot(struct msg *msg)
{
	const struct verb_boot boot = { .entry = { .platform = BOOT_EFI,
						   .media = 0,
						   .bootable = true,
						   .load_segment = 0x7c0,
						   .load_size = BOOT_LOAD_MOST,
						   .lba = 4711,
						   .id = "maker",
						   .criteria = { 3, 4 } },
					.ino = 12,
					.table = true };

	put_boot(msg, &boot);
}

static bool read_boot(struct msg *msg)
{
	struct verb_boot boot;

	return get_boot(msg, &boot);
}

static void compare_boot(struct msg *msg)
{
	struct verb_boot boot;

	assert_true(get_boot(msg, &boot));
	assert_int_equal(boot.entry.platform, BOOT_EFI);
	assert_int_equal(boot.entry.media, 0);
	assert_true(boot.entry.bootable);
	assert_int_equal(boot.entry.load_segment, 0x7c0);
	assert_int_equal(boot.entry.load_size, BOOT_LOAD_MOST);
	assert_int_equal(boot.entry.lba, 4711);
	assert_string_equal((char *)boot.entry.id, "maker");
	assert_int_equal(boot.entry.criteria[1], 4);
	assert_int_equal(boot.ino, 12);
	assert_true(boot.table);
}

static void build_extent(struct msg *msg)
{
	const struct extent extent = {
		.offset = 1, .length = 1ull << 40, .origin = 4096, .kind = EXTENT_SPOOL
	};

	put_extent(msg, &extent);
}

static bool read_extent(struct msg *msg)
{
	struct extent extent;

	return get_extent(msg, &extent);
}

static void compare_extent(struct msg *msg)
{
	struct extent extent;

	assert_true(get_extent(msg, &extent));
	assert_int_equal(extent.offset, 1);
	assert_int_equal(extent.length, 1ull << 40);
	assert_int_equal(extent.origin, 4096);
	assert_int_equal(extent.kind, EXTENT_SPOOL);
}

static void build_imported(struct msg *msg)
{
	const struct verb_imported imported = {
		.nodes = 100000, .format = FORMAT_ROCK_RIDGE, .warnings = 2, .label = "DISC"
	};

	put_imported(msg, &imported);
}

static bool read_imported(struct msg *msg)
{
	struct verb_imported imported;

	return get_imported(msg, &imported);
}

static void compare_imported(struct msg *msg)
{
	struct verb_imported imported;

	assert_true(get_imported(msg, &imported));
	assert_int_equal(imported.nodes, 100000);
	assert_int_equal(imported.format, FORMAT_ROCK_RIDGE);
	assert_int_equal(imported.warnings, 2);
	assert_string_equal(imported.label, "DISC");
}

static void build_planned(struct msg *msg)
{
	const struct verb_planned planned = { .start = 32,
					      .sectors = 640,
					      .new_data = 99,
					      .fingerprint = { 4, 5 },
					      .print = { 8 },
					      .head = some_bytes,
					      .head_length = HEAD_BYTES,
					      .no_udf = "because",
					      .no_udf_length = 7 };

	put_planned(msg, &planned);
}

static bool read_planned(struct msg *msg)
{
	struct verb_planned planned;

	return get_planned(msg, &planned);
}

static void compare_planned(struct msg *msg)
{
	struct verb_planned planned;

	assert_true(get_planned(msg, &planned));
	assert_int_equal(planned.start, 32);
	assert_int_equal(planned.sectors, 640);
	assert_int_equal(planned.new_data, 99);
	assert_memory_equal(planned.fingerprint, "\4\5", 3);
	assert_memory_equal(planned.print, "\10", 2);
	assert_int_equal(planned.head_length, HEAD_BYTES);
	assert_memory_equal(planned.head, some_bytes, HEAD_BYTES);
	assert_int_equal(planned.no_udf_length, 7);
	assert_memory_equal(planned.no_udf, "because", 7);
}

static void build_progress(struct msg *msg)
{
	const struct verb_progress progress = { .done = 5, .total = 10, .file = "/a/b", .file_length = 4 };

	put_progress(msg, &progress);
}

static bool read_progress(struct msg *msg)
{
	struct verb_progress progress;

	return get_progress(msg, &progress);
}

static void compare_progress(struct msg *msg)
{
	struct verb_progress progress;

	assert_true(get_progress(msg, &progress));
	assert_int_equal(progress.done, 5);
	assert_int_equal(progress.total, 10);
	assert_int_equal(progress.file_length, 4);
	assert_memory_equal(progress.file, "/a/b", 4);
}

static void build_written(struct msg *msg)
{
	const struct verb_written written = { .start = 32, .sectors = 640 };

	put_written(msg, &written);
}

static bool read_written(struct msg *msg)
{
	struct verb_written written;

	return get_written(msg, &written);
}

static void compare_written(struct msg *msg)
{
	struct verb_written written;

	assert_true(get_written(msg, &written));
	assert_int_equal(written.start, 32);
	assert_int_equal(written.sectors, 640);
}

static void build_head(struct msg *msg)
{
	const struct verb_head head = { some_bytes, HEAD_BYTES };

	put_head(msg, &head);
}

static bool read_head(struct msg *msg)
{
	struct verb_head head;

	return get_head(msg, &head);
}

static void compare_head(struct msg *msg)
{
	struct verb_head head;

	assert_true(get_head(msg, &head));
	assert_int_equal(head.length, HEAD_BYTES);
	assert_memory_equal(head.data, some_bytes, HEAD_BYTES);
}

#define VERB_CASE(verb)                                                                                      \
	{                                                                                                    \
#verb, build_##verb, read_##verb, compare_##verb                                             \
	}

static const struct verb_case cases[] = {
	VERB_CASE(job),	    VERB_CASE(failed),	 VERB_CASE(warning), VERB_CASE(session), VERB_CASE(disc),
	VERB_CASE(node),    VERB_CASE(xattr),	 VERB_CASE(boot),    VERB_CASE(extent),	 VERB_CASE(imported),
	VERB_CASE(planned), VERB_CASE(progress), VERB_CASE(written), VERB_CASE(head),
};

#define EACH_CASE(at) (const struct verb_case *at = cases; at < cases + sizeof cases / sizeof *cases; at++)

static void test_round_trip(void **state)
{
	for
		EACH_CASE(at)
		{
			CLEANUP(msg_clear) struct msg msg;

			print_message("%s\n", at->name);
			at->build(&msg);
			assert_false(msg.bad);
			at->compare(&msg);
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
	for
		EACH_CASE(at)
		{
			CLEANUP(msg_clear) struct msg msg;

			at->build(&msg);
			for (size_t length = 0; length < msg.length; length += length < 1000 ? 1 : 997)
				assert_false(reads_cut(at, &msg, length));
			assert_true(reads_cut(at, &msg, msg.length));
		}
}

static void test_over_long(void **state)
{
	for
		EACH_CASE(at)
		{
			CLEANUP(msg_clear) struct msg msg;

			at->build(&msg);
			msg_put_u8(&msg, 0);
			assert_false(at->read(&msg));
		}
}

static void test_wrong_verb(void **state)
{
	for
		EACH_CASE(at)
		{
			CLEANUP(msg_clear) struct msg msg;

			at->build(&msg);
			msg.verb = VERB_HEAD + 1;
			assert_false(at->read(&msg));
		}
}

/* Whatever single byte is damaged: no crash, and what is read stays within the limits. */
static void test_damaged(void **state)
{
	uint64_t generator = 42;

	for
		EACH_CASE(at)
	for (int round = 0; round < 2000; round++) {
		CLEANUP(msg_clear) struct msg msg;

		at->build(&msg);
		msg.data[random_below(&generator, min_u64(msg.length, 200))] =
		    (uint8_t)random_next(&generator);
		at->read(&msg);
	}
}

static void test_choices_refused(void **state)
{
	CLEANUP(msg_clear) struct msg msg;
	const struct verb_disc disc = { .state = 4 };
	const struct verb_job job = { .format = FORMAT_UDF + 1 };
	const struct reason nothing = { 0 };
	const struct extent extent = { .length = 1, .kind = (enum extent_kind)3 };
	const struct extent empty = { .length = 0, .kind = EXTENT_DISC };

	put_disc(&msg, &disc);
	assert_false(read_disc(&msg));
	msg_clear(&msg);
	put_job(&msg, &job);
	assert_false(read_job(&msg));
	msg_clear(&msg);
	put_failed(&msg, &nothing);
	assert_false(read_failed(&msg));
	msg_clear(&msg);
	put_extent(&msg, &extent);
	assert_false(read_extent(&msg));
	msg_clear(&msg);
	put_extent(&msg, &empty);
	assert_false(read_extent(&msg));
}

static void test_optional_fields(void **state)
{
	const struct verb_node node = { .parent = 0, .name = "", .attr = some_attr };
	const struct verb_planned planned = { .start = 5 };
	struct verb_node node_back;
	struct verb_planned planned_back;
	CLEANUP(msg_clear) struct msg msg;

	put_node(&msg, &node);
	assert_true(get_node(&msg, &node_back));
	assert_null(node_back.md5);
	assert_null(node_back.zf);
	assert_int_equal(node_back.target_length, 0);
	msg_clear(&msg);
	put_planned(&msg, &planned);
	assert_true(get_planned(&msg, &planned_back));
	assert_null(planned_back.head);
	msg_clear(&msg);
	put_empty(&msg, VERB_GO);
	assert_int_equal(msg.verb, VERB_GO);
	assert_true(msg_done(&msg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),	cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_over_long),	cmocka_unit_test(test_wrong_verb),
		cmocka_unit_test(test_damaged),		cmocka_unit_test(test_choices_refused),
		cmocka_unit_test(test_optional_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
