/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "changes.h"

#include <linux/fs.h>

/* dir/{one,two}, dir/sub/deep, other/thing, file */
static void open_base(struct store *store)
{
	uint64_t dir, sub, other;

	store_open(store);
	dir = base_dir(store, ROOT_INO, "dir");
	sub = base_dir(store, dir, "sub");
	other = base_dir(store, ROOT_INO, "other");
	base_text(store, dir, "one", "first");
	base_text(store, dir, "two", "second");
	base_text(store, sub, "deep", "down here");
	base_text(store, other, "thing", "a thing");
	base_text(store, ROOT_INO, "file", "a file");
	base_end(store);
}

static void discard(struct store *store, const char *path)
{
	assert_int_equal(discard_staged(store->tree, path, NULL), 0);
}

static void assert_base(struct store *store)
{
	assert_changes(store, "");
	assert_text(store, "dir/one", "first");
	assert_text(store, "dir/two", "second");
	assert_text(store, "dir/sub/deep", "down here");
	assert_text(store, "other/thing", "a thing");
	assert_text(store, "file", "a file");
	assert_int_equal(store_attr(store, "").nlink, 4);
	assert_int_equal(store_attr(store, "").mtime_ns, 1000 * NS_PER_SEC);
	assert_int_equal(store_attr(store, "dir").mtime_ns, 1000 * NS_PER_SEC);
	assert_int_equal(db_int(&store->tree->db, QUERY_MAX_GEN), 0);
	assert_int_equal(store->tree->spool.used, 0);
	assert_int_equal(store->tree->body_sectors, 0);
}

static void test_everything(void **state)
{
	struct store store;
	int64_t files;
	uint64_t sectors;

	open_base(&store);
	files = store.tree->counts.files;
	sectors = dir_costs_sectors(&store.tree->costs);
	store_put(&store, "dir/new", "new");
	store_put(&store, "dir/one", "changed");
	store_mkdir(&store, "made");
	store_rename(&store, "dir/sub", "made/sub", 0);
	store_unlink(&store, "made/sub/deep");
	store_chmod(&store, "file", 0600);
	store_unlink(&store, "other/thing");
	store_rmdir(&store, "other");
	store_check(&store);
	discard(&store, "");
	assert_base(&store);
	assert_int_equal(store.tree->counts.files, files);
	assert_int_equal(dir_costs_sectors(&store.tree->costs), sectors);
	store_reopen(&store);
	assert_base(&store);
	discard(&store, "/"); /* nothing staged */
	assert_base(&store);
	store_close(&store);
}

static void test_one_file(void **state)
{
	struct store store;

	open_base(&store);
	store_put(&store, "dir/one", "changed");
	store_put(&store, "dir/two", "changed too");
	store_put(&store, "new", "new");
	discard(&store, "/dir/one");
	assert_text(&store, "dir/one", "first");
	assert_changes(&store, "M dir/two\nA new\n");
	discard(&store, "new");
	assert_int_equal(store_ino(&store, "new"), 0);
	assert_changes(&store, "M dir/two\n");
	assert_int_equal(discard_staged(store.tree, "nothing", NULL), -ENOENT);
	assert_int_equal(discard_staged(store.tree, "dir/one/x", NULL), -ENOENT);
	discard(&store, "other"); /* nothing staged there */
	discard(&store, "dir/");
	assert_base(&store);
	store_close(&store);
}

static void test_deleted(void **state)
{
	struct store store;

	open_base(&store);
	store_unlink(&store, "dir/one");
	store_unlink(&store, "dir/two");
	store_unlink(&store, "dir/sub/deep");
	store_rmdir(&store, "dir/sub");
	store_rmdir(&store, "dir");
	assert_changes(&store, "D dir\nD dir/one\nD dir/sub\nD dir/sub/deep\nD dir/two\n");
	discard(&store, "dir/sub/deep"); /* with the directories that lead there, and nothing else */
	assert_changes(&store, "D dir/one\nD dir/two\n");
	assert_text(&store, "dir/sub/deep", "down here");
	store_reopen(&store);
	assert_changes(&store, "D dir/one\nD dir/two\n");
	discard(&store, "dir");
	assert_base(&store);
	store_close(&store);
}

