/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include "commit/tabled.h"
#include "store/boot.h"
#include "store/changes.h"

/* ---- catalogues ---- */

static void put_entry(uint8_t *at, uint8_t indicator, uint8_t media, uint16_t load_size, uint32_t lba)
{
	at[0] = indicator;
	at[1] = media;
	put_le32(at + 2, 0x7c0);
	put_le32(at + 6, load_size);
	put_le32(at + 8, lba);
}

static void put_catalog(uint8_t *block)
{
	memset(block, 0, SECTOR);
	memcpy(block, "\1\0\0\0maker", 9);
	block[30] = 0x55;
	block[31] = 0xaa;
	put_entry(block + 32, 0x88, 0, 4, 1000);
	memcpy(block + 64, "\x91\xef\2\0firm", 8);
	put_entry(block + 96, 0x88, 0, 65535, 2000);
	put_entry(block + 128, 0, 2, 1, 0xfffffffe);
	block[128 + 12] = 7;
}

static void test_catalog(void **state)
{
	struct boot_entry entries[BOOT_IMAGES_MOST];
	uint8_t block[SECTOR];

	put_catalog(block);
	assert_int_equal(boot_catalog_read(block, entries), 3);
	assert_int_equal(entries[0].platform, BOOT_BIOS);
	assert_int_equal(entries[0].load_size, 4);
	assert_int_equal(entries[0].lba, 1000);
	assert_true(entries[0].bootable);
	assert_string_equal((char *)entries[0].id, "maker");
	assert_int_equal(entries[1].platform, BOOT_EFI);
	assert_int_equal(entries[1].load_size, BOOT_LOAD_MOST);
	assert_string_equal((char *)entries[2].id, "firm");
	assert_int_equal(entries[2].media, 2);
	assert_int_equal(entries[2].criteria[0], 7);
	assert_false(entries[2].bootable);
	assert_int_equal(boot_entry_bytes(&entries[2]), 1440 * 1024);
	block[30] = 0;
	assert_int_equal(boot_catalog_read(block, entries), 0);
}

/* Whatever stands there, it's read within the block and within the list. */
static void test_hostile_catalog(void **state)
{
	struct boot_entry entries[BOOT_IMAGES_MOST];
	uint8_t block[SECTOR];

	put_catalog(block);
	block[66] = block[67] = 0xff; /* 65,535 entries */
	assert_int_equal(boot_catalog_read(block, entries), BOOT_IMAGES_MOST);
	for (size_t at = 64; at < SECTOR; at += 32) /* sections without entries and without end */
		memcpy(block + at, "\x90\xef\0\0", 4);
	assert_int_equal(boot_catalog_read(block, entries), 1);
	memcpy(block + SECTOR - 32, "\x90\xef\1\0", 4); /* the last one promises what lies behind the block */
	assert_int_equal(boot_catalog_read(block, entries), 1);
}

static void test_load(void **state)
{
	assert_int_equal(boot_default_load(BOOT_BIOS, 1), 4);
	assert_int_equal(boot_default_load(BOOT_BIOS, 1u << 30), 4);
	assert_int_equal(boot_default_load(BOOT_EFI, 2049), 8);
	assert_int_equal(boot_default_load(BOOT_EFI, 65532u * 512), 65532);
	assert_int_equal(boot_default_load(BOOT_EFI, 65535u * 512), 0);
}

/* ---- tables ---- */

static void make_body(uint8_t *planned, uint8_t *found, size_t length, const struct boot_table *table)
{
	for (size_t i = 0; i < length; i++)
		planned[i] = (uint8_t)(i * 7);
	memcpy(found, planned, length);
	boot_table_put(found, table);
}

static bool is_right(struct tabled *tabled, const uint8_t *planned, const uint8_t *found, size_t length)
{
	uint8_t copy[1000];
	struct tabled_body body = { 0 };
	bool same = true;

	memcpy(copy, found, length);
	for (size_t at = 0; at < length; at += 500) { /* in pieces */
		size_t piece = (size_t)min_u64(500, length - at);

		tabled_piece(&body, planned + at, copy + at, piece, at);
		same = same && memcmp(planned + at, copy + at, piece) == 0;
	}
	return same && tabled_is_right(tabled, &body, 5000, length);
}

static void test_table(void **state)
{
	struct tabled tabled = { .start = 4000, .images = { { .lba = 5000 } }, .count = 1 }, before = tabled;
	struct boot_table table = { 4016, 5000, 999, 0 };
	uint8_t planned[1000], found[1000];

	make_body(planned, found, 999, &table);
	table.sum = boot_table_sum(0, planned, 999, 0);
	assert_int_equal(boot_table_sum(boot_table_sum(0, planned, 500, 0), planned + 500, 499, 500),
			 table.sum);
	boot_table_put(found, &table);
	assert_true(is_right(&tabled, planned, found, 999));
	assert_false(is_right(&tabled, planned, found, 999)); /* another file at the same place */
	for (size_t at = 0; at < 999; at++) {		      /* each byte counts */
		tabled = before;
		found[at] ^= 1;
		assert_false(is_right(&tabled, planned, found, 999));
		found[at] ^= 1;
	}
	tabled = before;
	tabled.count = 0; /* no boot image of this session */
	assert_false(is_right(&tabled, planned, found, 999));
	assert_true(is_right(&tabled, planned, planned, 999));
}

/* ---- what is staged ---- */

