/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include "model/acl.h"
#include "model/xattr_set.h"

#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

/* dir/{one,two}, dir/sub/deep, file, twin = file2 */
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
	store_check(store);
}

static int list_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	struct text *text = self;

	text_add(text, "%.*s%s ", (int)length, name, type == S_IFDIR >> 12 ? "/" : "");
	return 0;
}

static void assert_list(struct store *store, const char *path, const char *names)
{
	struct text text AUTO_TEXT = { 0 };

	assert_int_equal(tree_list(store->tree, store_ino(store, path), list_name, &text), 0);
	assert_string_equal(text.data ? text.data : "", names);
}

static int64_t staged_rows(struct store *store)
{
	sqlite3_stmt *stmt = NULL;
	int64_t count;

	tree_flush(store->tree);
	sqlite3_prepare_v2(store->tree->db.handle, "SELECT count(*) FROM dirent WHERE gen>0", -1, &stmt,
			   NULL);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	count = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return count;
}

static void test_base_is_shown(void **state)
{
	struct store store;

	open_base(&store);
	assert_true(tree_has_base(store.tree));
	assert_list(&store, "", "dir/ file twin ");
	assert_list(&store, "dir", "one sub/ twin2 two ");
	assert_text(&store, "dir/sub/deep", "down here");
	assert_int_equal(store_ino(&store, "twin"), store_ino(&store, "dir/twin2"));
	assert_int_equal(store_attr(&store, "twin").nlink, 2);
	assert_int_equal(store_attr(&store, "dir").nlink, 3);
	assert_int_equal(store.tree->body_sectors, 0);
	store_close(&store);
}

static void test_names_come_and_go(void **state)
{
	struct store store;

	open_base(&store);
	assert_int_equal(store_make(&store, "file", S_IFREG | 0644), -EEXIST);
	assert_int_equal(store_make(&store, "dir/new", S_IFREG | 0644), 0);
	assert_int_equal(store_mkdir(&store, "dir/a"), 0);
	assert_int_equal(store_unlink(&store, "dir/one"), 0);
	assert_list(&store, "dir", "a/ new sub/ twin2 two ");
	assert_int_equal(store_unlink(&store, "dir/one"), -ENOENT);
	assert_int_equal(store_unlink(&store, "dir/a"), -EISDIR);
	assert_int_equal(store_rmdir(&store, "dir/two"), -ENOTDIR);
	assert_int_equal(store_rmdir(&store, "dir/sub"), -ENOTEMPTY);
	assert_int_equal(store_unlink(&store, "dir/sub/deep"), 0);
	assert_int_equal(store_rmdir(&store, "dir/sub"), 0);
	assert_int_equal(store_attr(&store, "dir").nlink, 3);
	store_check(&store);
	/* The same name again, in front of a whiteout, and gone again. */
	assert_int_equal(store_put(&store, "dir/one", "another"), 0);
	assert_text(&store, "dir/one", "another");
	assert_int_equal(store_unlink(&store, "dir/one"), 0);
	assert_int_equal(store_unlink(&store, "dir/new"), 0);
	assert_int_equal(store_rmdir(&store, "dir/a"), 0);
	assert_list(&store, "dir", "twin2 two ");
	assert_int_equal(staged_rows(&store),
			 3); /* whiteouts of one, sub and deep; new names leave nothing */
	store_reopen(&store);
	assert_list(&store, "dir", "twin2 two ");
	store_check(&store);
	store_close(&store);
}

static void test_bad_names(void **state)
{
	struct store store;
	char name[NAME_LIMIT + 2];
	struct tree_new new = { .mode = S_IFREG | 0600 };
	struct node_attr attr;

	open_base(&store);
	memset(name, 'x', sizeof name);
	assert_int_equal(tree_create(store.tree, ROOT_INO, name, NAME_LIMIT + 1, &new, &attr, NULL),
			 -ENAMETOOLONG);
	assert_int_equal(tree_create(store.tree, ROOT_INO, name, NAME_LIMIT, &new, &attr, NULL), 0);
	assert_int_equal(tree_create(store.tree, ROOT_INO, name, 0, &new, &attr, NULL), -EINVAL);
	assert_int_equal(tree_create(store.tree, 4711, "x", 1, &new, &attr, NULL), -ENOENT);
	assert_int_equal(tree_create(store.tree, store_ino(&store, "file"), "x", 1, &new, &attr, NULL),
			 -ENOTDIR);
	store_check(&store);
	store_close(&store);
}

