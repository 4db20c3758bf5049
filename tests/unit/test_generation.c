/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include "model/litter.h"
#include "model/xattr_set.h"

static void open_base(struct store *store)
{
	uint64_t dir;

	store_open(store);
	dir = base_dir(store, ROOT_INO, "dir");
	base_text(store, dir, "one", "first");
	base_text(store, ROOT_INO, "file", "a file");
	base_end(store);
}

static int64_t staged_nodes(struct store *store)
{
	return db_int(&store->tree->db, QUERY_MAX_GEN);
}

static int keep_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	text_add(self, "%.*s ", (int)length, name);
	return 0;
}

static void assert_frozen_names(struct store *store, uint32_t gen, const char *want)
{
	struct text names AUTO_TEXT = { 0 };

	assert_int_equal(rows_name_list(&store->tree->db, ROOT_INO, gen, keep_name, &names), 0);
	assert_string_equal(names.data, want);
}

static void assert_frozen_text(struct store *store, uint64_t ino, uint32_t gen, const char *want)
{
	struct node node CLEANUP(node_clear) = { 0 };
	uint32_t found;
	char got[64] = "";

	assert_int_equal(rows_node_get(&store->tree->db, ino, gen, &node, &found), 1);
	assert_int_equal(node.attr.size, strlen(want));
	assert_int_equal(body_read_map(store->tree, &node.map, got, node.attr.size, 0), 0);
	assert_string_equal(got, want);
}

/* What is frozen stays as it was, whatever happens above it. */
static uint32_t change_while_frozen(struct store *store)
{
	uint32_t gen;
	uint64_t ino;

	store_put(store, "new", "before");
	store_put(store, "file", "changed");
	gen = store_freeze(store);
	ino = store_ino(store, "new");
	store_put(store, "new", "after");
	store_put(store, "later", "later");
	store_unlink(store, "file");
	store_rename(store, "dir", "moved", 0);
	store_check(store);
	assert_frozen_names(store, gen, "dir file new ");
	assert_frozen_text(store, ino, gen, "before");
	return gen;
}

static void check_changed(struct store *store)
{
	assert_text(store, "new", "after");
	assert_text(store, "later", "later");
	assert_text(store, "moved/one", "first");
	assert_int_equal(store_ino(store, "file"), 0);
	assert_int_equal(store_ino(store, "dir"), 0);
	store_check(store);
}

static void test_publish(void **state)
{
	struct store store;
	uint32_t gen;

	open_base(&store);
	gen = change_while_frozen(&store);
	store_publish(&store, gen);
	check_changed(&store);
	store_reopen(&store);
	check_changed(&store);
	assert_frozen_names(&store, 0, "dir file new ");
	assert_int_equal(discard_staged(store.tree, "", NULL), 0);
	assert_text(&store, "new", "before");
	assert_text(&store, "file", "changed");
	assert_text(&store, "dir/one", "first");
	assert_int_equal(store_ino(&store, "later"), 0);
	store_check(&store);
	assert_int_equal(store.tree->spool.used, 0);
	store_close(&store);
}

static void test_thaw(void **state)
{
	struct store store;
	uint32_t gen;

	open_base(&store);
	gen = change_while_frozen(&store);
	store_thaw(&store, gen);
	check_changed(&store);
	store_reopen(&store);
	check_changed(&store);
	assert_int_equal(discard_staged(store.tree, "", NULL), 0);
	assert_text(&store, "file", "a file");
	assert_int_equal(store_ino(&store, "new"), 0);
	assert_int_equal(staged_nodes(&store), 0);
	store_close(&store);
}

/* A new name that is deleted again while it is burned leaves a whiteout, or nothing when the burn failed. */
static void test_created_and_deleted(void **state)
{
	for (int publish = 0; publish < 2; publish++) {
		struct store store;
		uint32_t gen;

		open_base(&store);
		store_put(&store, "new", "new");
		gen = store_freeze(&store);
		store_unlink(&store, "new");
		tree_forget(store.tree, 5);
		if (publish)
			store_publish(&store, gen);
		else
			store_thaw(&store, gen);
		assert_int_equal(store_ino(&store, "new"), 0);
		store_check(&store);
		assert_int_equal(discard_staged(store.tree, "", NULL), 0);
		assert_int_equal(store_ino(&store, "new") != 0, publish);
		store_check(&store);
		store_close(&store);
	}
}

