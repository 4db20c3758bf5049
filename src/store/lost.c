/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/lost.h"

#include "base/log.h"
#include "base/text.h"
#include "store/body.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

#define RANGES_MOST 1000u	 /* then they become one */
#define TOLD_MOST   50u		 /* log lines, until there's room again */
#define AT_ONCE	    (1ull << 20) /* what the kernel writes with one request */
#define OFFSET_MOST (1ull << 50) /* far behind what a body may have, and far from what a map can't hold */

static bool is_lost(const struct inode *inode)
{
	return inode->node.lost.count > 0;
}

static enum lost_why why_of(int err)
{
	return err == -ENOSPC || err == -EDQUOT ? LOST_NO_ROOM : LOST_ERROR;
}

const char *lost_word(enum lost_why why)
{
	return why == LOST_NO_ROOM ? "no room was left" : "the disk with the state directory failed";
}

static int add_range(struct extent_map *lost, uint64_t offset, uint64_t length, enum lost_why why)
{
	struct extent range = { .kind = (enum extent_kind)why };

	range.offset = min_u64(offset, OFFSET_MOST);
	range.length = max_u64(1, min_u64(length, OFFSET_MOST));
	if (lost->count >= RANGES_MOST) {
		const struct extent *last = &lost->items[lost->count - 1];
		uint64_t end = max_u64(last->offset + last->length, range.offset + range.length);

		range.offset = min_u64(range.offset, lost->items[0].offset);
		range.length = end - range.offset;
	}
	range.origin = range.offset;
	return extent_map_set(lost, &range);
}

static void tell(struct tree *tree, const struct inode *inode, int err)
{
	struct text path AUTO_TEXT = { 0 };
	struct text shown AUTO_TEXT = { 0 };
	unsigned told = atomic_fetch_add(&tree->lost_told, 1) + 1;
	int ret;

	if (told > TOLD_MOST)
		return;
	{
		WITH_LOCK(&tree->lock);
		ret = rows_path(&tree->db, inode->node.attr.ino, GEN_NEWEST, &path);
	}
	if (ret < 0 || path.length == 0)
		return; /* nobody can reach it */
	text_add_escaped(&shown, path.data, path.length);
	log_warning(
	    "incomplete: %s: a write was refused (%s); it isn't burned until it's copied again, or deleted",
	    shown.data ? shown.data : "", strerror(-err));
}

void lost_note(struct tree *tree, struct inode *inode, uint64_t offset, uint64_t length, int err)
{
	bool first = !is_lost(inode);
	int ret;

	if (tree->read_only || err == -EROFS || length == 0)
		return; /* nothing will be burned */
	if (err == -EFBIG || err == -EINVAL || err == -EOVERFLOW)
		return; /* no file can have such a place: that isn't in anybody's cache */
	{
		WITH_LOCK(&inode->lock);
		ret = add_range(&inode->node.lost, offset, length, why_of(err));
	}
	if (ret < 0)
		log_error("no memory to remember that a write was refused");
	if (why_of(err) == LOST_NO_ROOM)
		atomic_store(&tree->short_of_room, true);
	atomic_store(&inode->refused, true);
	tree_mark_dirty(tree, inode);
	if (!first || inode->node.attr.nlink == 0)
		return;
	tell(tree, inode, err);
	tree_flush(tree); /* whatever becomes of this process */
}

void lost_mend(struct inode *inode, uint64_t offset, uint64_t length)
{
	if (!is_lost(inode))
		return;
	WITH_LOCK(&inode->lock);
	/* Without memory it stays: that's the safe side. */
	extent_map_punch(&inode->node.lost, offset, length);
}

void lost_copy(struct tree *tree, const struct inode *from, uint64_t from_offset, struct inode *to,
	       uint64_t offset, uint64_t length)
{
	struct extent_map lost CLEANUP(extent_map_clear) = { 0 }; /* from may be to */
	bool whole = from_offset + length >= from->node.attr.size;

	if (is_lost(from) && extent_map_copy(&from->node.lost, &lost) < 0)
		log_error("no memory to remember that a write was refused");
	for (size_t i = 0; i < lost.count; i++) {
		struct extent range = lost.items[i];
		uint64_t end = range.offset + range.length, at = max_u64(range.offset, from_offset);

		/* Of what is missing at the end nobody knows how much there should be. */
		end = whole ? end : min_u64(end, from_offset + length);
		if (at < end)
			lost_note(tree, to, offset + (at - from_offset), end - at,
				  range.kind == (enum extent_kind)LOST_NO_ROOM ? -ENOSPC : -EIO);
	}
}

int lost_allows(struct tree *tree, const struct inode *inode, uint64_t offset, uint64_t end)
{
	uint64_t size = inode->node.attr.size;
	struct extent gap;

	if (!is_lost(inode) || offset <= size)
		return 0;
	extent_map_piece(&inode->node.lost, size, 1, &gap);
	return gap.kind && end - size > spool_room(&tree->spool) ? -ENOSPC : 0;
}

uint64_t lost_room(struct tree *tree)
{
	return min_u64(tree_free_sectors(tree) * SECTOR, spool_room(&tree->spool));
}