static void stage(struct store *store, enum boot_slot slot, const char *path)
{
	struct boot_wish wish = { .ino = store_ino(store, path), .load_size = 8, .table = true };

	text_add(&wish.path, "%s", path);
	assert_int_equal(boot_stage(store->tree, slot, &wish), 0);
	text_clear(&wish.path);
}

/* want: the paths for BIOS and UEFI, "-" where none is to be, "" where nothing is said. */
static void assert_staged(struct store *store, uint32_t gen, bool none, const char *bios, const char *efi)
{
	const char *const want[BOOT_SLOTS] = { "", bios, efi };
	struct boot_wishes wishes CLEANUP(boot_wishes_clear) = { 0 };
	struct changes_count count;

	assert_int_equal(boot_wishes_load(&store->tree->db, gen, &wishes), none || *bios || *efi);
	assert_int_equal(wishes.none, none);
	for (size_t i = BOOT_SLOT_BIOS; i < BOOT_SLOTS; i++) {
		const struct boot_wish *wish = &wishes.slots[i];

		assert_int_equal(wish->set, *want[i] != '\0');
		if (!wish->set)
			continue;
		assert_int_equal(wish->ino == 0, *want[i] == '-');
		if (wish->ino) {
			assert_string_equal(wish->path.data, want[i]);
			assert_true(wish->table && wish->load_size == 8);
		}
	}
	if (gen == GEN_NEWEST) {
		assert_int_equal(changes_count(store->tree, &count), 0);
		assert_int_equal(count.boot, none + (*bios != '\0') + (*efi != '\0'));
	}
}

static void open_base(struct store *store)
{
	store_open(store);
	base_text(store, ROOT_INO, "a", "an image");
	base_text(store, ROOT_INO, "b", "another");
	base_end(store);
}

static void test_stage(void **state)
{
	struct store store;

	open_base(&store);
	assert_staged(&store, GEN_NEWEST, false, "", "");
	stage(&store, BOOT_SLOT_BIOS, "a");
	assert_int_equal(boot_stage(store.tree, BOOT_SLOT_EFI, &(struct boot_wish){ 0 }), 0);
	assert_staged(&store, GEN_NEWEST, false, "a", "-");
	store_reopen(&store); /* alone, it makes a generation */
	assert_staged(&store, GEN_NEWEST, false, "a", "-");
	assert_staged(&store, store.tree->gen, false, "a", "-");
	assert_int_equal(boot_stage_none(store.tree), 0);
	assert_staged(&store, GEN_NEWEST, true, "", "");
	stage(&store, BOOT_SLOT_EFI, "b");
	assert_staged(&store, GEN_NEWEST, true, "", "b");
	assert_int_equal(boot_unstage(store.tree), 0);
	assert_staged(&store, GEN_NEWEST, false, "", "");
	stage(&store, BOOT_SLOT_BIOS, "a");
	store_put(&store, "new", "x");
	stage(&store, BOOT_SLOT_EFI, "new");
	assert_int_equal(discard_staged(store.tree, "new", NULL), 0);
	assert_staged(&store, GEN_NEWEST, false, "a", "");
	stage(&store, BOOT_SLOT_EFI, "b");
	assert_int_equal(discard_staged(store.tree, "a", NULL), 0);
	assert_staged(&store, GEN_NEWEST, false, "", "b");
	assert_int_equal(discard_staged(store.tree, "", NULL), 0);
	assert_staged(&store, GEN_NEWEST, false, "", "");
	store_check(&store);
	store_close(&store);
}

/* What is staged while a commit is under way is for the one after it. */
static void test_generations(void **state)
{
	for (int round = 0; round < 6; round++) {
		struct store store;
		uint32_t gen;

		open_base(&store);
		stage(&store, BOOT_SLOT_BIOS, "a");
		stage(&store, BOOT_SLOT_EFI, "a");
		gen = store_freeze(&store);
		if (round % 3 == 1)
			stage(&store, BOOT_SLOT_EFI, "b");
		if (round % 3 == 2)
			assert_int_equal(boot_stage_none(store.tree), 0);
		assert_staged(&store, gen, false, "a", "a");
		if (round < 3)
			store_publish(&store, gen);
		else
			store_thaw(&store, gen);
		if (round % 3 == 2)
			assert_staged(&store, GEN_NEWEST, true, "", "");
		else
			assert_staged(&store, GEN_NEWEST, false, round < 3 ? "" : "a",
				      round % 3 == 1 ? "b"
				      : round < 3    ? ""
						     : "a");
		store_check(&store);
		store_close(&store);
	}
}

static void test_find_file(void **state)
{
	struct node node CLEANUP(node_clear) = { 0 };
	struct store store;
	uint64_t ino;
	uint32_t gen;

	open_base(&store);
	assert_int_equal(rows_node_get(&store.tree->db, store_ino(&store, "b"), 0, &node, &gen), 1);
	assert_int_equal(boot_find_file(&store.tree->db, (uint32_t)(node.map.items[0].origin / SECTOR), &ino),
			 1);
	assert_int_equal(ino, store_ino(&store, "b"));
	assert_int_equal(boot_find_file(&store.tree->db, 123456, &ino), 0);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalog),	  cmocka_unit_test(test_hostile_catalog),
		cmocka_unit_test(test_load),	  cmocka_unit_test(test_table),
		cmocka_unit_test(test_stage),	  cmocka_unit_test(test_generations),
		cmocka_unit_test(test_find_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
