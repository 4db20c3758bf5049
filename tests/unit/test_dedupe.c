/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing twice: which staged bodies get the place of an old or an equal one, what is read for it, and that
 * all bytes stay what they were, whatever goes on meanwhile and wherever it ends. */
#include "store.h"

#include "commit/dedupe.h"

#include <openssl/evp.h>

#define LARGE (5u << 20)
#define SMALL 5000u

static struct store store;
static uint8_t large[LARGE], other[LARGE];
static struct dedupe_saved saved;
static uint64_t bytes_read; /* by the last one */

/* What goes on while it reads. */
static struct {
	void (*now)(void);
	uint64_t at; /* bytes */
	int ret;
} meanwhile;

static int step(void *self, uint64_t done, uint64_t total)
{
	void (*now)(void) = done >= meanwhile.at ? meanwhile.now : NULL;

	assert_true(done <= total);
	bytes_read = done;
	if (now) {
		meanwhile.now = NULL;
		now();
	}
	return done >= meanwhile.at ? meanwhile.ret : 0;
}

static int dedupe(uint32_t gen, struct reason *why)
{
	static const struct fill_progress progress = { .step = step };

	bytes_read = 0;
	return dedupe_generation(store.disc, gen, &progress, &saved, why);
}

static void dedupe_well(uint32_t gen)
{
	struct reason why = { 0 };

	if (dedupe(gen, &why) < 0)
		fail_msg("%s", why.text);
	store_check(&store);
}

/* A file of the base; summed: with the MD5 that the disc records. */
static uint64_t put_base(const char *name, const uint8_t *data, size_t length, bool summed, const char *zf)
{
	struct node node = { .attr = { .mode = S_IFREG | 0644, .size = length } };
	struct extent extent = { .length = length, .kind = EXTENT_DISC };
	uint8_t md5[MD5_LENGTH];

	extent.origin = store_record(&store, data, length);
	assert_int_equal(extent_map_set(&node.map, &extent), 0);
	assert_int_equal(EVP_Digest(data, length, md5, NULL, EVP_md5(), NULL), 1);
	if (summed)
		assert_int_equal(blob_set(&node.md5, md5, MD5_LENGTH), 0);
	if (zf)
		assert_int_equal(blob_set(&node.zf, zf, 12), 0);
	store_put_base(&store, &node, ROOT_INO, name);
	store.next_ino = node.attr.ino + 1;
	node_clear(&node);
	return node.attr.ino;
}

/* large: the base has it; small: so, without a sum; sector: the base's first. */
static void open_base(void)
{
	uint64_t seed = 11;

	memset(&meanwhile, 0, sizeof meanwhile);
	for (size_t i = 0; i < LARGE; i++) {
		large[i] = (uint8_t)random_next(&seed);
		other[i] = (uint8_t)random_next(&seed);
	}
	store_open(&store);
	store_record(&store, large, SECTOR);
	put_base("large", large, LARGE, true, NULL);
	put_base("small", large + 100, SMALL, true, NULL);
	put_base("plain", large + 7000, 3 * SMALL, false, NULL);
	base_end(&store);
}

static void put(const char *path, const void *data, size_t length)
{
	struct inode *inode;

	if (store_ino(&store, path) == 0)
		assert_int_equal(store_make(&store, path, S_IFREG | 0644), 0);
	assert_int_equal(tree_get(store.tree, store_ino(&store, path), &inode), 0);
	assert_int_equal(body_truncate(store.tree, inode, 0), 0);
	assert_int_equal(body_write(store.tree, inode, data, length, 0), 0);
	tree_put(store.tree, inode);
}

