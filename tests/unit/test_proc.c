/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workers that crash, hang and lie: this program, executed again, is the worker. */
#include "unit.h"

#include "base/text.h"
#include "model/xattr_set.h"
#include "proc/child.h"
#include "proc/import.h"
#include "proc/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LIMIT	 1000u /* sectors of the medium */
#define MANY	 100000u
#define BEHAVIOR "DISCFS_TEST_WORKER"

/* --- the worker's side --- */

static struct link worker_link;

static void say(struct msg *msg)
{
	if (link_send(&worker_link, msg) < 0)
		_exit(9);
}

static void say_node(uint64_t ino, uint64_t parent, const char *name, uint32_t mode)
{
	struct verb_node node = { .parent = parent, .name = name, .name_length = strlen(name) };
	struct msg msg;

	node.attr = (struct node_attr){ .ino = ino, .mode = mode, .nlink = 1, .size = 5000 };
	if (S_ISLNK(mode)) {
		node.target = (const uint8_t *)"t";
		node.target_length = 1;
	}
	put_node(&msg, &node);
	say(&msg);
}

static void say_link(uint64_t ino, uint64_t parent, const char *name)
{
	struct verb_node node = { .parent = parent, .name = name, .name_length = strlen(name), .again = 1 };
	struct msg msg;

	node.attr.ino = ino;
	put_node(&msg, &node);
	say(&msg);
}

static void say_extent(uint64_t offset, uint64_t length, uint64_t origin)
{
	const struct extent extent = {
		.offset = offset, .length = length, .origin = origin, .kind = EXTENT_DISC
	};
	struct msg msg;

	put_extent(&msg, &extent);
	say(&msg);
}

static void say_xattr(const char *name, size_t length)
{
	struct verb_xattr xattr = { .name = name, .name_length = strlen(name), .value_length = length };
	static const uint8_t value[XATTR_LIMIT];
	struct msg msg;

	xattr.value = value;
	put_xattr(&msg, &xattr);
	say(&msg);
}

static void say_imported(uint64_t nodes)
{
	const struct verb_imported imported = { .nodes = nodes,
						.format = FORMAT_ROCK_RIDGE,
						.label = "TEST" };
	struct msg msg;

	put_imported(&msg, &imported);
	say(&msg);
}

static void say_root(void)
{
	say_node(1, 0, "", S_IFDIR | 0755);
}

static void act_good(void)
{
	struct msg msg;

	say_root();
	put_warning(&msg, "a \033[31mwarning");
	say(&msg);
	say_node(2, 1, "dir", S_IFDIR | 0755);
	say_node(3, 2, "file", S_IFREG | 0644);
	say_xattr("user.x", 3);
	say_extent(0, 2048, 4096);
	say_extent(2048, 4096, 8192);
	say_node(4, 1, "link", S_IFLNK | 0777);
	say_link(3, 1, "again");
	say_node(5, 1, "...", S_IFIFO | 0600);
	say_imported(5);
}

static void act_many(void)
{
	char name[32];

	say_root();
	for (uint64_t ino = 2; ino <= MANY; ino++) {
		snprintf(name, sizeof name, "file-%" PRIu64, ino);
		say_node(ino, 1, name, S_IFREG | 0644);
		say_extent(0, 5000, 2048);
	}
	say_imported(MANY);
}

static void act_no_root(void)
{
	say_node(1, 1, "x", S_IFDIR | 0755);
}

static void act_root_file(void)
{
	say_node(1, 0, "", S_IFREG | 0644);
}

static void act_gap(void)
{
	say_root();
	say_node(3, 1, "x", S_IFREG | 0644);
}

static void act_orphan(void)
{
	say_root();
	say_node(2, 7, "x", S_IFREG | 0644);
}

static void act_file_parent(void)
{
	say_root();
	say_node(2, 1, "x", S_IFREG | 0644);
	say_node(3, 2, "y", S_IFREG | 0644);
}

static void act_own_parent(void)
{
	say_root();
	say_node(2, 2, "x", S_IFDIR | 0755);
}

static void act_dot(void)
{
	say_root();
	say_node(2, 1, ".", S_IFREG | 0644);
}

static void act_dot_dot(void)
{
	say_root();
	say_node(2, 1, "..", S_IFDIR | 0755);
}

static void act_slash(void)
{
	say_root();
	say_node(2, 1, "a/b", S_IFREG | 0644);
}

static void act_no_name(void)
{
	say_root();
	say_node(2, 1, "", S_IFREG | 0644);
}

static void act_bad_type(void)
{
	say_root();
	say_node(2, 1, "x", 0644);
}

