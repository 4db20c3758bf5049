/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/body.h"

#include "base/fd.h"
#include "model/cost.h"
#include "store/lost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>

#define FILE_LIMIT (1ull << 43) /* 8 TiB: beyond any disc, and sums stay far from wrapping */

static int read_piece(struct tree *tree, const struct extent *piece, void *data)
{
	int64_t got;

	switch (piece->kind) {
	case EXTENT_DISC:
		return disc_read(&tree->disc, data, piece->length, piece->origin);
	case EXTENT_SPOOL:
		got = fd_pread_full(tree->spool.fd, data, piece->length, piece->origin);
		if (got >= 0)
			memset((char *)data + got, 0, piece->length - (size_t)got);
		return got < 0 ? (int)got : 0;
	default:
		memset(data, 0, piece->length);
		return 0;
	}
}

int body_read_map(struct tree *tree, const struct extent_map *map, void *data, size_t length, uint64_t offset)
{
	size_t done = 0;

	while (done < length) {
		struct extent piece;
		int ret;

		extent_map_piece(map, offset + done, length - done, &piece);
		ret = read_piece(tree, &piece, (char *)data + done);
		if (ret < 0)
			return ret;
		done += piece.length;
	}
	return 0;
}

int64_t body_read(struct tree *tree, struct inode *inode, void *data, size_t length, uint64_t offset)
{
	int ret;

	WITH_READ_LOCK(&inode->io);
	if (offset >= inode->node.attr.size)
		return 0;
	length = min_u64(length, inode->node.attr.size - offset);
	ret = body_read_map(tree, &inode->node.map, data, length, offset);
	return ret < 0 ? ret : (int64_t)length;
}

/* Gives back what a map has of the spool in that range. Its inode is on the dirty list by then: a sync that
 * begins now must record the change before it has the range punched. */
static void free_range(struct tree *tree, const struct extent_map *map, uint64_t offset, uint64_t length)
{
	uint64_t done = 0;

	while (done < length) {
		struct extent piece;

		extent_map_piece(map, offset + done, length - done, &piece);
		if (piece.kind == EXTENT_SPOOL)
			spool_free(&tree->spool, piece.origin, piece.length);
		done += piece.length;
	}
}

/* The changed content has no digest yet, and is no zisofs stream any more. */
static void content_changed(struct inode *inode)
{
	blob_clear(&inode->node.md5);
	blob_clear(&inode->node.zf);
}

/* Whoever gives space back first must be able to change the map afterwards. */
static int map_prepare(struct inode *inode)
{
	WITH_LOCK(&inode->lock);
	return extent_map_prepare(&inode->node.map);
}

/* Needs inode->lock. */
static void put_size(struct tree *tree, struct inode *inode, uint64_t size)
{
	bool counted = inode->node.attr.nlink && !size != !inode->node.attr.size;

	content_changed(inode);
	if (counted && !size)
		tree_count_file(tree, inode, -1);
	inode->node.attr.size = size;
	if (counted && size)
		tree_count_file(tree, inode, 1);
}

/* Map and size change together: a flush in between would record the one without the other. */
static int map_set(struct tree *tree, struct inode *inode, const struct extent *extent)
{
	int ret;

	WITH_LOCK(&inode->lock);
	ret = extent_map_set(&inode->node.map, extent);
	if (ret == 0)
		put_size(tree, inode, max_u64(inode->node.attr.size, extent->offset + extent->length));
	return ret;
}

/* Writes the start of the range: over staged bytes in place, else into new spool space. Returns bytes done.
 */
static int64_t write_piece(struct tree *tree, struct inode *inode, const void *data, size_t length,
			   uint64_t offset)
{
	struct extent piece;
	struct extent fresh = { .offset = offset, .kind = EXTENT_SPOOL };
	bool append = offset + length >= inode->node.attr.size;
	int ret;

	extent_map_piece(&inode->node.map, offset, length, &piece);
	if (piece.kind == EXTENT_SPOOL) {
		size_t here = (size_t)spool_writable(&tree->spool, piece.origin, piece.length);

		ret = here ? spool_fill(&tree->spool, data, here, piece.origin) : 0;
		if (here)
			return ret < 0 ? ret : (int64_t)here;
	}
	/* A hole between staged parts is filled only as far as it goes; behind the end there's nothing to
	 * keep. */
	fresh.length = piece.length;
	ret = spool_allocate(&tree->spool, append ? &inode->run : NULL, fresh.length, &fresh.origin,
			     &fresh.length);
	if (ret < 0)
		return ret;
	ret = spool_fill(&tree->spool, data, fresh.length, fresh.origin);
	if (ret == 0)
		ret = map_set(tree, inode, &fresh);
	if (ret < 0) {
		spool_free(&tree->spool, fresh.origin, fresh.length);
		return ret;
	}
	if (piece.kind == EXTENT_SPOOL) {
		tree_mark_dirty(tree, inode);
		spool_free(&tree->spool, piece.origin, fresh.length);
	}
	return (int64_t)fresh.length;
}

