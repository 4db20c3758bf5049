/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "changes.h"

#include <linux/fs.h>

static void open_base(struct store *store)
{
	uint64_t dir, sub, twin;

	store_open(store);
	dir = base_dir(store, ROOT_INO, "dir");
	sub = base_dir(store, dir, "sub");
	base_text(store, dir, "one", "first");
	base_text(store, dir, "two", "second");
	base_text(store, sub, "deep", "down here");
	base_text(store, ROOT_INO, "file", "a file");
	twin = base_text(store, ROOT_INO, "twin", "both");
	base_link(store, twin, dir, "twin2");
	base_end(store);
}

static void test_nothing(void **state)
{
	struct store store;

	open_base(&store);
	assert_changes(&store, "");
	store_put(&store, "new", "x");
	store_unlink(&store, "new");
	assert_changes(&store, "");
	store_rename(&store, "dir", "moved", 0);
	store_rename(&store, "moved", "dir", 0);
	assert_changes(&store, "");
	store_chmod(&store, "file", 0600);
	store_chmod(&store, "file", 0644);
	assert_changes(&store, "");
	store_close(&store);
}

static void test_each_kind(void **state)
{
	struct store store;

	open_base(&store);
	store_mkdir(&store, "made");
	store_put(&store, "made/new", "x");
	store_put(&store, "dir/one", "changed");
	store_unlink(&store, "dir/two");
	store_rename(&store, "file", "made/file", 0);
	assert_changes(&store, "M dir/one\nD dir/two\nA made\nR made/file < file\nA made/new\n");
	store_reopen(&store);
	assert_changes(&store, "M dir/one\nD dir/two\nA made\nR made/file < file\nA made/new\n");
	store_close(&store);
}

static void test_attributes(void **state)
{
	struct store store;

	open_base(&store);
	store_chmod(&store, "", 0700);
	store_chmod(&store, "dir/sub", 0700);
	assert_int_equal(tree_xattr_set(store.tree, store_ino(&store, "file"), "user.x", "1", 1, 0), 0);
	assert_changes(&store, "M .\nM dir/sub\nM file\n");
	store_close(&store);
}

/* The kernel remembers fractions of seconds that no disc holds, and hands them over with the next rename. */
static void test_fraction(void **state)
{
	struct node_attr attr;
	struct store store;
	uint64_t file;

	open_base(&store);
	file = store_ino(&store, "file");
	assert_int_equal(tree_attr(store.tree, file, &attr), 0);
	attr.mtime_ns = node_time_on_disc(attr.mtime_ns) + 123456789;
	assert_int_equal(tree_set_attr(store.tree, file, &attr, TREE_SET_MTIME, &attr), 0);
	assert_changes(&store, "");
	attr.mtime_ns += NS_PER_SEC;
	assert_int_equal(tree_set_attr(store.tree, file, &attr, TREE_SET_MTIME, &attr), 0);
	assert_changes(&store, "M file\n");
	store_close(&store);
}

/* How editors save: a new file takes the old one's name. */
static void test_replaced(void **state)
{
	struct store store;

	open_base(&store);
	store_put(&store, "file~", "better");
	store_rename(&store, "file~", "file", 0);
	assert_changes(&store, "M file\n");
	store_close(&store);
}

static void test_moved_aside(void **state)
{
	struct store store;

	open_base(&store);
	store_rename(&store, "file", "file.bak", 0);
	store_put(&store, "file", "another");
	assert_changes(&store, "A file\nR file.bak < file\n");
	store_rename(&store, "dir/one", "dir/two", RENAME_EXCHANGE);
	assert_changes(&store, "R dir/one < dir/two\nR dir/two < dir/one\nA file\nR file.bak < file\n");
	store_close(&store);
}

/* A renamed directory is one line, whatever it holds; what changed in it is told by its new path. */
static void test_renamed_directory(void **state)
{
	struct store store;

	open_base(&store);
	store_rename(&store, "dir", "moved", 0);
	store_put(&store, "moved/one", "changed");
	store_put(&store, "moved/sub/new", "new");
	store_unlink(&store, "moved/two");
	assert_changes(&store, "D dir/two\nR moved < dir\nM moved/one\nA moved/sub/new\n");
	store_close(&store);
}

static void test_deleted_directory(void **state)
{
	struct store store;

	open_base(&store);
	store_unlink(&store, "dir/sub/deep");
	store_rmdir(&store, "dir/sub");
	store_rename(&store, "dir/one", "one", 0);
	store_unlink(&store, "dir/two");
	store_unlink(&store, "dir/twin2");
	store_rmdir(&store, "dir");
	assert_changes(&store, "D dir\nD dir/sub\nD dir/sub/deep\nD dir/twin2\nD dir/two\nR one < dir/one\n");
	store_close(&store);
}

static void test_links(void **state)
{
	struct store store;

	open_base(&store);
	store_link(&store, "file", "dir/again");
	assert_changes(&store, "A dir/again\n");
	store_put(&store, "file", "changed");
	assert_changes(&store, "A dir/again\nM file\n");
	discard_staged(store.tree, "", NULL);
	/* Two names become one. */
	store_rename(&store, "twin", "moved", 0);
	store_unlink(&store, "dir/twin2");
	assert_changes(&store, "D dir/twin2\nR moved < twin\n");
	store_close(&store);
}

/* Two generations are told as one. */
static void test_while_frozen(void **state)
{
	struct store store;
	uint32_t gen;

	open_base(&store);
	store_put(&store, "file", "changed");
	store_put(&store, "dir/one", "changed");
	store_put(&store, "new", "new");
	store_put(&store, "gone", "gone");
	gen = store_freeze(&store);
	store_put(&store, "file", "changed again");
	store_unlink(&store, "dir/one");
	store_unlink(&store, "gone");
	assert_changes(&store, "D dir/one\nM file\nA new\n");
	store_publish(&store, gen);
	assert_changes(&store, "D dir/one\nM file\nD gone\n");
	store_close(&store);
}

static int stop(void *self, const struct change *change)
{
	return 42;
}

static void test_stopped(void **state)
{
	struct store store;

	open_base(&store);
	assert_int_equal(changes_list(store.tree, stop, NULL), 0);
	store_put(&store, "new", "x");
	assert_int_equal(changes_list(store.tree, stop, NULL), 42);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_each_kind),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_fraction),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_moved_aside),
		cmocka_unit_test(test_renamed_directory),
		cmocka_unit_test(test_deleted_directory),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_while_frozen),
		cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
