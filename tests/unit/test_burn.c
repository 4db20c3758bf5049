/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Burning sessions onto image files, each in a process of its own, looked at by ourselves and by xorriso. */
#include "burns.h"
#include "model/acl.h"

static void test_burn_sessions(void **state)
{
	struct drive_tree wanted, again;
	static struct drive_burned burned;
	struct probed probed;
	struct extent extent;
	uint8_t patch[] = "changed";
	uint64_t first_big;
	int spool;

	scan_tree("spool", &wanted);
	make_blank("burned");
	burn("burned", "spool", &wanted, &burned);
	assert_int_equal(burned.planned.start, 32);
	assert_image_holds("burned", &wanted);

	/* The second session refers to everything, renames a directory, and changes some bytes of one file.
	 */
	assert_import("burned", 0, &again);
	first_big = change(&again, "big")->map.items[0].origin;
	assert_int_equal(change(&again, "big")->md5.length, MD5_LENGTH);
	spool = open_in_dir("spool", O_RDWR);
	assert_int_equal(pwrite(spool, patch, 7, 100 << 20), 7);
	extent = (struct extent){ 10, 7, 100 << 20, EXTENT_SPOOL };
	extent_map_set(&change(&again, "sector")->map, &extent);
	blob_clear(&change(&again, "sector")->md5);
	close(spool);
	vec_each (&again.names, name)
		if (strcmp(name->name, "dir") == 0)
			strcpy(name->name, "Dir");
	burn("burned", "spool", &again, &burned);
	assert_int_equal(burned.planned.new_data, 2048);
	assert_true(burned.planned.sectors < 300);
	drive_tree_clear(&again);

	assert_import("burned", 0, &again);
	assert_int_equal(change(&again, "big")->map.items[0].origin, first_big);
	assert_int_equal(change(&again, "big")->md5.length, MD5_LENGTH);
	assert_int_equal(change(&again, "big")->attr.ino, change(&again, "Dir/sub/big2")->attr.ino);
	assert_non_null(drive_find(&again, "Dir/hard"));
	read_body(open_in_dir("burned", O_RDONLY), -1, change(&again, "sector"), 10, patch, 7);
	assert_memory_equal(patch, "changed", 7);
	drive_tree_clear(&again);

	assert_int_equal(probe("burned", &probed), 0);
	assert_int_equal(probed.count, 2);
	assert_int_equal(probed.sessions[0].start, 32);
	drive_tree_clear(&wanted);
}

static void test_burn_seen_by_xorriso(void **state)
{
	struct drive_tree tree;
	static struct drive_burned burned;

	NEED("xorriso");
	scan_tree("spool", &tree);
	make_blank("peer");
	burn("peer", "spool", &tree, &burned);
	drive_tree_clear(&tree);
	for (int i = 0; i < 2; i++) {
		assert_import("peer", 0, &tree);
		burn("peer", "spool", &tree, &burned);
		drive_tree_clear(&tree);
	}
	run("xorriso -indev peer -toc 2>&1 | grep -c '^ISO session' | grep -qx 3");
	run("chmod -R u+w out 2>/dev/null; rm -rf out; xorriso -md5 on -indev peer -osirrox on -extract / "
	    "out &&"
	    "diff -r --no-dereference -x null -x null2 -x blk -x pipe tree out");
	run("xorriso -md5 on -indev peer -check_md5_r SORRY / -- 2>&1 | grep -q 'checksums match'");
	run("xorriso -md5 on -indev peer -check_media -- 2>&1 | grep -c md5_match | grep -qx 3");
	run("xorriso -dev peer -map tree/small /appended -commit -end");
	assert_import("peer", 0, &tree);
	assert_non_null(drive_find(&tree, "appended"));
	drive_tree_clear(&tree);
}

static void add_extent(struct drive_tree *tree, uint64_t offset, uint64_t length, uint64_t origin)
{
	struct extent extent = { offset, length, origin, EXTENT_SPOOL };

	extent_map_set(&tree->nodes.items[tree->nodes.count - 1].map, &extent);
}