/* What the body would cost if it had that size and at least one staged byte. */
static int charge_size(struct tree *tree, struct inode *inode, uint64_t size)
{
	return tree_charge(tree, inode, sectors_of(size));
}

/* What it costs as it is; never more than it was charged for. */
static void charge_again(struct tree *tree, struct inode *inode)
{
	uint64_t sectors;

	{
		WITH_LOCK(&inode->lock);
		sectors = cost_body(&inode->node);
	}
	tree_charge(tree, inode, sectors);
}

static int check_change(const struct tree *tree, uint64_t offset, uint64_t length)
{
	if (tree->read_only)
		return -EROFS;
	if (tree->broken)
		return tree->broken;
	return range_within(offset, length, FILE_LIMIT) ? 0 : -EFBIG;
}

/* The same for what takes room. */
static int check_growth(const struct tree *tree, uint64_t offset, uint64_t length)
{
	int ret = check_change(tree, offset, length);

	return ret < 0 ? ret : atomic_load(&tree->failing);
}

void body_make_room(struct tree *tree, uint64_t length)
{
	if (spool_room(&tree->spool) < length)
		tree_await_forgotten(tree);
	if (spool_waits_for_room(&tree->spool, length))
		tree_sync(tree);
}

/* *ret_done: how much of it is there, whatever is returned. */
static int write_pieces(struct tree *tree, struct inode *inode, const void *data, size_t length,
			uint64_t offset, size_t *ret_done)
{
	int64_t put = check_growth(tree, offset, length);

	*ret_done = 0;
	if (put == 0)
		put = lost_allows(tree, inode, offset, offset + length);
	if (put == 0)
		put = charge_size(tree, inode, max_u64(inode->node.attr.size, offset + length));
	else
		return (int)put;
	while (put >= 0 && *ret_done < length) {
		put = write_piece(tree, inode, (const char *)data + *ret_done, length - *ret_done,
				  offset + *ret_done);
		if (put > 0)
			*ret_done += (size_t)put;
	}
	if (put < 0)
		charge_again(tree, inode);
	return put < 0 ? (int)put : 0;
}

static int write_all(struct tree *tree, struct inode *inode, const void *data, size_t length, uint64_t offset,
		     bool now)
{
	size_t done;
	int ret;

	if (length == 0)
		return 0;
	WITH_READ_LOCK(&tree->freeze);
	WITH_WRITE_LOCK(&inode->io);
	ret = write_pieces(tree, inode, data, length, offset, &done);
	if (done) {
		lost_mend(inode, offset, done);
		atomic_store(&inode->unread, false);
	}
	if (done && now)
		tree_touch(tree, inode, true);
	else if (done)
		tree_mark_dirty(tree, inode);
	if (ret < 0)
		lost_note(tree, inode, offset + done, length - done, ret);
	return ret;
}

int body_write(struct tree *tree, struct inode *inode, const void *data, size_t length, uint64_t offset)
{
	return write_all(tree, inode, data, length, offset, true);
}

int body_write_late(struct tree *tree, struct inode *inode, const void *data, size_t length, uint64_t offset)
{
	return write_all(tree, inode, data, length, offset, false);
}

/* Makes a hole, and the file as long as that. */
static int map_punch(struct tree *tree, struct inode *inode, uint64_t offset, uint64_t length, uint64_t size)
{
	int ret = map_prepare(inode);

	if (ret < 0)
		return ret;
	WITH_LOCK(&inode->lock); /* a flush waits until all of it is done */
	tree_mark_dirty(tree, inode);
	free_range(tree, &inode->node.map, offset, length);
	put_size(tree, inode, size);
	return extent_map_punch(&inode->node.map, offset, length);
}

static void set_size(struct tree *tree, struct inode *inode, uint64_t size)
{
	WITH_LOCK(&inode->lock);
	put_size(tree, inode, size);
}