static void act_link_to_dir(void)
{
	say_root();
	say_node(2, 1, "x", S_IFDIR | 0755);
	say_link(2, 1, "y");
}

static void act_link_unknown(void)
{
	say_root();
	say_link(2, 1, "y");
}

static void act_beyond_medium(void)
{
	say_root();
	say_node(2, 1, "x", S_IFREG | 0644);
	say_extent(0, 4096, (LIMIT - 1) * 2048);
}

static void act_beyond_file(void)
{
	say_root();
	say_node(2, 1, "x", S_IFREG | 0644);
	say_extent(0, 6145, 2048);
}

static void act_overlap(void)
{
	say_root();
	say_node(2, 1, "x", S_IFREG | 0644);
	say_extent(0, 2048, 2048);
	say_extent(2047, 2048, 2048);
}

static void act_dir_extent(void)
{
	say_root();
	say_extent(0, 2048, 2048);
}

static void act_stray_extent(void)
{
	say_root();
	say_node(2, 1, "x", S_IFREG | 0644);
	say_link(2, 1, "y");
	say_extent(0, 2048, 2048);
}

static void act_xattr_name(void)
{
	say_root();
	say_xattr("nodot", 1);
}

static void act_xattr_twice(void)
{
	say_root();
	say_xattr("user.x", 1);
	say_xattr("user.x", 1);
}

static void act_xattr_total(void)
{
	char name[32];

	say_root();
	for (int i = 0; i < 17; i++) {
		snprintf(name, sizeof name, "user.%d", i);
		say_xattr(name, XATTR_LIMIT);
	}
}

static void act_wrong_count(void)
{
	say_root();
	say_imported(2);
}

static void act_bad_verb(void)
{
	struct msg msg;

	put_empty(&msg, VERB_GO);
	say(&msg);
}

static void act_failed(void)
{
	const struct reason why = { .err = EMEDIUMTYPE, .text = "No file system\nthat is known" };
	struct msg msg;

	put_failed(&msg, &why);
	say(&msg);
}

static void act_crash(void)
{
	say_root();
	link_flush(&worker_link);
	raise(SIGKILL);
}

static void act_exit(void)
{
	_exit(3);
}

static void act_silent(void)
{
	say_root();
}

static void act_crash_late(void)
{
	say_root();
	say_imported(1);
	link_flush(&worker_link);
	_exit(4);
}

static void say_session(uint32_t number, uint64_t start, uint64_t sectors)
{
	const struct verb_session session = {
		.number = number, .start = start, .sectors = sectors, .label = "S"
	};
	struct msg msg;

	put_session(&msg, &session);
	say(&msg);
}

static void say_disc(uint32_t state, uint64_t recorded, uint64_t nwa, uint32_t sessions)
{
	const struct verb_disc disc = {
		.state = state, .profile = "image", .recorded = recorded, .nwa = nwa, .sessions = sessions
	};
	struct msg msg;

	put_disc(&msg, &disc);
	say(&msg);
}

static void act_probe_good(void)
{
	say_session(1, 32, 400);
	say_session(2, 448, 52);
	say_disc(DISC_APPENDABLE, 500, 512, 2);
}

static void act_probe_cut(void)
{
	say_session(1, 0, 5000);
	say_disc(DISC_CLOSED, 5000, 5000, 1);
}

static void act_probe_count(void)
{
	say_session(1, 32, 400);
	say_disc(DISC_APPENDABLE, 500, 512, 2);
}

static void act_probe_order(void)
{
	say_session(2, 32, 400);
}

static void act_probe_beyond(void)
{
	say_session(1, 1ull << 32, 1); /* an image that is cut off may have lost one */
}

static void act_probe_unpadded(void)
{
	say_disc(DISC_APPENDABLE, LIMIT + 150, LIMIT + 150, 0);
}

static void act_probe_too_much(void)
{
	say_disc(DISC_APPENDABLE, LIMIT + 193, LIMIT + 193, 0);
}

static void act_probe_overwrites(void)
{
	say_disc(DISC_APPENDABLE, 500, 499, 0);
}

struct act {
	const char *name;
	void (*run)(void);
	int err; /* what the daemon's side must return */
	const char *says;
};