/* Over 4 GiB, mostly holes, with bytes at its beginning and end; then referred to by a second session. */
static void test_burn_huge(void **state)
{
	const uint64_t size = (4ull << 30) + (300u << 20) + 77;
	struct drive_tree tree = { 0 };
	static struct drive_burned burned;
	uint8_t bytes[8];
	int fd;

	if (!getenv("DISCFS_TEST_LONG"))
		skip();
	fd = open_in_dir("huge-spool", O_RDWR | O_CREAT);
	assert_int_equal(pwrite(fd, "beginendmiddle!!", 16, 0), 16);
	close(fd);
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "huge", S_IFREG | 0644, size);
	add_extent(&tree, 0, 5, 0);
	add_extent(&tree, size - 3, 3, 5);
	add_extent(&tree, (4ull << 30) - 4, 8, 8);
	make_blank("huge");
	burn("huge", "huge-spool", &tree, &burned);
	drive_tree_clear(&tree);
	for (int i = 0; i < 2; i++) {
		assert_import("huge", 0, &tree);
		assert_int_equal(drive_find(&tree, "huge")->attr.size, size);
		fd = open_in_dir("huge", O_RDONLY);
		read_body(fd, -1, drive_find(&tree, "huge"), size - 3, bytes, 3);
		assert_memory_equal(bytes, "end", 3);
		read_body(fd, -1, drive_find(&tree, "huge"), (4ull << 30) - 4, bytes, 8);
		assert_memory_equal(bytes, "middle!!", 8);
		close(fd);
		if (i == 0) {
			burn("huge", "huge-spool", &tree, &burned);
			assert_true(burned.planned.sectors < 100);
		}
		drive_tree_clear(&tree);
	}
	unlink(in_dir("huge"));
}

/* As many and as large as may be staged: the largest value, and many small ones. */
static void fill_attributes(struct blob *set, const uint8_t *value, size_t length)
{
	size_t each = (XATTR_SET_LIMIT - length - 20) / (XATTR_COUNT_LIMIT - 1) - 15;
	char name[32];

	assert_int_equal(xattr_set_put(set, "user.0000", value, length), 0);
	for (unsigned i = 1; i < XATTR_COUNT_LIMIT; i++) {
		snprintf(name, sizeof name, "user.%04u", i);
		assert_int_equal(xattr_set_put(set, name, value, each), 0);
	}
	assert_in_range(set->length, XATTR_SET_LIMIT - 2000, XATTR_SET_LIMIT);
}

/* u::rw-, u:9:r--, u:5:r--, g::r--, m::r--, o::r--: the kernel takes users in any order. */
static const uint8_t unsorted_acl[] = {
	2,    0, 0, 0, 1,    0,	   6,	 0,    0xff, 0xff, 0xff, 0xff, 2,    0,	   4,	 0,    9,    0,
	0,    0, 2, 0, 4,    0,	   5,	 0,    0,    0,	   4,	 0,    4,    0,	   0xff, 0xff, 0xff, 0xff,
	0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 0x20, 0,	   4,	 0,    0xff, 0xff, 0xff, 0xff,
};

