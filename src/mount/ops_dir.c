/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/ops.h"

#include "mount/past.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* What an open directory shows: a snapshot, made when reading starts, in the order of inode numbers: that is
 * the order in which files lie on a disc. An entry's offset is made of its inode number, so that it stays the
 * same for whoever opens the directory anew in the middle, as NFS does, and however it changed. */
#define FIRST_OFFSETS 2	 /* "." and ".." */
#define LINK_BITS     22 /* for the names of one inode in the same directory: more than a file can have */

struct listed {
	uint64_t ino;
	uint64_t offset; /* where reading goes on behind it */
	uint32_t type;
	uint32_t length;
	size_t at; /* of its NUL-terminated name in names */
};

struct listing {
	pthread_mutex_t lock;
	bool filled;
	struct view view;
	uint64_t stamp; /* of the tree before it was filled */
	VEC(struct listed) entries;
	struct text names;
};

static struct listing *listing_of(const struct fuse_file_info *fi)
{
	return (struct listing *)(uintptr_t)fi->fh;
}

static void listing_clear(struct listing *listing)
{
	vec_clear(&listing->entries);
	text_clear(&listing->names);
	listing->filled = false;
}

static void listing_free(struct listing *listing)
{
	listing_clear(listing);
	view_close(&listing->view);
	pthread_mutex_destroy(&listing->lock);
	free(listing);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *listing = calloc(1, sizeof *listing);
	int ret = listing ? view_open(req, ino, &listing->view) : -ENOMEM;

	if (ret < 0) {
		free(listing);
		reply_err(req, ret);
		return;
	}
	pthread_mutex_init(&listing->lock, NULL);
	fi->fh = (uintptr_t)listing;
	fi->keep_cache = 1;
	fi->cache_readdir = listing->view.tree != NULL;
	if (fuse_reply_open(req, fi) == -ENOENT)
		listing_free(listing);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *listing = listing_of(fi);

	listing_free(listing);
	reply_err(req, 0);
}

static int add_entry(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	struct listing *listing = self;
	struct listed *entry = vec_push(&listing->entries);

	if (!entry)
		return -ENOMEM;
	*entry = (struct listed){
		.ino = ino, .type = type, .length = (uint32_t)length, .at = listing->names.length
	};
	text_add_bytes(&listing->names, name, length);
	text_add_bytes(&listing->names, "", 1);
	return listing->names.failed ? -ENOMEM : 0;
}

static int by_ino(const void *a, const void *b, void *names)
{
	const struct listed *left = a, *right = b;

	if (left->ino != right->ino)
		return left->ino < right->ino ? -1 : 1;
	return strcmp((char *)names + left->at, (char *)names + right->at);
}

static void give_offsets(struct listing *listing)
{
	struct listed *entries = listing->entries.items;
	size_t count = listing->entries.count;
	uint64_t links = 0;

	for (size_t i = 0; i < FIRST_OFFSETS; i++)
		entries[i].offset = i + 1;
	qsort_r(entries + FIRST_OFFSETS, count - FIRST_OFFSETS, sizeof *entries, by_ino, listing->names.data);
	for (size_t i = FIRST_OFFSETS; i < count; i++) {
		links = entries[i].ino == entries[i - 1].ino ? links + 1 : 0;
		entries[i].offset = entries[i].ino << LINK_BITS | links;
	}
}

