/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/boot.h"

#include <errno.h>
#include <string.h>

uint8_t boot_slot_platform(enum boot_slot slot)
{
	return slot == BOOT_SLOT_EFI ? BOOT_EFI : BOOT_BIOS;
}

void boot_wishes_clear(struct boot_wishes *wishes)
{
	for (size_t i = 0; i < BOOT_SLOTS; i++)
		text_clear(&wishes->slots[i].path);
	*wishes = (struct boot_wishes){ 0 };
}

unsigned boot_wishes_count(const struct boot_wishes *wishes)
{
	unsigned count = wishes->none;

	for (size_t i = 0; i < BOOT_SLOTS; i++)
		count += wishes->slots[i].set;
	return count;
}

/* Rows come by generation, and of each first the one that ends what was before. */
static void take_row(sqlite3_stmt *stmt, struct boot_wishes *wishes)
{
	size_t slot = (size_t)sqlite3_column_int64(stmt, 0);
	struct boot_wish *wish = &wishes->slots[slot % BOOT_SLOTS];

	if (slot == BOOT_SLOT_ALL) {
		boot_wishes_clear(wishes);
		wishes->none = true;
		return;
	}
	text_clear(&wish->path);
	*wish = (struct boot_wish){ .set = true,
				    .ino = (uint64_t)sqlite3_column_int64(stmt, 1),
				    .load_size = (uint32_t)sqlite3_column_int64(stmt, 2),
				    .table = sqlite3_column_int64(stmt, 3) != 0 };
	text_add_bytes(&wish->path, sqlite3_column_blob(stmt, 4), (size_t)sqlite3_column_bytes(stmt, 4));
}

int boot_wishes_load(struct db *db, uint32_t gen, struct boot_wishes *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_BOOT_LIST);
	int got;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, gen);
	while ((got = db_step(db, stmt)) > 0)
		take_row(stmt, ret);
	sqlite3_reset(stmt);
	for (size_t i = 0; got == 0 && i < BOOT_SLOTS; i++)
		got = ret->slots[i].path.failed ? -ENOMEM : 0;
	return got < 0 ? got : boot_wishes_count(ret) > 0;
}

static int put_row(struct tree *tree, enum boot_slot slot, const struct boot_wish *wish)
{
	sqlite3_stmt *stmt = db_query(&tree->db, QUERY_BOOT_PUT);

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, slot);
	sqlite3_bind_int64(stmt, 2, tree->gen);
	sqlite3_bind_int64(stmt, 3, (int64_t)wish->ino);
	sqlite3_bind_int64(stmt, 4, wish->load_size);
	sqlite3_bind_int64(stmt, 5, wish->table);
	sqlite3_bind_blob64(stmt, 6, wish->path.length ? wish->path.data : "", wish->path.length,
			    SQLITE_STATIC);
	return db_run(&tree->db, stmt);
}

int boot_discard(struct tree *tree)
{
	return db_run_ints(&tree->db, QUERY_BOOT_DISCARD, tree->gen, 0);
}

int boot_discard_slot(struct tree *tree, enum boot_slot slot)
{
	return db_run_ints(&tree->db, QUERY_BOOT_DISCARD_SLOT, tree->gen, slot);
}

/* All of it, and nothing else that could fail, is one COMMIT: it's in the database, or the errno says that it
 * isn't. wish: NULL for none. */
static int change(struct tree *tree, bool discard, enum boot_slot slot, const struct boot_wish *wish)
{
	int ret;

	WITH_READ_LOCK(&tree->freeze);
	WITH_LOCK(&tree->lock);
	ret = tree_flush_locked(tree);
	if (ret == 0)
		ret = wish ? tree_growth_begin(tree) : tree_change_begin(tree);
	if (ret == 0 && discard)
		ret = boot_discard(tree);
	if (ret == 0 && wish)
		ret = put_row(tree, slot, wish);
	if (ret == 0)
		ret = tree_flush_locked(tree);
	if (ret < 0)
		db_rollback(&tree->db);
	atomic_fetch_add(&tree->stamp, 1);
	return ret;
}

static int change_synced(struct tree *tree, bool discard, enum boot_slot slot, const struct boot_wish *wish)
{
	int ret = change(tree, discard, slot, wish);

	return ret < 0 ? ret : tree_sync(tree);
}

int boot_stage(struct tree *tree, enum boot_slot slot, const struct boot_wish *wish)
{
	return change_synced(tree, false, slot, wish);
}

int boot_stage_none(struct tree *tree)
{
	return change_synced(tree, true, BOOT_SLOT_ALL, &(struct boot_wish){ 0 });
}

int boot_unstage(struct tree *tree)
{
	return change_synced(tree, true, BOOT_SLOT_ALL, NULL);
}

/* begins: the first extent, packed. */
static int find_file(struct db *db, enum query query, const struct blob *begins, uint64_t *ret_ino)
{
	sqlite3_stmt *stmt = db_query(db, query);
	int got;

	if (!stmt)
		return -EIO;
	sqlite3_bind_blob64(stmt, 1, begins->data, 8, SQLITE_STATIC);
	sqlite3_bind_blob64(stmt, 2, begins->data + 16, 8, SQLITE_STATIC);
	got = db_step(db, stmt);
	if (got > 0)
		*ret_ino = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return got;
}

int boot_find_file(struct db *db, uint32_t lba, uint64_t *ret_ino)
{
	CLEANUP(extent_map_clear) struct extent_map map = { 0 };
	CLEANUP(blob_clear) struct blob begins = { 0 };
	const struct extent first = { .kind = EXTENT_DISC,
				      .length = SECTOR,
				      .origin = (uint64_t)lba * SECTOR };
	int got = extent_map_set(&map, &first);

	if (got == 0)
		got = extent_map_pack(&map, &begins);
	if (got == 0)
		got = find_file(db, QUERY_BOOT_KNOWN, &begins, ret_ino);
	return got == 0 ? find_file(db, QUERY_BOOT_FIND, &begins, ret_ino) : got;
}