/* Who was refused would go on behind it, as far as one request of the kernel; who opens the file anew may
 * write over what is there, which takes nothing. An empty file needs something; nobody writes where none has
 * it open for that (the kernel asks before a read, too). */
static uint64_t needed(struct inode *inode)
{
	if (atomic_load(&inode->writers) == 0)
		return 0;
	WITH_LOCK(&inode->lock);
	if (is_lost(inode) && atomic_load(&inode->refused))
		return min_u64(extent_map_stored(&inode->node.lost), AT_ONCE);
	return S_ISREG(inode->node.attr.mode) && inode->node.attr.size == 0 ? SPOOL_ALIGN : 0;
}

int lost_ahead(struct tree *tree, struct inode *inode)
{
	uint64_t bytes = needed(inode);
	int ret = atomic_load(&tree->failing);

	if (bytes == 0)
		return 0;
	body_make_room(tree, bytes);
	if (ret == 0 && lost_room(tree) < bytes)
		ret = -ENOSPC;
	if (ret == 0)
		return 0;
	WITH_READ_LOCK(&tree->freeze);
	WITH_WRITE_LOCK(&inode->io);
	if (!is_lost(inode)) /* nobody knows how much it was to be */
		lost_note(tree, inode, inode->node.attr.size, 1, ret);
	return ret;
}

/* ---- which they are ---- */

struct lost_row {
	uint64_t ino;
	enum lost_why why;
};

typedef VEC(struct lost_row) row_list;

static void rows_clear(row_list *rows)
{
	vec_clear(rows);
}

void lost_files_clear(struct lost_files *files)
{
	vec_each (&files->list, file)
		free(file->path);
	vec_clear(&files->list);
}

static int add_file(struct db *db, const struct lost_row *row, uint32_t gen, struct lost_files *ret)
{
	struct text path = { 0 };
	int err = rows_path(db, row->ino, gen, &path);
	struct lost_file *file = err == 0 ? vec_push(&ret->list) : NULL;

	if (!file) {
		text_clear(&path);
		return err == -ENOENT ? 0 : err < 0 ? err : -ENOMEM;
	}
	*file = (struct lost_file){ .path = path.data, .why = row->why };
	return 0;
}

static int add_row(sqlite3_stmt *stmt, row_list *ret)
{
	struct extent_map lost CLEANUP(extent_map_clear) = { 0 };
	struct lost_row *row;
	int err =
	    extent_map_unpack(sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1), &lost);

	if (err < 0 || lost.count == 0)
		return err;
	row = vec_push(ret);
	if (!row)
		return -ENOMEM;
	*row =
	    (struct lost_row){ (uint64_t)sqlite3_column_int64(stmt, 0), (enum lost_why)lost.items[0].kind };
	return 0;
}

static int collect(struct db *db, uint32_t gen, row_list *ret)
{
	sqlite3_stmt *stmt = db_query(db, QUERY_NODES_LOST);
	int err = 0, step = 0;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, gen);
	while (err == 0 && (step = db_step(db, stmt)) > 0)
		err = add_row(stmt, ret);
	sqlite3_reset(stmt);
	return err ? err : step;
}

static int by_path(const void *a, const void *b)
{
	const struct lost_file *left = a, *right = b;

	return strcmp(left->path, right->path);
}

int lost_list(struct tree *tree, uint32_t gen, size_t most, struct lost_files *ret)
{
	row_list rows CLEANUP(rows_clear) = { 0 };
	int err;

	WITH_LOCK(&tree->lock);
	if (gen == GEN_NEWEST)
		tree_flush_locked(tree); /* what can't be flushed can't be committed either */
	err = collect(&tree->db, gen, &rows);
	ret->count = rows.count;
	for (size_t i = 0; err == 0 && i < rows.count && i < most; i++)
		err = add_file(&tree->db, &rows.items[i], gen, ret);
	if (ret->list.count)
		qsort(ret->list.items, ret->list.count, sizeof *ret->list.items, by_path);
	return err;
}

int lost_refuse(struct tree *tree, uint32_t gen, struct reason *why)
{
	struct lost_files files CLEANUP(lost_files_clear) = { 0 };
	struct text name AUTO_TEXT = { 0 };
	int ret = lost_list(tree, gen, 1, &files);

	if (ret < 0)
		return reason_set(why, -ret, "%s can't be read", tree->db.path);
	if (files.list.count == 0)
		return files.count ? reason_set(why, EIO, "an incomplete file can't be found") : 0;
	text_add_escaped(&name, files.list.items[0].path, strlen(files.list.items[0].path));
	if (files.count == 1)
		return reason_set(
		    why, EIO,
		    "%.200s is incomplete: a write to it was refused (%s). Copy it again, or delete it",
		    name.data ? name.data : "", lost_word(files.list.items[0].why));
	return reason_set(
	    why, EIO,
	    "%zu files are incomplete, since writes to them were refused (%s), the first is %.200s. "
	    "Copy them again, or delete them",
	    files.count, lost_word(files.list.items[0].why), name.data ? name.data : "");
}