static void test_deleted_and_replaced(void **state)
{
	struct store store;

	open_base(&store);
	store_unlink(&store, "other/thing");
	store_rmdir(&store, "other");
	store_put(&store, "other", "a file in its place");
	discard(&store, "other/thing"); /* the new file stands in the way */
	assert_base(&store);
	store_close(&store);
}

static void test_renamed_file(void **state)
{
	struct store store;

	open_base(&store);
	store_rename(&store, "file", "dir/renamed", 0);
	store_put(&store, "dir/renamed", "and changed");
	assert_changes(&store, "M dir/renamed\nR dir/renamed < file\n");
	discard(&store, "dir/renamed"); /* where it is now */
	assert_base(&store);
	store_rename(&store, "file", "dir/renamed", 0);
	discard(&store, "file"); /* where it was */
	assert_base(&store);
	/* Over another one: both come back. */
	store_rename(&store, "file", "dir/one", 0);
	discard(&store, "dir/one");
	assert_base(&store);
	store_rename(&store, "file", "dir/one", RENAME_EXCHANGE);
	discard(&store, "file");
	assert_base(&store);
	store_close(&store);
}

static void test_renamed_directory(void **state)
{
	struct store store;

	open_base(&store);
	store_rename(&store, "dir", "moved", 0);
	store_put(&store, "moved/one", "changed");
	store_put(&store, "moved/sub/new", "new");
	store_unlink(&store, "moved/two");
	discard(&store, "moved/one"); /* only this one */
	assert_changes(&store, "D dir/two\nR moved < dir\nA moved/sub/new\n");
	discard(&store, "moved/two"); /* gone there, by the directory's new path */
	assert_changes(&store, "R moved < dir\nA moved/sub/new\n");
	discard(&store, "dir"); /* by its old path, with all that is staged in it */
	assert_base(&store);
	store_rename(&store, "dir", "other/moved", 0);
	store_put(&store, "other/moved/one", "changed");
	store_chmod(&store, "other/moved/sub", 0700);
	discard(&store, "other");
	assert_base(&store);
	store_close(&store);
}

/* What comes back pushes away a new directory, and a file that was moved into that goes home too. */
static void test_chain(void **state)
{
	struct store store;

	open_base(&store);
	store_rename(&store, "dir", "moved", 0);
	store_mkdir(&store, "dir");
	store_mkdir(&store, "dir/more");
	store_rename(&store, "file", "dir/more/file", 0);
	store_put(&store, "dir/more/new", "new");
	discard(&store, "moved");
	assert_base(&store);
	store_close(&store);
}

/* y goes home because b does, and its home hangs below y itself. */
static void test_loop(void **state)
{
	struct store store;
	uint64_t x, s;

	store_open(&store);
	x = base_dir(&store, ROOT_INO, "x");
	s = base_dir(&store, x, "s");
	base_dir(&store, s, "y");
	base_text(&store, ROOT_INO, "b", "b");
	base_end(&store);
	store_rename(&store, "b", "c", 0);
	store_rename(&store, "x/s/y", "b", 0);
	store_mkdir(&store, "b/d");
	store_rename(&store, "x", "b/d/x", 0);
	assert_changes(&store, "R b < x/s/y\nA b/d\nR b/d/x < x\nR c < b\n");
	discard(&store, "c");
	assert_int_not_equal(store_ino(&store, "x/s/y"), 0);
	assert_text(&store, "b", "b");
	assert_changes(&store, "A x/s/y/d\n");
	discard(&store, "x");
	assert_changes(&store, "");
	store_close(&store);
}

