/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filling: what is frozen needs the disc no more, byte for byte what it was, whatever goes on meanwhile and
 * wherever it ends. While that is looked at, the disc can't be read: nothing of it is recorded. */
#include "store.h"

#include "commit/fill.h"
#include "commit/recover.h"

#include <signal.h>
#include <sys/wait.h>

#define LARGE (5u << 20)

static struct store store;
static uint8_t large[LARGE]; /* what the base has in "large" */

/* What goes on while it copies. */
static struct {
	void (*now)(void);
	uint64_t at; /* bytes copied */
	int ret;
} meanwhile;

static int step(void *self, uint64_t done, uint64_t total)
{
	void (*now)(void) = done >= meanwhile.at ? meanwhile.now : NULL;

	assert_true(done < total);
	if (now) {
		meanwhile.now = NULL;
		now();
	}
	return done >= meanwhile.at ? meanwhile.ret : 0;
}

static const struct fill_progress progress = { .step = step };

static int fill(uint32_t gen, struct reason *why)
{
	return fill_generation(store.disc, gen, &progress, why);
}

static void fill_well(uint32_t gen)
{
	struct reason why = { 0 };
	uint64_t limit = store.tree->disc.limit;

	if (fill(gen, &why) < 0)
		fail_msg("%s", why.text);
	store.tree->disc.limit = 0;
	for (uint64_t ino = 1; ino < store.tree->next_ino; ino++) {
		struct node node CLEANUP(node_clear) = { 0 };
		uint32_t found;

		if (rows_node_get(&store.tree->db, ino, gen, &node, &found) <= 0 || node.attr.nlink == 0 ||
		    extent_map_is_on_disc(&node.map, node.attr.size))
			continue;
		for (size_t i = 0; i < node.map.count; i++)
			assert_int_equal(node.map.items[i].kind, EXTENT_SPOOL);
	}
	store.tree->disc.limit = limit;
}

static void open_base(void)
{
	uint64_t seed = 7, dir;

	meanwhile.now = NULL;
	meanwhile.at = 0;
	meanwhile.ret = 0;
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (uint8_t)random_next(&seed);
	store_open(&store);
	base_file(&store, ROOT_INO, "large", large, LARGE);
	dir = base_dir(&store, ROOT_INO, "dir");
	base_file(&store, dir, "small", large + 100, 5000);
	base_text(&store, dir, "other", "untouched");
	base_end(&store);
}

static void write_at(const char *path, uint64_t offset, const char *text)
{
	struct inode *inode;

	assert_int_equal(tree_get(store.tree, store_ino(&store, path), &inode), 0);
	assert_int_equal(body_write(store.tree, inode, text, strlen(text), offset), 0);
	tree_put(store.tree, inode);
}

static void truncate_to(const char *path, uint64_t size)
{
	struct inode *inode;

	assert_int_equal(tree_get(store.tree, store_ino(&store, path), &inode), 0);
	assert_int_equal(body_truncate(store.tree, inode, size), 0);
	tree_put(store.tree, inode);
}

static void copy(const char *path, uint64_t offset, uint64_t length, const char *to, uint64_t at)
{
	struct inode *from, *target;

	if (store_ino(&store, to) == 0)
		assert_int_equal(store_make(&store, to, S_IFREG | 0644), 0);
	assert_int_equal(tree_get(store.tree, store_ino(&store, path), &from), 0);
	assert_int_equal(tree_get(store.tree, store_ino(&store, to), &target), 0);
	assert_int_equal(body_copy(store.tree, from, offset, target, at, length), length);
	tree_put(store.tree, from);
	tree_put(store.tree, target);
}

static void assert_bytes(const char *path, const void *want, size_t length)
{
	uint8_t *got = malloc(length + 1);
	struct inode *inode;

	assert_int_equal(tree_get(store.tree, store_ino(&store, path), &inode), 0);
	assert_int_equal(body_read(store.tree, inode, got, length + 1, 0), length);
	tree_put(store.tree, inode);
	assert_memory_equal(got, want, length);
	free(got);
}