static void test_burn_large_attributes(void **state)
{
	static uint8_t value[XATTR_LIMIT];
	static struct drive_burned burned;
	struct drive_tree tree = { 0 };
	struct xattr_view view;
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof value; i++)
		value[i] = (uint8_t)random_next(&seed);
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "file", S_IFREG | 0644, 0);
	xattr_set_put(&change(&tree, "file")->xattrs, "user.large", value, sizeof value);
	xattr_set_put(&change(&tree, "file")->xattrs, "security.capability", value, 20);
	xattr_set_put(&tree.nodes.items[0].xattrs, "user.root", value, 300);
	add_node(&tree, "empty", S_IFREG | 0644, 0);
	xattr_set_put(&change(&tree, "empty")->xattrs, "user.none", "", 0); /* and no other */
	add_node(&tree, "last", S_IFREG | 0644, 0); /* libisofs can't decode a list that ends with none */
	xattr_set_put(&change(&tree, "last")->xattrs, "user.first", "value", 5);
	xattr_set_put(&change(&tree, "last")->xattrs, "user.none", "", 0);
	add_node(&tree, "listed", S_IFREG | 0644, 0);
	xattr_set_put(&change(&tree, "listed")->xattrs, ACL_ACCESS, unsorted_acl, sizeof unsorted_acl);
	add_node(&tree, "full", S_IFREG | 0644, 0);
	fill_attributes(&change(&tree, "full")->xattrs, value, sizeof value);
	make_blank("attrs");
	burn("attrs", "spool", &tree, &burned);
	drive_tree_clear(&tree);
	assert_import("attrs", 0, &tree);
	assert_true(xattr_set_find(&change(&tree, "file")->xattrs, "user.large", &view));
	assert_int_equal(view.value_length, sizeof value);
	assert_memory_equal(view.value, value, sizeof value);
	assert_true(xattr_set_find(&change(&tree, "file")->xattrs, "security.capability", &view));
	assert_true(xattr_set_find(&tree.nodes.items[0].xattrs, "user.root", &view));
	assert_memory_equal(view.value, value, 300);
	assert_int_equal(xattr_set_count(&change(&tree, "empty")->xattrs), 1);
	assert_true(xattr_set_find(&change(&tree, "empty")->xattrs, "user.none", &view));
	assert_int_equal(view.value_length, 0);
	assert_int_equal(xattr_set_count(&change(&tree, "last")->xattrs), 2);
	assert_true(xattr_set_find(&change(&tree, "last")->xattrs, "user.none", &view));
	assert_int_equal(view.value_length, 0);
	assert_true(xattr_set_find(&change(&tree, "listed")->xattrs, ACL_ACCESS, &view));
	assert_int_equal(view.value_length, sizeof unsorted_acl);
	assert_memory_equal(view.value, unsorted_acl, sizeof unsorted_acl);
	assert_int_equal(xattr_set_count(&change(&tree, "full")->xattrs), XATTR_COUNT_LIMIT);
	drive_tree_clear(&tree);
}

/* Compressed files stay as they are, with their marks; the boot catalogue and its image are carried on. */
static void test_burn_carries_on(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree;

	NEED("xorriso");
	run("mkdir -p boot && seq 100000 >boot/seq && head -c 20480 /dev/urandom >boot/img && rm -f carry &&"
	    "xorriso -outdev carry -blank as_needed -map boot / -boot_image any bin_path=/img"
	    " -boot_image any cat_path=/boot.cat -boot_image any load_size=2048"
	    " -set_filter_r --zisofs /seq -- -commit");
	assert_import("carry", 0, &tree);
	assert_int_equal(drive_find(&tree, "seq")->zf.length, 12);
	assert_non_null(drive_find(&tree, "boot.cat"));
	burn("carry", "spool", &tree, &burned);
	drive_tree_clear(&tree);
	assert_import("carry", 0, &tree);
	assert_int_equal(drive_find(&tree, "seq")->zf.length, 12);
	drive_tree_clear(&tree);
	run("xorriso -indev carry -osirrox on -extract /seq seq.out -end && cmp boot/seq seq.out");
	run("xorriso -indev carry -report_el_torito plain 2>&1 | grep -q 'El Torito img path :   1  /img'");
	run("xorriso -indev carry -osirrox on -extract /img img.out -end && cmp boot/img img.out");
}

/* ---- what goes wrong ---- */

static int try_burn(const char *name, struct drive_tree *tree, uint64_t limit, bool go,
		    struct drive_burned *ret, struct reason *why)
{
	struct verb_job job = job_for(name);
	int fd = open_in_dir(name, O_RDONLY), spool = open_in_dir("spool", O_RDWR | O_CREAT);
	struct probed probed;
	int got;

	assert_int_equal(probe(name, &probed), 0);
	job.nwa = probed.disc.nwa;
	job.session = probed.disc.base;
	job.has_base = probed.disc.state != DISC_BLANK;
	job.limit = limit;
	got = drive_burn(fd, spool, &job, tree, go, ret, why);
	close(fd);
	close(spool);
	return got;
}