/* The first entry behind that offset. */
static size_t find_offset(const struct listing *listing, uint64_t offset)
{
	size_t low = 0, high = listing->entries.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (listing->entries.items[middle].offset > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int list_names(struct mount *mount, struct listing *listing)
{
	if (listing->view.tree)
		return tree_list(listing->view.tree, listing->view.ino, add_entry, listing);
	return listing->view.ino == SESSIONS_INO ? past_list(mount, add_entry, listing)
						 : virtual_list(add_entry, listing);
}

static int listing_fill(struct mount *mount, struct listing *listing)
{
	const struct view *view = &listing->view;
	uint64_t parent = ROOT_INO;
	int ret = view->tree ? tree_parent(view->tree, view->ino, &parent) : 0;

	listing_clear(listing);
	listing->stamp = view->tree ? atomic_load(&view->tree->stamp) : 0;
	if (ret == 0)
		ret = add_entry(listing, ".", 1, view->ino, DT_DIR);
	if (ret == 0)
		ret = add_entry(listing, "..", 2, parent, DT_DIR);
	if (ret == 0)
		ret = list_names(mount, listing);
	if (ret < 0)
		return ret;
	give_offsets(listing);
	listing->filled = true;
	return 0;
}

/* The attributes of an entry, unless its name is gone or leads elsewhere by now: the kernel would make it
 * anew, and keep it for a day. */
static bool entry_attr(const struct listing *listing, const struct listed *listed, struct node_attr *ret)
{
	struct tree *tree = listing->view.tree;

	if (!tree)
		return false;
	if (atomic_load(&tree->stamp) == listing->stamp)
		return tree_attrs_next(tree, listed->ino, ret) == 0;
	return tree_attrs_of_name(tree, listing->view.ino, listing->names.data + listed->at, listed->length,
				  ret) == 0 &&
	       ret->ino == listed->ino;
}

/* Virtual directories are listed by small numbers: an offset has no room for theirs. */
static fuse_ino_t shown_ino(const struct listing *listing, const struct listed *listed, size_t index)
{
	if (listing->view.tree || index < FIRST_OFFSETS)
		return listing->view.base + listed->ino;
	return listing->view.ino == SESSIONS_INO ? past_root((uint32_t)listed->ino)
						 : virtual_listed(listed->ino);
}

/* Bytes that one entry took in the reply, or 0 when it doesn't fit any more. */
static size_t put_entry(fuse_req_t req, const struct listing *listing, size_t index, char *buffer,
			size_t room, bool plus)
{
	const struct listed *listed = &listing->entries.items[index];
	const char *name = listing->names.data + listed->at;
	struct fuse_entry_param entry = { .attr = { .st_ino = shown_ino(listing, listed, index),
						    .st_mode = listed->type << 12 } };
	struct node_attr attr;
	size_t used;

	if (plus && index >= FIRST_OFFSETS && entry_attr(listing, listed, &attr))
		view_entry(&listing->view, &entry, &attr);
	used = plus ? fuse_add_direntry_plus(req, buffer, room, name, &entry, (off_t)listed->offset)
		    : fuse_add_direntry(req, buffer, room, name, &entry.attr, (off_t)listed->offset);
	return used <= room ? used : 0;
}

/* Fills the buffer from offset on. Returns the bytes used, or -errno. */
static int64_t fill_buffer(fuse_req_t req, struct listing *listing, char *buffer, size_t size, off_t offset,
			   bool plus)
{
	struct tree *tree = plus ? listing->view.tree : NULL;
	size_t used = 0;
	int ret = 0;

	WITH_LOCK(&listing->lock);
	if (offset == 0 || !listing->filled)
		ret = listing_fill(mount_of(req), listing);
	if (ret < 0)
		return ret;
	if (tree)
		tree_attrs_begin(tree);
	for (size_t i = find_offset(listing, (uint64_t)offset); i < listing->entries.count; i++) {
		size_t took = put_entry(req, listing, i, buffer + used, size - used, plus);

		if (took == 0)
			break;
		used += took;
	}
	if (tree)
		tree_attrs_end(tree);
	return (int64_t)used;
}

static void read_entries(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi,
			 bool plus)
{
	char *buffer AUTO_FREE = malloc(size);
	int64_t used = buffer ? fill_buffer(req, listing_of(fi), buffer, size, offset, plus) : -ENOMEM;

	/* Nothing of the listing may be touched behind the reply: the release may be under way already. */
	if (used < 0)
		reply_err(req, (int)used);
	else
		fuse_reply_buf(req, buffer, (size_t)used);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	read_entries(req, ino, size, offset, fi, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	read_entries(req, ino, size, offset, fi, true);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	reply_err(req, tree_sync(tree_of(req)));
}