static void test_links(void **state)
{
	struct store store;
	uint64_t ino;

	open_base(&store);
	ino = store_ino(&store, "file");
	assert_int_equal(store_link(&store, "file", "dir/again"), 0);
	assert_int_equal(store_attr(&store, "file").nlink, 2);
	assert_int_equal(store_link(&store, "dir", "no"), -EPERM);
	assert_int_equal(store_link(&store, "file", "dir/two"), -EEXIST);
	assert_int_equal(store_unlink(&store, "file"), 0);
	assert_int_equal(store_ino(&store, "dir/again"), ino);
	assert_text(&store, "dir/again", "a file");
	store_check(&store);
	store_reopen(&store);
	assert_int_equal(store_attr(&store, "dir/again").nlink, 1);
	store_check(&store);
	store_close(&store);
}

static void test_rename(void **state)
{
	struct store store;
	uint64_t dir, deep;

	open_base(&store);
	dir = store_ino(&store, "dir");
	deep = store_ino(&store, "dir/sub/deep");
	assert_int_equal(store_rename(&store, "dir", "moved", 0), 0);
	assert_int_equal(staged_rows(&store), 2); /* whatever is below */
	assert_int_equal(store_ino(&store, "moved"), dir);
	assert_int_equal(store_ino(&store, "moved/sub/deep"), deep);
	assert_int_equal(store_ino(&store, "dir"), 0);
	assert_int_equal(store_rename(&store, "file", "moved/one", RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(store_rename(&store, "file", "moved/one", 0), 0);
	assert_text(&store, "moved/one", "a file");
	assert_int_equal(store_rename(&store, "moved/one", "moved/sub", 0), -EISDIR);
	assert_int_equal(store_rename(&store, "moved/sub", "moved/one", 0), -ENOTDIR);
	assert_int_equal(store_mkdir(&store, "empty"), 0);
	assert_int_equal(store_rename(&store, "empty", "moved/sub", 0), -ENOTEMPTY);
	assert_int_equal(store_rename(&store, "moved/sub", "empty", 0), 0);
	assert_int_equal(store_ino(&store, "empty/deep"), deep);
	assert_int_equal(store_rename(&store, "nothing", "x", 0), -ENOENT);
	assert_int_equal(store_rename(&store, "twin", "moved/twin2", 0), 0); /* the same file: both stay */
	assert_int_equal(store_attr(&store, "twin").nlink, 2);
	assert_int_equal(store_rename(&store, "twin", "x", 1u << 2), -EINVAL);
	store_check(&store);
	store_reopen(&store);
	assert_list(&store, "", "empty/ moved/ twin ");
	store_check(&store);
	store_close(&store);
}

static void test_exchange(void **state)
{
	struct store store;
	uint64_t dir, file;

	open_base(&store);
	dir = store_ino(&store, "dir/sub");
	file = store_ino(&store, "file");
	assert_int_equal(store_rename(&store, "dir/sub", "none", RENAME_EXCHANGE), -ENOENT);
	assert_int_equal(store_rename(&store, "dir/sub", "file", RENAME_EXCHANGE), 0);
	assert_int_equal(store_ino(&store, "dir/sub"), file);
	assert_int_equal(store_ino(&store, "file"), dir);
	assert_int_equal(store_attr(&store, "").nlink, 4);
	assert_int_equal(store_attr(&store, "dir").nlink, 2);
	store_check(&store);
	assert_int_equal(store_rename(&store, "dir/sub", "file", RENAME_EXCHANGE), 0);
	assert_int_equal(store_ino(&store, "file"), file);
	store_check(&store);
	store_close(&store);
}

/* "other/d/d/d/here" */
static const char *nested(char *buffer, const char *top, unsigned depth, const char *tail)
{
	char *at = stpcpy(buffer, top);

	while (depth--)
		at = stpcpy(at, "/d");
	strcpy(at, tail);
	return buffer;
}

/* Deeper than a session can have is refused at once: for new directories, and for moved ones by the deepest
 * that they hold. */
static void test_depth(void **state)
{
	const unsigned most = TREE_DEPTH_LIMIT - 1; /* names in a directory's path */
	char at[4 * TREE_DEPTH_LIMIT];
	struct store store;

	open_base(&store);
	assert_int_equal(store_mkdir(&store, "top"), 0);
	for (unsigned i = 1; i < most; i++)
		assert_int_equal(store_mkdir(&store, nested(at, "top", i, "")), 0);
	assert_int_equal(store_mkdir(&store, nested(at, "top", most, "")), -ENAMETOOLONG);
	store_put(&store, nested(at, "top", most, ""), "a file may stand there");
	assert_int_equal(store_rename(&store, "top", "other", 0), 0); /* no deeper than it was */
	assert_int_equal(store_rename(&store, "other", "dir/other", 0), -ENAMETOOLONG);
	/* dir holds dir/sub */
	assert_int_equal(store_rename(&store, "dir", nested(at, "other", most - 2, "/here"), 0),
			 -ENAMETOOLONG);
	assert_int_equal(store_rename(&store, "dir/sub", nested(at, "other", most - 2, "/here"), 0), 0);
	assert_int_equal(store_rename(&store, at, "dir/sub", 0), 0);
	assert_int_equal(store_rename(&store, "dir", nested(at, "other", most - 3, "/here"), 0), 0);
	assert_int_equal(store_rename(&store, at, "dir", 0), 0);
	nested(at, "other", most - 1, "");
	assert_int_equal(store_rename(&store, "dir", at, RENAME_EXCHANGE), -ENAMETOOLONG);
	assert_int_equal(store_rename(&store, at, "dir", RENAME_EXCHANGE), -ENAMETOOLONG);
	nested(at, "other", most - 2, "");
	assert_int_equal(store_rename(&store, "dir", at, RENAME_EXCHANGE), 0);
	store_check(&store);
	store_reopen(&store);
	assert_int_not_equal(store_ino(&store, strcat(at, "/sub/deep")), 0);
	store_close(&store);
}

/* An unlinked file that is open: readable and writable, and gone when the kernel forgets it. */
static void test_orphans(void **state)
{
	struct store store;
	struct inode *inode, *fresh;
	uint64_t ino;
	char got[16] = "";

	open_base(&store);
	ino = store_ino(&store, "dir/one");
	assert_int_equal(tree_get(store.tree, ino, &inode), 0);
	assert_int_equal(store_unlink(&store, "dir/one"), 0);
	assert_int_equal(body_write(store.tree, inode, "X", 1, 0), 0);
	assert_int_equal(store.tree->body_sectors, 0); /* it goes nowhere */
	store_check(&store);
	assert_int_equal(body_read(store.tree, inode, got, sizeof got, 0), 5);
	assert_string_equal(got, "Xirst");
	tree_put(store.tree, inode);
	tree_forget(store.tree, ino);
	store_check(&store);
	assert_int_equal(store.tree->spool.used, 0);
	assert_int_equal(tree_get(store.tree, ino, &fresh), -ENOENT);

	/* The kernel may forget before the last handle is given back. */
	assert_int_equal(store_put(&store, "new", "text"), 0);
	ino = store_ino(&store, "new");
	assert_int_equal(tree_get(store.tree, ino, &inode), 0);
	assert_int_equal(store_unlink(&store, "new"), 0);
	tree_forget(store.tree, ino);
	assert_int_equal(body_read(store.tree, inode, got, sizeof got, 0), 4);
	tree_put(store.tree, inode);
	store_check(&store);
	assert_int_equal(store.tree->spool.used, 0);
	assert_int_equal(tree_attr(store.tree, ino, &(struct node_attr){ 0 }), -ENOENT);
	store_close(&store);
}

/* What was open when the daemon died is gone with the next start, bytes and all. */
static void test_orphans_end_with_the_mount(void **state)
{
	struct store store;
	struct inode *inode;

	open_base(&store);
	assert_int_equal(store_put(&store, "file", "longer than before"), 0);
	assert_int_equal(tree_get(store.tree, store_ino(&store, "file"), &inode), 0);
	assert_int_equal(store_unlink(&store, "file"), 0);
	tree_put(store.tree, inode);
	assert_int_equal(store_put(&store, "new", "text"), 0);
	assert_int_equal(store_unlink(&store, "new"), 0);
	store_check(&store);
	assert_true(store.tree->spool.used > 0);
	store_reopen(&store);
	store_check(&store);
	assert_int_equal(store.tree->spool.used, 0);
	assert_int_equal(store_ino(&store, "file"), 0);
	store_close(&store);
}

static void test_setgid_and_umask(void **state)
{
	struct store store;
	struct tree_new new = { .mode = S_IFDIR | 0777, .umask = 022, .uid = 7, .gid = 7 };
	struct node_attr attr;

	open_base(&store);
	assert_int_equal(store_chmod(&store, "dir", 02775), 0);
	assert_int_equal(tree_create(store.tree, store_ino(&store, "dir"), "d", 1, &new, &attr, NULL), 0);
	assert_int_equal(attr.mode, S_IFDIR | 02755);
	assert_int_equal(attr.gid, 1000);
	assert_int_equal(attr.uid, 7);
	new.mode = S_IFREG | 0666;
	assert_int_equal(tree_create(store.tree, store_ino(&store, "dir"), "f", 1, &new, &attr, NULL), 0);
	assert_int_equal(attr.mode, S_IFREG | 0644);
	assert_int_equal(attr.gid, 1000);
	store_check(&store);
	store_close(&store);
}

struct acl_bytes {
	uint8_t data[4 + 8 * 8];
	size_t length;
};

static void acl_add(struct acl_bytes *acl, unsigned tag, unsigned perm, uint32_t id)
{
	uint8_t *entry = acl->data + acl->length;

	if (acl->length == 0) {
		put_le32(acl->data, POSIX_ACL_XATTR_VERSION);
		acl->length = 4;
		entry = acl->data + 4;
	}
	put_le32(entry, tag | perm << 16);
	put_le32(entry + 4, id);
	acl->length += 8;
}

static struct acl_bytes acl_with_user(unsigned user, unsigned group, unsigned mask)
{
	struct acl_bytes acl = { .length = 0 };

	acl_add(&acl, ACL_USER_OBJ, 7, UINT32_MAX);
	acl_add(&acl, ACL_USER, user, 55);
	acl_add(&acl, ACL_GROUP_OBJ, group, UINT32_MAX);
	acl_add(&acl, ACL_MASK, mask, UINT32_MAX);
	acl_add(&acl, ACL_OTHER, 5, UINT32_MAX);
	return acl;
}

static bool find_acl(struct store *store, const char *path, const char *name, struct blob *set,
		     struct xattr_view *ret)
{
	assert_int_equal(tree_xattrs(store->tree, store_ino(store, path), set), 0);
	return xattr_set_find(set, name, ret);
}

static void test_default_acl(void **state)
{
	struct store store;
	struct acl_bytes acl = acl_with_user(6, 5, 7);
	struct tree_new new = { .mode = S_IFREG | 0640, .umask = 077, .uid = 7, .gid = 7 };
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct xattr_view view;
	struct node_attr attr;
	uint64_t dir;
	bool minimal;

	open_base(&store);
	dir = store_ino(&store, "dir");
	assert_int_equal(tree_xattr_set(store.tree, dir, ACL_DEFAULT, acl.data, acl.length, 0), 0);
	assert_int_equal(
	    tree_xattr_set(store.tree, store_ino(&store, "file"), ACL_DEFAULT, acl.data, acl.length, 0),
	    -EACCES);
	assert_int_equal(tree_xattr_set(store.tree, dir, ACL_DEFAULT, "bad", 3, 0), -EINVAL);
	/* The default ACL counts instead of the umask; mask = group bits of the mode. */
	assert_int_equal(tree_create(store.tree, dir, "f", 1, &new, &attr, NULL), 0);
	assert_int_equal(attr.mode, S_IFREG | 0640);
	assert_true(find_acl(&store, "dir/f", ACL_ACCESS, &set, &view));
	assert_int_equal(acl_mode(view.value, view.value_length, &minimal), 0640);
	assert_false(minimal);
	assert_false(xattr_set_find(&set, ACL_DEFAULT, &view));
	new.mode = S_IFDIR | 0777;
	assert_int_equal(tree_create(store.tree, dir, "d", 1, &new, &attr, NULL), 0);
	assert_int_equal(attr.mode, S_IFDIR | 0775);
	assert_true(find_acl(&store, "dir/d", ACL_DEFAULT, &set, &view));
	assert_int_equal(view.value_length, acl.length);
	assert_memory_equal(view.value, acl.data, acl.length);
	store_check(&store);
	store_close(&store);
}

static void test_access_acl_and_mode(void **state)
{
	struct store store;
	struct acl_bytes acl = acl_with_user(6, 4, 6), plain = { .length = 0 };
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct xattr_view view;
	bool minimal;

	open_base(&store);
	assert_int_equal(
	    tree_xattr_set(store.tree, store_ino(&store, "file"), ACL_ACCESS, acl.data, acl.length, 0), 0);
	assert_int_equal(store_attr(&store, "file").mode, S_IFREG | 0765);
	assert_int_equal(store_chmod(&store, "file", 0711), 0);
	assert_true(find_acl(&store, "file", ACL_ACCESS, &set, &view));
	assert_int_equal(acl_mode(view.value, view.value_length, &minimal), 0711);
	acl_add(&plain, ACL_USER_OBJ, 6, UINT32_MAX);
	acl_add(&plain, ACL_GROUP_OBJ, 4, UINT32_MAX);
	acl_add(&plain, ACL_OTHER, 0, UINT32_MAX);
	assert_int_equal(
	    tree_xattr_set(store.tree, store_ino(&store, "file"), ACL_ACCESS, plain.data, plain.length, 0),
	    0);
	assert_int_equal(store_attr(&store, "file").mode, S_IFREG | 0640);
	assert_false(find_acl(&store, "file", ACL_ACCESS, &set, &view));
	store_check(&store);
	store_close(&store);
}

static void test_xattrs(void **state)
{
	struct store store;
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct xattr_view view;
	uint64_t ino;

	open_base(&store);
	ino = store_ino(&store, "file");
	assert_int_equal(tree_xattr_set(store.tree, ino, "user.a", "1", 1, TREE_XATTR_REPLACE), -ENODATA);
	assert_int_equal(tree_xattr_set(store.tree, ino, "user.a", "1", 1, TREE_XATTR_CREATE), 0);
	assert_int_equal(tree_xattr_set(store.tree, ino, "user.a", "2", 1, TREE_XATTR_CREATE), -EEXIST);
	assert_int_equal(tree_xattr_set(store.tree, ino, "user.empty", NULL, 0, 0), 0);
	assert_int_equal(tree_xattr_remove(store.tree, ino, "user.none"), -ENODATA);
	store_check(&store);
	store_reopen(&store);
	assert_true(find_acl(&store, "file", "user.a", &set, &view));
	assert_memory_equal(view.value, "1", 1);
	assert_true(xattr_set_find(&set, "user.empty", &view));
	assert_int_equal(view.value_length, 0);
	assert_int_equal(tree_xattr_remove(store.tree, ino, "user.a"), 0);
	assert_int_equal(tree_xattr_remove(store.tree, ino, "user.empty"), 0);
	store_check(&store);
	store_close(&store);
}

/* What a session couldn't give back is refused at once. */
static void test_xattr_limits(void **state)
{
	static char large[65536];
	struct store store;
	char name[32];
	uint64_t ino;

	open_base(&store);
	ino = store_ino(&store, "file");
	assert_int_equal(tree_xattr_set(store.tree, ino, "nodot", "1", 1, 0), -EOPNOTSUPP);
	assert_int_equal(tree_xattr_set(store.tree, ino, "user.", "1", 1, 0), -EINVAL);
	assert_int_equal(tree_xattr_set(store.tree, ino, "isofs.ca", "1", 1, 0), -EOPNOTSUPP);
	assert_int_equal(tree_xattr_set(store.tree, ino, "system.other", "1", 1, 0), -EOPNOTSUPP);
	assert_int_equal(tree_xattr_set(store.tree, ino, "trusted.a", "1", 1, 0), 0);
	assert_int_equal(tree_xattr_set(store.tree, ino, "security.a", "1", 1, 0), 0);
	for (unsigned i = 2; i < XATTR_COUNT_LIMIT; i++) {
		snprintf(name, sizeof name, "user.%u", i);
		assert_int_equal(tree_xattr_set(store.tree, ino, name, "1", 1, 0), 0);
	}
	assert_int_equal(tree_xattr_set(store.tree, ino, "user.more", "1", 1, 0), -ENOSPC);
	assert_int_equal(tree_xattr_set(store.tree, ino, "user.7", "2", 1, 0), 0);
	ino = store_ino(&store, "dir");
	for (unsigned i = 0; i < XATTR_SET_LIMIT / sizeof large; i++) {
		snprintf(name, sizeof name, "user.%u", i);
		assert_int_equal(tree_xattr_set(store.tree, ino, name, large, sizeof large, 0), 0);
	}
	assert_int_equal(tree_xattr_set(store.tree, ino, "user.more", large, sizeof large, 0), -ENOSPC);
	store_check(&store);
	store_close(&store);
}

static void test_symlinks_and_devices(void **state)
{
	struct store store;
	struct tree_new link = { .mode = S_IFLNK | 0777, .target = "../x", .target_length = 4 };
	struct tree_new device = { .mode = S_IFCHR | 0600, .rdev = 0x103 };
	struct inode *inode;
	struct node_attr attr;

	open_base(&store);
	assert_int_equal(tree_create(store.tree, ROOT_INO, "l", 1, &link, &attr, NULL), 0);
	assert_int_equal(attr.size, 4);
	assert_int_equal(tree_create(store.tree, ROOT_INO, "c", 1, &device, &attr, NULL), 0);
	store_reopen(&store);
	assert_int_equal(store_attr(&store, "c").rdev, 0x103);
	assert_int_equal(tree_get(store.tree, store_ino(&store, "l"), &inode), 0);
	assert_int_equal(inode->node.target.length, 4);
	assert_memory_equal(inode->node.target.data, "../x", 4);
	tree_put(store.tree, inode);
	store_check(&store);
	store_close(&store);
}

static void test_full_medium(void **state)
{
	struct store store;
	uint64_t room;

	open_base(&store);
	store_leave_room(&store, 5);
	assert_int_equal(store_put(&store, "new", "x"), 0);
	assert_int_equal(store_mkdir(&store, "d"), -ENOSPC); /* a directory needs more */
	room = tree_free_sectors(store.tree);
	assert_true(room <= 3);
	assert_int_equal(store_unlink(&store, "dir/two"), 0); /* always possible */
	store_check(&store);
	store_close(&store);
}

static void test_read_only(void **state)
{
	struct store store;

	open_base(&store);
	store.tree->read_only = true;
	assert_int_equal(store_put(&store, "file", "x"), -EROFS);
	assert_int_equal(store_mkdir(&store, "d"), -EROFS);
	assert_int_equal(store_unlink(&store, "file"), -EROFS);
	assert_int_equal(store_rename(&store, "file", "x", 0), -EROFS);
	assert_int_equal(store_chmod(&store, "file", 0), -EROFS);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base_is_shown),
		cmocka_unit_test(test_names_come_and_go),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_orphans_end_with_the_mount),
		cmocka_unit_test(test_setgid_and_umask),
		cmocka_unit_test(test_default_acl),
		cmocka_unit_test(test_access_acl_and_mode),
		cmocka_unit_test(test_xattrs),
		cmocka_unit_test(test_xattr_limits),
		cmocka_unit_test(test_symlinks_and_devices),
		cmocka_unit_test(test_full_medium),
		cmocka_unit_test(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