int body_truncate(struct tree *tree, struct inode *inode, uint64_t size)
{
	uint64_t old;
	int ret = check_change(tree, size, 0);

	if (ret < 0)
		return ret;
	WITH_READ_LOCK(&tree->freeze);
	WITH_WRITE_LOCK(&inode->io);
	old = inode->node.attr.size;
	if (size < old) {
		ret = map_punch(tree, inode, size, old - size, size);
		inode->run.left = 0;
	} else if (size > old) {
		ret = check_growth(tree, size, 0);
		if (ret == 0)
			ret = lost_allows(tree, inode, size, size);
		if (ret == 0)
			ret = charge_size(tree, inode, size);
	}
	if (ret < 0)
		return ret;
	if (size >= old)
		set_size(tree, inode, size);
	charge_again(tree, inode);
	inode->kept = size;
	if (inode->node.lost.count) {
		lost_mend(inode, size, UINT64_MAX);
		tree_mark_dirty(tree, inode);
	}
	if (size != old) /* else the kernel leaves the times that it shows, too */
		tree_touch(tree, inode, true);
	return 0;
}

void body_opened(struct inode *inode)
{
	atomic_store(&inode->refused, false);
	if (atomic_fetch_add(&inode->writers, 1))
		return;
	WITH_WRITE_LOCK(&inode->io);
	inode->kept = inode->node.attr.size;
}

/* The kernel's pages come in any order: some were stored before one that lies before them was refused. */
static void cut_off(struct tree *tree, struct inode *inode)
{
	uint64_t size, first;

	WITH_READ_LOCK(&tree->freeze);
	WITH_WRITE_LOCK(&inode->io);
	size = inode->node.attr.size;
	first = inode->node.lost.count ? inode->node.lost.items[0].offset : size;
	if (first >= size || first < inode->kept || atomic_load(&inode->writers) ||
	    check_change(tree, 0, 0) < 0)
		return;
	lost_note(tree, inode, first, size - first,
		  inode->node.lost.items[0].kind == (enum extent_kind)LOST_NO_ROOM ? -ENOSPC : -EIO);
	if (map_punch(tree, inode, first, size - first, first) == 0)
		charge_again(tree, inode);
	inode->run.left = 0;
}

void body_closed(struct tree *tree, struct inode *inode)
{
	if (atomic_fetch_sub(&inode->writers, 1) == 1 && inode->node.lost.count)
		cut_off(tree, inode);
}

static int allocate_grow(struct tree *tree, struct inode *inode, uint64_t end)
{
	int ret = end > inode->node.attr.size ? charge_size(tree, inode, end) : 0;

	if (ret == 0 && end > inode->node.attr.size)
		set_size(tree, inode, end);
	return ret;
}

int body_allocate(struct tree *tree, struct inode *inode, int mode, uint64_t offset, uint64_t length)
{
	int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
	bool zero = mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE);
	uint64_t size;
	int ret = check_growth(tree, offset, length);

	if (ret < 0)
		return ret;
	if (mode & ~known)
		return -EOPNOTSUPP;
	WITH_READ_LOCK(&tree->freeze);
	WITH_WRITE_LOCK(&inode->io);
	if (!zero && offset + length > inode->node.attr.size && length > spool_room(&tree->spool))
		return -ENOSPC;	  /* it couldn't be written */
	ret = map_prepare(inode); /* before it grows */
	if (ret == 0 && !(mode & FALLOC_FL_KEEP_SIZE))
		ret = allocate_grow(tree, inode, offset + length);
	size = inode->node.attr.size;
	if (ret == 0 && zero && offset < size) {
		ret = charge_size(tree, inode, size);
		if (ret == 0)
			ret = map_punch(tree, inode, offset, min_u64(length, size - offset), size);
	}
	inode->kept = max_u64(inode->kept, inode->node.attr.size);
	if (ret == 0 && zero)
		lost_mend(inode, offset, length);
	if (ret == 0)
		tree_touch(tree, inode, true);
	return ret;
}

/* The target's map as it will be: the range comes from where the source has it. */
static int copied_map(const struct inode *from, uint64_t from_offset, const struct inode *to, uint64_t offset,
		      uint64_t length, struct extent_map *ret)
{
	int err = extent_map_copy(&to->node.map, ret);

	for (uint64_t done = 0; err == 0 && done < length;) {
		struct extent piece;

		extent_map_piece(&from->node.map, from_offset + done, length - done, &piece);
		piece.offset = offset + done;
		done += piece.length;
		err = piece.kind ? extent_map_set(ret, &piece)
				 : extent_map_punch(ret, piece.offset, piece.length);
	}
	return err;
}