static const struct act import_acts[] = {
	{ "no-root", act_no_root, EPROTO, "root" },
	{ "root-file", act_root_file, EPROTO, "root" },
	{ "gap", act_gap, EPROTO, "number" },
	{ "orphan", act_orphan, EPROTO, "parent" },
	{ "file-parent", act_file_parent, EPROTO, "parent" },
	{ "own-parent", act_own_parent, EPROTO, "parent" },
	{ "dot", act_dot, EPROTO, "name" },
	{ "dot-dot", act_dot_dot, EPROTO, "name" },
	{ "slash", act_slash, EPROTO, "name" },
	{ "no-name", act_no_name, EPROTO, "name" },
	{ "bad-type", act_bad_type, EPROTO, "type" },
	{ "link-to-dir", act_link_to_dir, EPROTO, "second name" },
	{ "link-unknown", act_link_unknown, EPROTO, "second name" },
	{ "beyond-medium", act_beyond_medium, EPROTO, "medium" },
	{ "beyond-file", act_beyond_file, EPROTO, "file" },
	{ "overlap", act_overlap, EPROTO, "overlap" },
	{ "dir-extent", act_dir_extent, EPROTO, "contents" },
	{ "stray-extent", act_stray_extent, EPROTO, "extent" },
	{ "xattr-name", act_xattr_name, EPROTO, "illegal name" },
	{ "xattr-twice", act_xattr_twice, EPROTO, "twice" },
	{ "xattr-total", act_xattr_total, EPROTO, "too many" },
	{ "wrong-count", act_wrong_count, EPROTO, "count" },
	{ "bad-verb", act_bad_verb, EPROTO, "unexpected" },
	{ "failed", act_failed, EMEDIUMTYPE, "No file system\\012that is known" },
	{ "crash", act_crash, EIO, "import worker was killed by signal 9" },
	{ "exit", act_exit, EIO, "exit status 3" },
	{ "silent", act_silent, EIO, "without an answer" },
	{ "crash-late", act_crash_late, EIO, "exit status 4" },
	{ "good", act_good, 0, "" },
	{ "many", act_many, 0, "" },
};

static const struct act probe_acts[] = {
	{ "probe-good", act_probe_good, 0, "" },
	{ "probe-cut", act_probe_cut, 0, "" },
	{ "probe-count", act_probe_count, EPROTO, "count" },
	{ "probe-order", act_probe_order, EPROTO, "order" },
	{ "probe-beyond", act_probe_beyond, EPROTO, "beyond" },
	{ "probe-unpadded", act_probe_unpadded, 0, "" },
	{ "probe-too-much", act_probe_too_much, EPROTO, "more recorded" },
	{ "probe-overwrites", act_probe_overwrites, EPROTO, "inside" },
	{ "crash", act_crash, EPROTO, "unexpected" },
	{ "exit", act_exit, EIO, "probe worker failed with exit status 3" },
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void worker_act(const struct act *acts, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(acts[i].name, name) == 0) {
			acts[i].run();
			return;
		}
}

static int worker_main(const char *role)
{
	const char *name = getenv(BEHAVIOR);
	struct verb_job job;
	struct msg msg;
	char byte;

	if (link_open(&worker_link, 3) < 0 || link_receive(&worker_link, &msg) != 1 || !get_job(&msg, &job))
		return 8;
	/* The medium came along, and it can be read. */
	if (pread(link_take_fd(&worker_link, 0), &byte, 1, 0) != 1 || strcmp(job.path, "/the/medium") != 0)
		return 7;
	if (strcmp(role, "import") == 0)
		worker_act(import_acts, COUNT(import_acts), name);
	else
		worker_act(probe_acts, COUNT(probe_acts), name);
	link_flush(&worker_link);
	link_close(&worker_link);
	return 0;
}

/* --- the daemon's side --- */

static int medium = -1;

static int open_medium(void **state)
{
	char path[] = "/tmp/discfs-test-XXXXXX";

	medium = mkostemp(path, O_CLOEXEC);
	unlink(path);
	return medium < 0 || ftruncate(medium, LIMIT * 2048) < 0;
}

static int close_medium(void **state)
{
	return close(medium);
}

static int sink_node(void *self, struct node *node, uint64_t parent, const char *name, size_t name_length,
		     struct reason *why)
{
	struct text *seen = self;

	text_add(seen, "%" PRIu64 "<%" PRIu64 " %.*s size %" PRIu64 " extents %zu xattrs %zu\n",
		 node->attr.ino, parent, (int)name_length, name, node->attr.size, node->map.count,
		 node->xattrs.length);
	return 0;
}

static int sink_link(void *self, uint64_t ino, uint64_t parent, const char *name, size_t name_length,
		     struct reason *why)
{
	struct text *seen = self;

	text_add(seen, "%" PRIu64 "<%" PRIu64 " %.*s again\n", ino, parent, (int)name_length, name);
	return 0;
}

static int refuse_node(void *self, struct node *node, uint64_t parent, const char *name, size_t name_length,
		       struct reason *why)
{
	return node->attr.ino == 2 ? -ENOSPC : 0;
}