/* As the burn worker reads it while the drive writes. */
static void assert_frozen(uint64_t ino, uint32_t gen, const void *want, size_t length)
{
	struct node node CLEANUP(node_clear) = { 0 };
	uint8_t *got = malloc(length);
	uint64_t limit = store.tree->disc.limit;
	uint32_t found;

	store.tree->disc.limit = 0;
	assert_int_equal(rows_node_get(&store.tree->db, ino, gen, &node, &found), 1);
	assert_int_equal(node.attr.size, length);
	assert_int_equal(body_read_map(store.tree, &node.map, got, length, 0), 0);
	assert_memory_equal(got, want, length);
	store.tree->disc.limit = limit;
	free(got);
}

/* "large" and what it becomes: changed in two places, longer, and with a hole. */
static uint8_t changed[LARGE + 10000];

static uint32_t change_and_freeze(void)
{
	memcpy(changed, large, LARGE);
	memset(changed + LARGE, 0, sizeof changed - LARGE);
	memcpy(changed + 1000, "first", 5);
	memcpy(changed + (3u << 20), "second", 6);
	memcpy(changed + sizeof changed - 4, "last", 4);
	write_at("large", 1000, "first");
	write_at("large", 3u << 20, "second");
	write_at("large", sizeof changed - 4, "last");
	return store_freeze(&store);
}

static void test_publish(void **state)
{
	uint64_t needs = 0, ino;
	uint32_t gen;

	open_base();
	gen = change_and_freeze();
	ino = store_ino(&store, "large");
	fill_well(gen);
	assert_frozen(ino, gen, changed, sizeof changed);
	store.tree->disc.limit = 0; /* nor does the mount need the disc */
	assert_bytes("large", changed, sizeof changed);
	store.tree->disc.limit = store.medium_end;
	assert_int_equal(store.tree->spool.used, LARGE + 4);
	store_publish(&store, gen);
	assert_bytes("large", changed, sizeof changed);
	assert_text(&store, "dir/other", "untouched");
	store_check(&store);
	assert_int_equal(store.tree->spool.used, 0);
	assert_int_equal(fill_needs(store.disc, &needs), 0);
	assert_int_equal(needs, 0);
	store_close(&store);
}

static void test_thaw(void **state)
{
	uint64_t needs = 0;
	uint32_t gen;

	open_base();
	write_at("dir/small", 0, "x");
	assert_int_equal(fill_needs(store.disc, &needs), 0);
	assert_int_equal(needs, 4999);
	gen = change_and_freeze();
	fill_well(gen);
	store_thaw(&store, gen);
	for (int again = 0; again < 2; again++) {
		assert_bytes("large", changed, sizeof changed);
		store_check(&store);
		assert_int_equal(store.tree->spool.used, LARGE + 4 + 5000);
		store_reopen(&store);
	}
	assert_int_equal(fill_needs(store.disc, &needs), 0);
	assert_int_equal(needs, 0);
	gen = store_freeze(&store);
	meanwhile.ret = 1; /* nothing is left to copy */
	fill_well(gen);
	store_publish(&store, gen);
	assert_bytes("large", changed, sizeof changed);
	store_check(&store);
	store_close(&store);
}

static void change_meanwhile(void)
{
	write_at("large", 0, "later");
	truncate_to("cut", 300);
	store_unlink(&store, "gone");
	store_chmod(&store, "touched", 0600);
	store_rename(&store, "moved", "away", 0);
	copy("touched", 0, 5000, "copy", 0);
	assert_int_equal(tree_sync(store.tree), 0);
}