static int share_range(struct tree *tree, const struct extent_map *map, uint64_t offset, uint64_t length)
{
	int ret = 0;

	for (uint64_t done = 0; done < length;) {
		struct extent piece;

		extent_map_piece(map, offset + done, length - done, &piece);
		if (piece.kind == EXTENT_SPOOL)
			ret = spool_share(&tree->spool, piece.origin, piece.length);
		if (ret < 0) {
			free_range(tree, map, offset, done);
			return ret;
		}
		done += piece.length;
	}
	return 0;
}

/* A whole copy has the digest and the form of the original. */
static int copy_facts(const struct node *from, struct node *to)
{
	int ret = 0;

	if (from->attr.size == to->attr.size && extent_map_equal(&from->map, &to->map)) {
		ret = blob_set(&to->md5, from->md5.data, from->md5.length);
		if (ret == 0)
			ret = blob_set(&to->zf, from->zf.data, from->zf.length);
	}
	return ret;
}

/* Gives a node the content that after has, and after what it had. */
static void exchange_content(struct node *node, struct node *after)
{
	struct node before = *node;

	node->map = after->map;
	node->md5 = after->md5;
	node->zf = after->zf;
	after->map = before.map;
	after->md5 = before.md5;
	after->zf = before.zf;
}

static int copy_range(struct tree *tree, struct inode *from, uint64_t from_offset, struct inode *to,
		      uint64_t offset, uint64_t length)
{
	struct node after CLEANUP(node_clear) = { .attr.mode = S_IFREG };
	int ret = copied_map(from, from_offset, to, offset, length, &after.map);

	after.attr.size = max_u64(to->node.attr.size, offset + length);
	if (ret == 0)
		ret = copy_facts(&from->node, &after);
	if (ret == 0)
		ret = share_range(tree, &after.map, offset, length);
	if (ret < 0)
		return ret;
	ret = tree_charge(tree, to, cost_body(&after));
	if (ret < 0) {
		free_range(tree, &after.map, offset, length);
		return ret;
	}
	{
		WITH_LOCK(&to->lock);
		put_size(tree, to, after.attr.size);
		exchange_content(&to->node, &after);
	}
	tree_mark_dirty(tree, to);
	free_range(tree, &after.map, offset, length);
	return tree_content_came(tree, to);
}

/* Two bodies at once: always the lower address first, so that nobody waits in a circle. */
static void lock_both(struct inode *a, struct inode *b)
{
	pthread_rwlock_wrlock(a < b ? &a->io : &b->io);
	if (a != b)
		pthread_rwlock_wrlock(a < b ? &b->io : &a->io);
}

static void unlock_both(struct inode *a, struct inode *b)
{
	pthread_rwlock_unlock(&a->io);
	if (a != b)
		pthread_rwlock_unlock(&b->io);
}

int64_t body_copy(struct tree *tree, struct inode *from, uint64_t from_offset, struct inode *to,
		  uint64_t offset, uint64_t length)
{
	uint64_t size;
	int ret;

	WITH_READ_LOCK(&tree->freeze);
	lock_both(from, to);
	ret = check_growth(tree, offset, length);
	size = from->node.attr.size;
	length = min_u64(length, size - min_u64(size, from_offset));
	if (from == to && from_offset < offset + length && offset < from_offset + length)
		ret = -EINVAL;
	else if (ret == 0 && length)
		ret = copy_range(tree, from, from_offset, to, offset, length);
	if (ret == 0 && length) {
		lost_mend(to, offset, length);
		lost_copy(tree, from, from_offset, to, offset, length);
		tree_touch(tree, to, true);
	} else if (ret < 0 && ret != -EINVAL) {
		lost_note(tree, to, offset, length, ret);
	}
	unlock_both(from, to);
	return ret < 0 ? ret : (int64_t)length;
}

int64_t body_seek(struct inode *inode, uint64_t offset, int whence)
{
	uint64_t size;

	WITH_READ_LOCK(&inode->io);
	size = inode->node.attr.size;
	if (offset >= size)
		return -ENXIO;
	while (offset < size) {
		struct extent piece;

		extent_map_piece(&inode->node.map, offset, size - offset, &piece);
		if ((piece.kind != 0) == (whence == SEEK_DATA))
			return (int64_t)offset;
		offset += piece.length;
	}
	return whence == SEEK_HOLE ? (int64_t)size : -ENXIO; /* behind every end is a hole */
}