static void write_at(const char *path, const void *data, size_t length, uint64_t offset)
{
	struct inode *inode;

	assert_int_equal(tree_get(store.tree, store_ino(&store, path), &inode), 0);
	assert_int_equal(body_write(store.tree, inode, data, length, offset), 0);
	tree_put(store.tree, inode);
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

/* The row of a path as it is frozen. */
static struct node frozen(uint64_t ino, uint32_t gen)
{
	struct node node = { 0 };
	uint32_t found;

	assert_int_equal(rows_node_get(&store.tree->db, ino, gen, &node, &found), 1);
	return node;
}

/* Whether the frozen body has the place of another one, which is of the base (gen 0) or as frozen. */
static bool is_at(const char *path, uint32_t gen, const char *there, uint32_t in)
{
	struct node a CLEANUP(node_clear) = frozen(store_ino(&store, path), gen);
	struct node b CLEANUP(node_clear) = frozen(store_ino(&store, there), in);

	return extent_map_equal(&a.map, &b.map);
}

static bool is_old(const char *path, uint32_t gen)
{
	struct node a CLEANUP(node_clear) = frozen(store_ino(&store, path), gen);

	return extent_map_is_on_disc(&a.map, a.attr.size);
}

/* Bytes that the disc has, under the same name and under others. */
static void test_old(void **state)
{
	uint32_t gen;

	for (int publish = 0; publish < 2; publish++) {
		open_base();
		put("large", large, LARGE);
		put("small", large + 100, SMALL);
		put("copy", large + 100, SMALL);
		put("plain too", large + 7000, 3 * SMALL);
		put("beginning", large, LARGE - 1);
		put("longer", other, SMALL + 1);
		memcpy(other, large, LARGE - 1);
		put("end", other, LARGE);
		gen = store_freeze(&store);
		dedupe_well(gen);
		assert_true(is_at("large", gen, "large", 0));
		assert_true(is_at("small", gen, "small", 0));
		assert_true(is_at("copy", gen, "small", 0));
		assert_true(is_at("plain too", gen, "plain", 0));
		assert_false(is_old("beginning", gen) || is_old("longer", gen) || is_old("end", gen));
		assert_int_equal(saved.files, 4);
		assert_int_equal(saved.sectors,
				 sectors_of(LARGE) + 2 * sectors_of(SMALL) + sectors_of(3 * SMALL));
		if (publish)
			store_publish(&store, gen);
		else
			store_thaw(&store, gen);
		store_check(&store);
		assert_int_equal(store.tree->spool.used, publish ? 0 : LARGE - 1 + SMALL + 1 + LARGE);
		for (int again = 0; again < 2; again++) {
			assert_bytes("large", large, LARGE);
			assert_bytes("copy", large + 100, SMALL);
			assert_bytes("plain too", large + 7000, 3 * SMALL);
			assert_bytes("end", other, LARGE);
			assert_int_equal(store_attr(&store, "copy").nlink, 1);
			store_reopen(&store);
		}
		store_check(&store);
		store_close(&store);
	}
}

/* Nothing is read that nothing else has the size of; nothing of the disc that has another MD5. */
static void test_reads_little(void **state)
{
	uint32_t gen;

	open_base();
	put("one", other, SMALL + 1);
	put("two", other, SMALL + 2);
	put("three", other, LARGE - 7);
	put("four", other + 8, LARGE - 8);
	gen = store_freeze(&store);
	dedupe_well(gen);
	assert_int_equal(bytes_read, 0);
	store_publish(&store, gen);
	put("another", other, SMALL); /* the base has one of that size */
	put("like large", other, LARGE);
	put("like large, too", other + 1, LARGE - 1);
	write_at("like large, too", "x", 1, LARGE - 1);
	gen = store_freeze(&store);
	dedupe_well(gen);
	assert_int_equal(bytes_read, SMALL + 3 * (64 << 10)); /* how both and the old one begin */
	assert_int_equal(saved.files, 0);
	store_thaw(&store, gen);
	store_close(&store);
}

static int kept_sums(void)
{
	sqlite3_stmt *stmt;
	int count;

	assert_int_equal(
	    sqlite3_prepare_v2(store.tree->db.handle, "SELECT count(*) FROM digest", -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	count = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return count;
}

/* What was computed of an old body is kept, until it leaves the base. */
static void test_kept(void **state)
{
	uint32_t gen;

	open_base();
	put("unlike", other, 3 * SMALL);
	gen = store_freeze(&store);
	dedupe_well(gen);
	assert_int_equal(bytes_read, 2 * 3 * SMALL);
	store_thaw(&store, gen);
	store_reopen(&store);
	assert_int_equal(kept_sums(), 1);
	gen = store_freeze(&store);
	dedupe_well(gen);
	assert_int_equal(bytes_read, 3 * SMALL);
	store_thaw(&store, gen);
	put("like", large + 7000, 3 * SMALL); /* then it's read all the same */
	gen = store_freeze(&store);
	dedupe_well(gen);
	assert_int_equal(bytes_read, 3 * 3 * SMALL);
	assert_true(is_at("like", gen, "plain", 0));
	store_thaw(&store, gen);
	assert_int_equal(store_unlink(&store, "plain"), 0);
	store_publish(&store, store_freeze(&store));
	assert_int_equal(kept_sums(), 0);
	store_close(&store);
}

/* An old copy that can't be read isn't used, whatever is known of it. */
static void test_unreadable(void **state)
{
	struct node node CLEANUP(node_clear) = { 0 };
	uint32_t gen;

	open_base();
	node = frozen(store_ino(&store, "plain"), 0);
	put("large", large, LARGE);
	put("like", large + 7000, 3 * SMALL);
	put("like2", large + 7000, 3 * SMALL);
	store.tree->disc.limit = node.map.items[0].origin + SMALL;
	gen = store_freeze(&store);
	dedupe_well(gen);
	assert_true(is_old("large", gen));
	assert_false(is_old("like", gen));
	assert_true(is_at("like2", gen, "like", gen)); /* once, then */
	store.tree->disc.limit = store.medium_end;
	store_thaw(&store, gen);
	assert_bytes("like2", large + 7000, 3 * SMALL);
	store_close(&store);
}

static void test_equal(void **state)
{
	uint32_t gen;

	for (int publish = 0; publish < 2; publish++) {
		char name[16];

		open_base();
		for (int i = 0; i < 1000; i++) {
			snprintf(name, sizeof name, "f%d", i);
			put(name, other + (i % 2), 300);
		}
		put("big", other, 2u << 20);
		put("big2", other, 2u << 20);
		store_link(&store, "big2", "big3");
		gen = store_freeze(&store);
		dedupe_well(gen);
		assert_int_equal(saved.files, 998 + 1);
		assert_int_equal(saved.sectors, 998 + 1024);
		assert_true(is_at("f998", gen, "f0", gen) && is_at("f999", gen, "f1", gen));
		assert_false(is_at("f1", gen, "f0", gen));
		assert_true(is_at("big", gen, "big3", gen));
		write_at("f4", "later", 5, 10);
		assert_int_equal(store_unlink(&store, "f0"), 0);
		if (publish)
			store_publish(&store, gen);
		else
			store_thaw(&store, gen);
		store_check(&store);
		assert_int_equal(store.tree->spool.used, publish ? 300 : 5 + 2 * 300 + (2u << 20)); /* f4 */
		memcpy(large, other, 300);
		memcpy(large + 10, "later", 5);
		for (int again = 0; again < 2; again++) {
			assert_bytes("f4", large, 300);
			assert_bytes("f998", other, 300);
			assert_bytes("f999", other + 1, 300);
			assert_bytes("big3", other, 2u << 20);
			assert_int_equal(store_attr(&store, "big").nlink, 1);
			assert_int_equal(store_attr(&store, "big2").nlink, 2);
			assert_int_not_equal(store_ino(&store, "f998"), store_ino(&store, "f996"));
			store_reopen(&store);
		}
		write_at("f998", "own", 3, 0); /* the others' bytes are theirs */
		assert_bytes("f996", other, 300);
		store_check(&store);
		store_close(&store);
	}
}

static void change_meanwhile(void)
{
	write_at("large", "later", 5, 7);
	write_at("copy", "also", 4, 0);
	store_chmod(&store, "touched", 0600);
	store_unlink(&store, "gone");
	assert_int_equal(tree_sync(store.tree), 0);
}

/* What is burned is what was frozen; what is changed meanwhile stays changed. */
static void test_meanwhile(void **state)
{
	for (uint64_t at = 0; at < 2 * LARGE; at += LARGE / 3) {
		struct node node CLEANUP(node_clear) = { 0 };
		uint32_t gen;

		open_base();
		put("large", large, LARGE);
		put("copy", large + 100, SMALL);
		put("touched", large + 100, SMALL);
		put("gone", large + 100, SMALL);
		gen = store_freeze(&store);
		meanwhile.now = change_meanwhile;
		meanwhile.at = at;
		dedupe_well(gen);
		assert_null(meanwhile.now);
		assert_int_equal(saved.files, 4);
		assert_true(is_at("large", gen, "large", 0) && is_at("copy", gen, "small", 0));
		store_publish(&store, gen);
		store_check(&store);
		memcpy(other, large, LARGE);
		memcpy(other + 7, "later", 5);
		assert_bytes("large", other, LARGE);
		memcpy(other, large + 100, SMALL);
		memcpy(other, "also", 4);
		assert_bytes("copy", other, SMALL);
		assert_bytes("touched", large + 100, SMALL);
		node = frozen(store_ino(&store, "touched"), GEN_NEWEST);
		assert_true(
		    extent_map_is_on_disc(&node.map, SMALL)); /* nothing of it is staged but its mode */
		store_close(&store);
	}
}

static void test_cancelled(void **state)
{
	for (uint64_t at = 1; at < 4 * LARGE; at += LARGE / 2) {
		struct reason why = { 0 };
		uint32_t gen;
		int ret;

		open_base();
		put("large", large, LARGE);
		put("equal", other, LARGE);
		put("equal2", other, LARGE);
		gen = store_freeze(&store);
		meanwhile.at = at;
		meanwhile.ret = 1;
		ret = dedupe(gen, &why);
		if (bytes_read >= at)
			assert_int_equal(ret, -ECANCELED);
		store_thaw(&store, gen);
		store_check(&store);
		meanwhile.ret = 0;
		gen = store_freeze(&store);
		dedupe_well(gen);
		assert_true(is_old("large", gen) && is_at("equal", gen, "equal2", gen));
		store_publish(&store, gen);
		assert_bytes("large", large, LARGE);
		assert_bytes("equal2", other, LARGE);
		store_close(&store);
	}
}

/* Bytes written over the same bytes in the middle of a file. */
static void test_in_part(void **state)
{
	uint32_t gen;

	open_base();
	write_at("large", large + 12345, 100000, 12345);
	write_at("plain", "unlike", 6, 12345);
	gen = store_freeze(&store);
	dedupe_well(gen);
	assert_int_equal(bytes_read, 100000 + 6);
	assert_true(is_at("large", gen, "large", 0));
	assert_false(is_old("plain", gen));
	assert_int_equal(saved.files, 1);
	store_publish(&store, gen);
	assert_bytes("large", large, LARGE);
	assert_int_equal(store.tree->spool.used, 0);
	store_check(&store);
	store_close(&store);
}

/* A boot catalogue is written anew in each session; a zisofs stream would be taken for what it holds. */
static void test_not_used(void **state)
{
	uint8_t record[SECTOR] = "\0CD001\1EL TORITO SPECIFICATION";
	uint32_t gen;

	open_base();
	store_close(&store);
	store_open(&store);
	put_le32(record + 71, 18);
	store_record(&store, large, 17 * SECTOR);
	store_record(&store, record, SECTOR);
	put_base("catalog", large, SECTOR, true, NULL);
	put_base("zisofs", large, 2 * SECTOR, true, "pz\4\17........");
	put_base("used", large, 3 * SECTOR, true, NULL);
	base_end(&store);
	put("a", large, SECTOR);
	put("b", large, 2 * SECTOR);
	put("c", large, 3 * SECTOR);
	gen = store_freeze(&store);
	dedupe_well(gen);
	assert_false(is_old("a", gen) || is_old("b", gen));
	assert_true(is_old("c", gen));
	store_thaw(&store, gen);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old),	  cmocka_unit_test(test_reads_little),
		cmocka_unit_test(test_kept),	  cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_equal),	  cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_cancelled), cmocka_unit_test(test_in_part),
		cmocka_unit_test(test_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