/* A name for the newest node but `back`. */
static void add_link(struct drive_tree *tree, uint64_t back, const char *name)
{
	struct drive_name *at = vec_push(&tree->names);

	*at = (struct drive_name){ tree->nodes.count - back, 1, strdup(name) };
	tree->nodes.items[at->ino - 1].attr.nlink++;
}

static void add_body(struct drive_tree *tree, const char *name, uint64_t size, uint64_t origin)
{
	add_node(tree, name, S_IFREG | 0644, size);
	add_extent(tree, 0, size, origin);
}

/* Bodies of the same bytes are recorded once, and are as many files as before, with the same hard links; so
 * are files that get the place of an old one. */
static void test_burn_equal_bodies(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree = { 0 }, again;
	uint64_t alone;

	run("head -c 100000 /dev/urandom >spool");
	make_blank("equal");
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_body(&tree, "a", 50000, 0);
	burn("equal", "spool", &tree, &burned);
	alone = burned.planned.sectors;
	make_blank("equal");
	add_body(&tree, "b", 50000, 0);
	add_body(&tree, "c", 50000, 0);
	add_link(&tree, 0, "c2");
	add_node(&tree, "dir", S_IFDIR | 0755, 0);
	for (int i = 0; i < 30; i++) {
		char name[16];

		snprintf(name, sizeof name, "e%d", i);
		add_body(&tree, name, 50000, 0);
	}
	add_body(&tree, "other", 40000, 50000);
	add_body(&tree, "shorter", 30000, 50000);
	add_node(&tree, "hole", S_IFREG | 0644, 30000);
	add_node(&tree, "hole2", S_IFREG | 0644, 30000);
	add_node(&tree, "empty", S_IFREG | 0644, 0);
	add_link(&tree, 0, "empty2");
	add_node(&tree, "empty3", S_IFREG | 0644, 0);
	burn("equal", "spool", &tree, &burned);
	assert_int_equal(burned.planned.new_data, 50000 + 40000 + 2 * 30000);
	assert_true(burned.planned.sectors <= alone + sectors_of(40000) + 2 * sectors_of(30000) + 64);
	assert_image_holds("equal", &tree);
	drive_tree_clear(&tree);

	assert_import("equal", 0, &again);
	assert_true(extent_map_equal(&change(&again, "a")->map, &change(&again, "c2")->map));
	assert_false(extent_map_equal(&change(&again, "other")->map, &change(&again, "shorter")->map));
	assert_int_equal(change(&again, "e7")->md5.length, MD5_LENGTH);
	add_child(&again, 1, "f", S_IFREG | 0644, 50000); /* a new file where an old one is */
	assert_int_equal(
	    extent_map_copy(&change(&again, "a")->map, &again.nodes.items[again.nodes.count - 1].map), 0);
	burn("equal", "spool", &again, &burned);
	assert_int_equal(burned.planned.new_data, 0);
	assert_image_holds("equal", &again);
	drive_tree_clear(&again);
}

static void test_burn_refuses(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree = { 0 };
	struct reason why = { 0 };
	char target[2000];

	make_blank("refuse");
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "link", S_IFLNK | 0777, 300);
	memset(target, 'x', sizeof target);
	blob_set(&tree.nodes.items[1].target, target, 300);
	assert_int_equal(try_burn("refuse", &tree, 0, true, &burned, &why), -ENAMETOOLONG);
	assert_non_null(strstr(why.text, "link"));
	for (size_t i = 0; i < sizeof target; i += 100)
		target[i] = '/';
	blob_set(&tree.nodes.items[1].target, target, 1500);
	assert_int_equal(try_burn("refuse", &tree, 0, true, &burned, &why), -ENAMETOOLONG);
	blob_set(&tree.nodes.items[1].target, target, 1000);
	assert_int_equal(try_burn("refuse", &tree, 50, true, &burned, &why), -ENOSPC);
	assert_non_null(strstr(why.text, "sectors"));
	assert_int_equal(try_burn("refuse", &tree, 0, false, &burned, &why), 0);
	for (int i = 0; i < 20000; i++) /* more than fits the socket, behind a name that isn't one */
		add_node(&tree, i ? "x" : "a/b", S_IFIFO | 0644, 0);
	assert_int_equal(try_burn("refuse", &tree, 0, true, &burned, &why), -EINVAL);
	assert_int_equal(burned.status, 0);
	run("test $(stat -c %%s refuse) = 65536");
	drive_tree_clear(&tree);
}