/* Who has a file open reads on over the commit, and spool space comes back. */
static void test_open_files(void **state)
{
	struct store store;
	struct inode *inode, *orphan;
	uint32_t gen;
	char got[16] = "";

	open_base(&store);
	store_put(&store, "new", "text");
	store_put(&store, "gone", "gone");
	assert_int_equal(tree_get(store.tree, store_ino(&store, "new"), &inode), 0);
	assert_int_equal(tree_get(store.tree, store_ino(&store, "gone"), &orphan), 0);
	store_unlink(&store, "gone");
	gen = store_freeze(&store);
	store_publish(&store, gen);
	assert_int_equal(inode->gen, 0);
	assert_int_equal(inode->node.map.items[0].kind, EXTENT_DISC);
	assert_int_equal(inode->node.md5.length, MD5_LENGTH);
	assert_int_equal(body_read(store.tree, inode, got, sizeof got, 0), 4);
	assert_string_equal(got, "text");
	assert_int_equal(store.tree->spool.used, 4); /* the orphan's */
	assert_int_equal(body_read(store.tree, orphan, got, sizeof got, 0), 4);
	assert_string_equal(got, "gone");
	store_check(&store);
	tree_put(store.tree, inode);
	tree_put(store.tree, orphan);
	tree_forget(store.tree, orphan->node.attr.ino);
	store_check(&store);
	assert_int_equal(store.tree->spool.used, 0);
	assert_int_equal(staged_nodes(&store), 0);
	store_close(&store);
}

/* chmod while the body is burned: the body needn't be burned again. */
static void test_body_lands_below(void **state)
{
	struct store store;
	uint32_t gen;

	open_base(&store);
	store_put(&store, "new", "text");
	store_put(&store, "grown", "text");
	gen = store_freeze(&store);
	store_chmod(&store, "new", 0400);
	{
		struct inode *inode;

		assert_int_equal(tree_get(store.tree, store_ino(&store, "grown"), &inode), 0);
		assert_int_equal(body_truncate(store.tree, inode, 5000), 0);
		tree_put(store.tree, inode);
	}
	store_publish(&store, gen);
	assert_text(&store, "new", "text");
	assert_int_equal(store_attr(&store, "new").mode, S_IFREG | 0400);
	assert_int_equal(store.tree->body_sectors, sectors_of(5000)); /* of grown only */
	store_check(&store);
	store_close(&store);
}

/* A crash right after the freeze: whoever finds two generations finds the journal that says so. */
static void test_freeze_is_journalled(void **state)
{
	struct store store;
	struct journal journal CLEANUP(journal_clear) = { 0 };
	uint32_t gen;

	open_base(&store);
	store_put(&store, "new", "text");
	gen = store_freeze(&store);
	assert_int_equal(journal_read(&store.tree->db, &journal), 1);
	assert_int_equal(journal.phase, PHASE_FROZEN);
	assert_int_equal(journal.gen, gen);
	store_thaw(&store, gen);
	assert_int_equal(journal_read(&store.tree->db, &journal), 0);
	store_close(&store);
}

static void test_room_while_frozen(void **state)
{
	struct store store;
	uint32_t gen;
	uint64_t one, room;

	open_base(&store);
	store_put(&store, "new", "text");
	one = tree_predicted_sectors(store.tree);
	atomic_store(&store.tree->room.capacity, 100000);
	room = tree_free_sectors(store.tree);
	assert_in_range(room, 100000 - one, 100000 - one + SESSION_ALIGN - 1);
	gen = store_freeze(&store);
	/* Two sessions are to come: this one, and one for what is changed meanwhile, without that body and
	 * its file entry. */
	assert_int_equal(tree_free_sectors(store.tree), room - one + 2);
	store_thaw(&store, gen);
	assert_int_equal(tree_free_sectors(store.tree), room);
	store_close(&store);
}