/* Work goes on while it copies, and after it. */
static void test_meanwhile(void **state)
{
	static const char *const names[] = { "cut", "gone", "touched", "moved" };

	for (int publish = 0; publish < 2; publish++) {
		uint64_t ino[5];
		uint8_t want[5001];
		uint32_t gen;

		open_base();
		memcpy(want, large + 100, 5000);
		want[5000] = '!';
		for (size_t i = 0; i < 4; i++) {
			copy("dir/small", 0, 5000, names[i], 0);
			write_at(names[i], 5000, "!");
			ino[i] = store_ino(&store, names[i]);
		}
		gen = change_and_freeze();
		ino[4] = store_ino(&store, "large");
		meanwhile.now = change_meanwhile;
		meanwhile.at = 2u << 20;
		fill_well(gen);
		assert_null(meanwhile.now);
		write_at("touched", 10, "and"); /* where the frozen one's bytes are */
		write_at("large", 2u << 20, "still later");
		for (size_t i = 0; i < 4; i++)
			assert_frozen(ino[i], gen, want, sizeof want);
		assert_frozen(ino[4], gen, changed, sizeof changed);
		store_check(&store);
		if (publish)
			store_publish(&store, gen);
		else
			store_thaw(&store, gen);
		store_check(&store);
		memcpy(changed, "later", 5);
		memcpy(changed + (2u << 20), "still later", 11);
		for (int again = 0; again < 2; again++) {
			assert_bytes("large", changed, sizeof changed);
			assert_bytes("cut", want, 300);
			assert_bytes("away", want, sizeof want);
			assert_bytes("copy", want, 5000);
			assert_int_equal(store_ino(&store, "gone"), 0);
			assert_int_equal(store_attr(&store, "touched").mode, S_IFREG | 0600);
			store_reopen(&store);
		}
		memcpy(want + 10, "and", 3);
		assert_bytes("touched", want, sizeof want);
		store_close(&store);
	}
}

static void touch(void)
{
	store_chmod(&store, "large", 0600);
	assert_int_equal(tree_flush(store.tree), 0);
}

/* A body whose attributes alone changed meanwhile isn't burned again. */
static void test_body_lands_below(void **state)
{
	uint32_t gen;

	open_base();
	gen = change_and_freeze();
	meanwhile.now = touch;
	fill_well(gen);
	store_publish(&store, gen);
	assert_int_equal(store_attr(&store, "large").mode, S_IFREG | 0600);
	assert_int_equal(store.tree->body_sectors, 0);
	assert_bytes("large", changed, sizeof changed);
	store_check(&store);
	store_close(&store);
}

/* Each piece of the disc is copied once. */
static void test_copies(void **state)
{
	uint32_t gen;

	open_base();
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof name, "copy%d", i);
		copy("large", 4096u * (unsigned)i, 1u << 20, name, 0);
		write_at(name, 1u << 20, "end");
	}
	gen = store_freeze(&store);
	fill_well(gen);
	assert_int_equal(store.tree->spool.used, (1u << 20) + 2 * 4096 + 3 * 3);
	store_thaw(&store, gen);
	store_check(&store);
	assert_int_equal(store.tree->spool.used, (1u << 20) + 2 * 4096 + 3 * 3);
	write_at("copy1", 0, "own"); /* the others' bytes are theirs */
	memcpy(changed, large + 8192, 1u << 20);
	memcpy(changed + (1u << 20), "end", 3);
	assert_bytes("copy2", changed, (1u << 20) + 3);
	store_unlink(&store, "copy2");
	memcpy(changed, large, 1u << 20);
	assert_bytes("copy0", changed, (1u << 20) + 3);
	store_check(&store);
	store_close(&store);
}

/* What ISO 9660 can't reference, though nobody changed it: too many sections. */
static void test_base_in_pieces(void **state)
{
	for (int publish = 0; publish < 2; publish++) {
		struct node node = { .attr = { .mode = S_IFREG | 0644, .size = 120 * SECTOR } };
		uint8_t want[120 * SECTOR];
		struct inode *inode;
		uint32_t gen;

		open_base();
		for (size_t i = 0; i < 120; i++) {
			struct extent extent = { i * SECTOR, SECTOR, 0, EXTENT_DISC };

			memcpy(want + i * SECTOR, large + i * 777, SECTOR);
			extent.origin = store_record(&store, want + i * SECTOR, SECTOR);
			store_record(&store, "between", 7);
			assert_int_equal(extent_map_set(&node.map, &extent), 0);
		}
		store_put_base(&store, &node, ROOT_INO, "pieces");
		extent_map_clear(&node.map);
		base_end(&store);
		assert_int_equal(tree_get(store.tree, node.attr.ino, &inode), 0);
		write_at("dir/other", 0, "U");
		gen = store_freeze(&store);
		fill_well(gen);
		assert_frozen(node.attr.ino, gen, want, sizeof want);
		if (publish)
			store_publish(&store, gen);
		else
			store_thaw(&store, gen);
		assert_bytes("pieces", want, sizeof want);
		assert_int_equal(inode->node.map.items[0].kind, publish ? EXTENT_DISC : EXTENT_SPOOL);
		tree_put(store.tree, inode);
		store_check(&store);
		store_close(&store);
	}
}