static void test_links(void **state)
{
	struct store store;

	open_base(&store);
	store_link(&store, "file", "dir/link");
	store_put(&store, "new", "new");
	store_link(&store, "new", "dir/new");
	discard(&store, "dir");
	assert_int_equal(store_attr(&store, "file").nlink, 1);
	assert_int_equal(store_attr(&store, "new").nlink, 1);
	assert_changes(&store, "A new\n");
	store_link(&store, "file", "dir/link");
	store_unlink(&store, "file");
	discard(&store, "file"); /* a rename in two steps */
	discard(&store, "new");
	assert_base(&store);
	store_close(&store);
}

static void test_open_files(void **state)
{
	struct store store;
	struct inode *changed, *new;
	char got[16] = "";

	open_base(&store);
	store_put(&store, "file", "changed");
	store_put(&store, "new", "new");
	assert_int_equal(tree_get(store.tree, store_ino(&store, "file"), &changed), 0);
	assert_int_equal(tree_get(store.tree, store_ino(&store, "new"), &new), 0);
	discard(&store, "");
	assert_int_equal(body_read(store.tree, changed, got, sizeof got, 0), 6);
	assert_string_equal(got, "a file");
	/* The new one has no name any more, but who holds it open can go on. */
	assert_int_equal(body_write(store.tree, new, "NEW!", 4, 0), 0);
	assert_int_equal(body_read(store.tree, new, got, sizeof got, 0), 4);
	assert_memory_equal(got, "NEW!", 4);
	assert_int_equal(new->node.attr.nlink, 0);
	store_check(&store);
	assert_int_equal(store.tree->spool.used, 4);
	tree_put(store.tree, changed);
	tree_put(store.tree, new);
	tree_forget(store.tree, new->node.attr.ino);
	store_check(&store);
	assert_base(&store);
	store_close(&store);
}

/* A deleted file that is still open is what the base has again. */
static void test_open_deleted(void **state)
{
	struct store store;
	struct inode *inode;

	open_base(&store);
	assert_int_equal(tree_get(store.tree, store_ino(&store, "file"), &inode), 0);
	store_unlink(&store, "file");
	discard(&store, "file");
	assert_int_equal(inode->node.attr.nlink, 1);
	tree_put(store.tree, inode);
	tree_forget(store.tree, inode->node.attr.ino);
	assert_base(&store);
	store_close(&store);
}

static void test_refused(void **state)
{
	struct store store;
	uint32_t gen;

	open_base(&store);
	store_put(&store, "file", "changed");
	gen = store_freeze(&store);
	assert_int_equal(discard_staged(store.tree, "", NULL), -EBUSY);
	store_thaw(&store, gen);
	store.tree->read_only = true;
	assert_int_equal(discard_staged(store.tree, "", NULL), -EROFS);
	store.tree->read_only = false;
	discard(&store, "");
	assert_base(&store);
	store_close(&store);
}

static void tell_name(void *self, uint64_t parent, const char *name, size_t length)
{
	text_add(self, "%llu/%.*s ", (unsigned long long)parent, (int)length, name);
}

static void tell_inode(void *self, uint64_t ino)
{
	text_add(self, "%llu ", (unsigned long long)ino);
}

static void test_sink(void **state)
{
	struct store store;
	struct text told AUTO_TEXT = { 0 };
	struct discard_sink sink = { .name = tell_name, .inode = tell_inode, .self = &told };

	open_base(&store); /* 1 is the root, 2 dir; file came last, as 9 */
	store_rename(&store, "file", "dir/f", 0);
	assert_int_equal(discard_staged(store.tree, "dir/f", &sink), 0);
	assert_string_equal(told.data, "1/file 2/f 1/file 1 2 9 ");
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),   cmocka_unit_test(test_one_file),
		cmocka_unit_test(test_deleted),	     cmocka_unit_test(test_deleted_and_replaced),
		cmocka_unit_test(test_renamed_file), cmocka_unit_test(test_renamed_directory),
		cmocka_unit_test(test_chain),	     cmocka_unit_test(test_loop),
		cmocka_unit_test(test_links),	     cmocka_unit_test(test_open_files),
		cmocka_unit_test(test_open_deleted), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