/* A spool that is shorter than its extents: no zeroes in the place of data, no session, the file as it was.
 */
static void test_burn_short_spool(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree = { 0 };
	struct reason why = { 0 };

	make_blank("short");
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "file", S_IFREG | 0644, 60 << 20);
	add_extent(&tree, 0, 60 << 20, 1ull << 40);
	assert_int_equal(try_burn("short", &tree, 0, true, &burned, &why), -EIO);
	assert_non_null(strstr(why.text, "file: the spool ends"));
	run("test $(stat -c %%s short) = 65536");
	drive_tree_clear(&tree);
}

/* Killed at any point, the old tree is there and a later burn succeeds. */
static void test_burn_killed(void **state)
{
	static const char *const faults[] = { "burn-planned:kill", "burn-start:kill", "burn-middle:kill",
					      "burn-written:kill", "burn-middle:5" };
	static struct drive_burned burned;
	struct drive_tree wanted, tree;
	struct reason why = { 0 };
	struct probed probed;

	scan_tree("spool", &wanted);
	make_blank("killed");
	burn("killed", "spool", &wanted, &burned);
	assert_import("killed", 0, &tree);
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		setenv("DISCFS_FAULT", faults[i], 1);
		assert_true(try_burn("killed", &tree, 0, true, &burned, &why) < 0);
		unsetenv("DISCFS_FAULT");
		assert_int_equal(probe("killed", &probed), 0);
		assert_int_equal(probed.count, 1);
		assert_image_holds("killed", &wanted);
	}
	burn("killed", "spool", &tree, &burned);
	assert_image_holds("killed", &wanted);
	drive_tree_clear(&tree);
	drive_tree_clear(&wanted);
}

/* The daemon hangs up in the middle: the file is as it was. */
static void test_burn_cancelled(void **state)
{
	struct drive_tree tree = { 0 };
	struct verb_planned planned;
	struct verb_job job;
	struct drive drive;
	struct msg msg, go = { 0 };
	int fd;

	make_blank("cancel");
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "zeroes", S_IFREG | 0644, 3ull << 30);
	job = job_for("cancel");
	job.nwa = 32;
	fd = open_in_dir("cancel", O_RDONLY);
	drive_start(&drive, "burn", &job, fd, -1);
	close(fd);
	drive_send_plan(&drive, &tree);
	assert_true(drive_next(&drive, &msg, NULL) && get_planned(&msg, &planned));
	put_empty(&go, VERB_GO);
	drive_send(&drive, &go);
	link_flush(&drive.link);
	assert_true(drive_next(&drive, &msg, NULL));
	assert_int_equal(msg.verb, VERB_PROGRESS);
	assert_int_equal(drive_end(&drive), 0);
	run("test $(stat -c %%s cancel) = 65536");
	drive_tree_clear(&tree);
}

static void test_burn_other_file(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree = { 0 };
	struct reason why = { 0 };
	struct verb_job job;
	int fd;

	make_blank("mine");
	make_blank("theirs");
	add_node(&tree, "", S_IFDIR | 0755, 0);
	job = job_for("theirs");
	job.nwa = 32;
	fd = open_in_dir("mine", O_RDONLY);
	assert_int_equal(drive_burn(fd, -1, &job, &tree, true, &burned, &why), -ESTALE);
	close(fd);
	drive_tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burn_sessions),	  cmocka_unit_test(test_burn_seen_by_xorriso),
		cmocka_unit_test(test_burn_huge),	  cmocka_unit_test(test_burn_large_attributes),
		cmocka_unit_test(test_burn_carries_on),	  cmocka_unit_test(test_burn_refuses),
		cmocka_unit_test(test_burn_short_spool),  cmocka_unit_test(test_burn_killed),
		cmocka_unit_test(test_burn_cancelled),	  cmocka_unit_test(test_burn_other_file),
		cmocka_unit_test(test_burn_equal_bodies),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