/* Whatever it fails with, all is as it was. */
static void assert_nothing_lost(uint32_t gen)
{
	assert_bytes("large", changed, sizeof changed);
	store_thaw(&store, gen);
	for (int again = 0; again < 2; again++) {
		assert_bytes("large", changed, sizeof changed);
		assert_text(&store, "dir/other", "untouched");
		store_check(&store);
		assert_int_equal(store.tree->spool.used, 4 + 5 + 6);
		store_reopen(&store);
	}
	store_close(&store);
}

static void test_spool_limit(void **state)
{
	struct reason why = { 0 };
	uint32_t gen;

	open_base();
	gen = change_and_freeze();
	store.tree->spool.limit = LARGE - (1u << 20);
	assert_int_equal(fill(gen, &why), -ENOSPC);
	assert_int_equal(store.tree->spool.used, 4 + 5 + 6);
	assert_non_null(strstr(why.text, store.dir));
	assert_non_null(strstr(why.text, "1.0 MB too little room"));
	assert_non_null(strstr(why.text, "spool_limit"));
	store.tree->spool.limit = 0;
	assert_nothing_lost(gen);
}

static void test_unreadable(void **state)
{
	struct reason why = { 0 };
	uint32_t gen;

	open_base();
	gen = change_and_freeze();
	assert_int_equal(ftruncate(store.medium, 4u << 20), 0);
	assert_int_equal(fill(gen, &why), -EIO);
	assert_non_null(strstr(why.text, "sector 2048,"));
	assert_non_null(strstr(why.text, "\"large\""));
	assert_int_equal(fd_pwrite_full(store.medium, large, LARGE, 0), 0);
	assert_int_equal(fd_pwrite_full(store.medium, large + 100, 5000, LARGE), 0);
	assert_int_equal(fd_pwrite_full(store.medium, "untouched", 9, LARGE + 3 * SECTOR), 0);
	assert_nothing_lost(gen);
}

static void test_cancel(void **state)
{
	struct reason why = { 0 };
	uint32_t gen;

	open_base();
	gen = change_and_freeze();
	meanwhile.at = 3u << 20;
	meanwhile.ret = 1;
	assert_int_equal(fill(gen, &why), -ECANCELED);
	assert_nothing_lost(gen);
}

static void die(void)
{
	kill(getpid(), SIGKILL);
}

/* A process that dies before, in or after it: the next one thaws. */
static void test_killed(void **state)
{
	static const uint64_t when[] = { 0, 2u << 20, UINT64_MAX };

	for (size_t i = 0; i < 3; i++) {
		struct reason why = { 0 };
		pid_t child;
		int status;

		open_base();
		tree_close(store.tree);
		child = fork();
		if (child == 0) {
			uint32_t gen;

			store_start_tree(&store);
			gen = change_and_freeze();
			meanwhile.now = die;
			meanwhile.at = when[i];
			if (fill(gen, &why) == 0) {
				write_at("large", 0, "later");
				tree_flush(store.tree);
			}
			die();
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_int_equal(tree_open(store.tree, store.dir, store.dir_fd, 0, &why), 0);
		store.tree->disc.fd = store.medium;
		store.tree->disc.limit = store.medium_end;
		assert_int_equal(recover_commit(store.disc, &why), 0);
		assert_int_equal(sweep_at_start(store.tree, &why), 0);
		change_and_freeze(); /* only to know what there must be */
		store_thaw(&store, store.tree->gen - 1);
		if (when[i] == UINT64_MAX)
			memcpy(changed, "later", 5);
		assert_bytes("large", changed, sizeof changed);
		store_check(&store);
		store_close(&store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_publish),	    cmocka_unit_test(test_thaw),
		cmocka_unit_test(test_meanwhile),   cmocka_unit_test(test_body_lands_below),
		cmocka_unit_test(test_copies),	    cmocka_unit_test(test_base_in_pieces),
		cmocka_unit_test(test_spool_limit), cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_cancel),	    cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