static void *drop_privileges(void *self)
{
	struct inode *inode;
	struct store *store = self;

	assert_int_equal(tree_get(store->tree, store_ino(store, "f"), &inode), 0);
	assert_int_equal(tree_drop_privileges(store->tree, inode, true, true), 1);
	tree_put(store->tree, inode);
	return NULL;
}

/* A write that has to wait takes nothing back of what a discard did meanwhile. */
static void test_privileges_after_a_wait(void **state)
{
	struct store store;
	struct inode *inode;
	pthread_t thread;

	store_open(&store);
	base_text(&store, ROOT_INO, "f", "text");
	base_end(&store);
	assert_int_equal(store_chmod(&store, "f", 06755), 0);
	assert_int_equal(tree_get(store.tree, store_ino(&store, "f"), &inode), 0);
	{
		WITH_WRITE_LOCK(&store.tree->freeze);
		assert_int_equal(pthread_create(&thread, NULL, drop_privileges, &store), 0);
		usleep(100000);
		WITH_LOCK(&inode->lock);
		inode->node.attr.mode = S_IFREG | 0600; /* as it is loaded anew */
	}
	pthread_join(thread, NULL);
	assert_int_equal(inode->node.attr.mode, S_IFREG | 0600);
	tree_put(store.tree, inode);
	store_close(&store);
}

/* Litter isn't in what is frozen, stays staged whatever becomes of that, and a directory of the base that was
 * moved into it is gone there with all that it held. */
static void test_litter_is_held_back(void **state)
{
	struct reason why = { 0 };
	struct litter litter = { 0 };

	assert_int_equal(litter_parse(&litter, ".Trash-*:.tmp*", &why), 0);
	for (int round = 0; round < 4; round++) {
		struct store store;
		uint32_t gen;

		open_base(&store);
		store.tree->litter = &litter;
		store_put(&store, "new", "new");
		store_mkdir(&store, ".Trash-1");
		store_put(&store, ".tmp", "half");
		store_link(&store, "new", ".tmp2");
		store_rename(&store, "dir", ".Trash-1/dir", 0);
		store_rename(&store, "file", ".Trash-1/file", 0);
		gen = store_freeze(&store);
		assert_true(store.tree->held_back);
		assert_frozen_names(&store, gen, "new ");
		store_check(&store);
		if (round & 1) { /* nothing came of it: it's frozen once more */
			store_thaw(&store, gen);
			store_check(&store);
			gen = store_freeze(&store);
			assert_frozen_names(&store, gen, "new ");
		}
		if (round & 2)
			store_rename(&store, ".tmp", "saved", 0);
		store_publish(&store, gen);
		store_check(&store);
		store_reopen(&store);
		store.tree->litter = &litter;
		assert_frozen_names(&store, 0, "new ");
		assert_text(&store, ".Trash-1/dir/one", "first");
		assert_text(&store, ".Trash-1/file", "a file");
		assert_text(&store, round & 2 ? "saved" : ".tmp", "half");
		assert_text(&store, ".tmp2", "new");
		store_rename(&store, ".Trash-1/dir", "back", 0);
		gen = store_freeze(&store);
		assert_frozen_names(&store, gen, round & 2 ? "back new saved " : "back new ");
		store_publish(&store, gen);
		store_check(&store);
		assert_int_equal(discard_staged(store.tree, "", NULL), 0);
		assert_text(&store, "back/one", "first");
		assert_int_equal(store_ino(&store, ".Trash-1"), 0);
		store_check(&store);
		store_close(&store);
	}
	litter_clear(&litter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_thaw),
		cmocka_unit_test(test_created_and_deleted),
		cmocka_unit_test(test_open_files),
		cmocka_unit_test(test_body_lands_below),
		cmocka_unit_test(test_freeze_is_journalled),
		cmocka_unit_test(test_room_while_frozen),
		cmocka_unit_test(test_privileges_after_a_wait),
		cmocka_unit_test(test_litter_is_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