static int run_import(const char *act, const struct import_sink *sink, void *self, struct reason *why)
{
	struct verb_imported imported;

	setenv(BEHAVIOR, act, 1);
	return import_run(medium, "/the/medium", 0, LIMIT, FORMAT_AUTO, sink, self, &imported, why);
}

static const struct import_sink sink = { .node = sink_node, .link = sink_link, .own = false };

static void test_import(void **state)
{
	AUTO_TEXT struct text seen = { 0 };
	struct reason why = { 0 };

	assert_int_equal(run_import("good", &sink, &seen, &why), 0);
	assert_string_equal(seen.data, "1<0  size 0 extents 0 xattrs 0\n"
				       "2<1 dir size 0 extents 0 xattrs 0\n"
				       "3<2 file size 5000 extents 2 xattrs 14\n"
				       "4<1 link size 1 extents 0 xattrs 0\n"
				       "3<1 again again\n"
				       "5<1 ... size 0 extents 0 xattrs 0\n");
}

static void test_import_refuses(void **state)
{
	for (size_t i = 0; i < COUNT(import_acts); i++) {
		AUTO_TEXT struct text seen = { 0 };
		struct reason why = { 0 };
		const struct act *act = &import_acts[i];

		if (!act->err)
			continue;
		assert_int_equal(run_import(act->name, &sink, &seen, &why), -act->err);
		print_message("%s: %s\n", act->name, why.text);
		assert_non_null(strstr(why.text, act->says));
	}
}

static void test_import_sink_refuses(void **state)
{
	const struct import_sink refusing = { .node = refuse_node, .link = sink_link };
	struct reason why = { 0 };

	assert_int_equal(run_import("many", &refusing, NULL, &why), -ENOSPC);
	assert_int_equal(why.err, ENOSPC);
}

static int count_node(void *self, struct node *node, uint64_t parent, const char *name, size_t name_length,
		      struct reason *why)
{
	++*(uint64_t *)self;
	return 0;
}

static void test_import_many(void **state)
{
	const struct import_sink counting = { .node = count_node, .link = sink_link };
	struct timespec start, end;
	struct reason why = { 0 };
	uint64_t count = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(run_import("many", &counting, &count, &why), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(count, MANY);
	print_message("%u nodes in %.0f ms\n", MANY,
		      (double)(end.tv_sec - start.tv_sec) * 1e3 +
			  (double)(end.tv_nsec - start.tv_nsec) / 1e6);
}

static void test_probe(void **state)
{
	CLEANUP(probe_clear) struct probe probe = { 0 };
	struct reason why = { 0 };

	setenv(BEHAVIOR, "probe-good", 1);
	assert_int_equal(probe_run(medium, "/the/medium", NULL, &probe, &why), 0);
	assert_int_equal(probe.sessions.count, 2);
	assert_int_equal(probe.sessions.items[1].start, 448);
	assert_int_equal(probe.disc.nwa, 512);
	assert_string_equal(probe.disc.profile, "image");
}

static void test_probe_acts(void **state)
{
	for (size_t i = 0; i < COUNT(probe_acts); i++) {
		CLEANUP(probe_clear) struct probe probe = { 0 };
		struct reason why = { 0 };
		const struct act *act = &probe_acts[i];

		setenv(BEHAVIOR, act->name, 1);
		assert_int_equal(probe_run(medium, "/the/medium", NULL, &probe, &why), -act->err);
		print_message("%s: %s\n", act->name, why.text);
		assert_non_null(strstr(why.text, act->says));
	}
}

static void test_child_timeout(void **state)
{
	struct child child = { 0 };
	struct reason why = { 0 };
	struct msg msg;

	assert_int_equal(child_finish(&child, &why), 0);
	assert_int_equal(child_start(&child, "probe", &why), 0);
	child.link.timeout_ms = 50;
	/* It waits for a job, which never comes. */
	assert_int_equal(child_receive(&child, &msg, &why), -ETIMEDOUT);
	child_kill(&child);
	why = (struct reason){ 0 };
	assert_int_equal(child_finish(&child, &why), -EIO);
	assert_string_equal(why.text, "The probe worker was killed by signal 9");
	assert_int_equal(child_finish(&child, &why), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_import_refuses),
		cmocka_unit_test(test_import_sink_refuses),
		cmocka_unit_test(test_import_many),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_probe_acts),
		cmocka_unit_test(test_child_timeout),
	};

	if (argc == 3 && strcmp(argv[1], "--worker") == 0)
		return worker_main(argv[2]);
	return cmocka_run_group_tests(tests, open_medium, close_medium);
}
