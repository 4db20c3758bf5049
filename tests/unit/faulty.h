/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store that can be made to fail in the middle of an operation, and everything that it shows told as text.
 *
 * Only what stands in UNDER_TEST can fail: what a program would have asked for. Paths are looked up
 * beforehand. */
#pragma once

#include "store.h"

#include "fault/failing.h"
#include "model/xattr_set.h"
#include "store/journal.h"

struct faulty {
	struct store store;
	struct inode *held; /* open, over other operations */
	bool fails;	    /* orders apply to it */
};

#define UNDER_TEST(faulty, call)                                                                             \
	({                                                                                                   \
		failing_on((faulty)->fails);                                                                 \
		__typeof__(call) got_ = (call);                                                              \
		failing_on(false);                                                                           \
		got_;                                                                                        \
	})

/* ---- directories of state ---- */

#define LARGEST (512u << 10)

static const char *const state_files[] = { "overlay.db", "overlay.db-wal", "spool", "medium" };

static inline void copy_file(const char *from, const char *to)
{
	static char data[LARGEST];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	struct stat st;

	if (in < 0)
		return;
	out = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(fstat(in, &st), 0);
	assert_int_equal(ftruncate(out, st.st_size), 0);
	for (off_t at = 0, end; (at = lseek(in, at, SEEK_DATA)) >= 0; at = end) {
		end = lseek(in, at, SEEK_HOLE);
		for (; at < end; at += (off_t)min_u64((uint64_t)(end - at), sizeof data)) {
			size_t length = min_u64((uint64_t)(end - at), sizeof data);

			assert_int_equal(fd_pread_full(in, data, length, (uint64_t)at), length);
			assert_int_equal(fd_pwrite_full(out, data, length, (uint64_t)at), 0);
		}
	}
	close(in);
	close(out);
}

/* As a crash at this moment leaves it. */
static inline void copy_state(const char *from, const char *to)
{
	for (size_t i = 0; i < sizeof state_files / sizeof *state_files; i++) {
		char source[128], target[128];

		snprintf(source, sizeof source, "%s/%s", from, state_files[i]);
		snprintf(target, sizeof target, "%s/%s", to, state_files[i]);
		copy_file(source, target);
	}
}

/* Opens a copy of what is in dir. */
static inline void faulty_open(struct faulty *faulty, const char *dir)
{
	struct store *store = &faulty->store;
	char path[128];
	struct stat st;

	*faulty = (struct faulty){ .store = { .disc = calloc(1, sizeof *store->disc) } };
	store->tree = &store->disc->tree;
	snprintf(store->dir, sizeof store->dir, "%s/discfs-unit-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* there are thousands of them */
	assert_non_null(mkdtemp(store->dir));
	copy_state(dir, store->dir);
	store->dir_fd = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/medium", store->dir);
	store->medium = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(store->medium, &st), 0);
	store->medium_end = (uint64_t)st.st_size;
	store_start_tree(store);
}

static inline void faulty_let_go(struct faulty *faulty)
{
	struct inode *held = faulty->held;
	uint64_t ino = held ? held->node.attr.ino : 0;

	faulty->held = NULL;
	if (!held)
		return;
	tree_put(faulty->store.tree, held);
	tree_forget(faulty->store.tree, ino);
}

static inline void faulty_close(struct faulty *faulty)
{
	faulty_let_go(faulty);
	store_close(&faulty->store);
}

/* ---- all that is visible, a line a name ---- */

struct told_name {
	char name[16];
	uint64_t ino;
	uint32_t type;
};

struct telling {
	struct store *store;
	struct text *text;
	VEC(uint64_t) seen; /* inodes in the order in which they are met: hard links show */
};

typedef VEC(struct told_name) told_names;

static inline int tell_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type)
{
	told_names *names = (told_names *)self;
	struct told_name *told = vec_push(names);

	*told = (struct told_name){ .ino = ino, .type = type };
	snprintf(told->name, sizeof told->name, "%.*s", (int)length, name);
	return 0;
}

/* By words: this is what a run spends its time with. */
static inline uint64_t tell_hash(uint64_t hash, const void *data, size_t length)
{
	const uint8_t *at = (const uint8_t *)data;
	uint64_t word;

	for (; length >= sizeof word; length -= sizeof word, at += sizeof word) {
		memcpy(&word, at, sizeof word);
		hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
		hash ^= hash >> 29;
	}
	for (; length; length--, at++)
		hash = (hash ^ *at) * 0x100000001B3ull;
	return hash;
}

/* Sets have no order. */
static inline uint64_t tell_xattrs(const struct blob *set)
{
	struct xattr_view view;
	uint64_t sum = 0;

	for (size_t at = 0; xattr_set_next(set, &at, &view);)
		sum += tell_hash(tell_hash(1469598103934665603ull, view.name, view.name_length), view.value,
				 view.value_length);
	return sum;
}

static inline size_t tell_number(struct telling *telling, uint64_t ino)
{
	for (size_t i = 0; i < telling->seen.count; i++)
		if (telling->seen.items[i] == ino)
			return i;
	*vec_push(&telling->seen) = ino;
	return telling->seen.count - 1;
}

static inline void tell_content(struct telling *telling, struct inode *inode)
{
	static uint8_t data[LARGEST];
	int64_t got = body_read(telling->store->tree, inode, data, sizeof data, 0);

	if (got < 0)
		text_add(telling->text, " can't be read: %d", (int)got);
	else
		text_add(telling->text, " read %d: %016llx", (int)got,
			 (unsigned long long)tell_hash(0, data, (size_t)got));
}

/* A time that was set is far from now; all others are when it happened to be done. */
static inline void tell_attr(struct telling *telling, const struct node_attr *attr)
{
	bool is_set = attr->mtime_ns < 1500000000ll * NS_PER_SEC;

	text_add(telling->text, " %o %u:%u links %u size %llu rdev %llu time %lld", attr->mode, attr->uid,
		 attr->gid, attr->nlink, (unsigned long long)attr->size, (unsigned long long)attr->rdev,
		 is_set ? (long long)attr->mtime_ns : -1);
}

static inline void tell_node(struct telling *telling, uint64_t ino)
{
	struct blob set CLEANUP(blob_clear) = { 0 };
	struct node_attr attr = { 0 };
	struct inode *inode = NULL;
	int ret = tree_attr(telling->store->tree, ino, &attr);

	text_add(telling->text, " #%zu", tell_number(telling, ino));
	if (ret == 0)
		ret = tree_xattrs(telling->store->tree, ino, &set);
	if (ret == 0)
		ret = tree_get(telling->store->tree, ino, &inode);
	if (ret < 0) {
		text_add(telling->text, " can't be got: %d", ret);
		return;
	}
	tell_attr(telling, &attr);
	text_add(telling->text, " xattrs %016llx", (unsigned long long)tell_xattrs(&set));
	if (S_ISLNK(attr.mode))
		text_add(telling->text, " -> %.*s", (int)inode->node.target.length, inode->node.target.data);
	if (S_ISREG(attr.mode))
		tell_content(telling, inode);
	tree_put(telling->store->tree, inode);
}

static inline void tell_dir(struct telling *telling, uint64_t dir, const char *path)
{
	told_names names = { 0 };
	int ret = tree_list(telling->store->tree, dir, tell_name, &names);

	if (ret < 0)
		text_add(telling->text, "%s can't be listed: %d\n", path, ret);
	vec_each (&names, name) {
		struct text below AUTO_TEXT = { 0 };

		text_add(&below, "%s/%s", path, name->name);
		text_add(telling->text, "%s", below.data);
		tell_node(telling, name->ino);
		text_add(telling->text, "\n");
		if (name->type == S_IFDIR >> 12)
			tell_dir(telling, name->ino, below.data);
	}
	vec_clear(&names);
}

/* By names; and what only an open descriptor shows. */
static inline void faulty_tell(struct faulty *faulty, struct text *ret)
{
	struct telling telling = { .store = &faulty->store, .text = ret };

	text_clear(ret);
	text_add(ret, "/");
	tell_node(&telling, ROOT_INO);
	text_add(ret, "\n");
	tell_dir(&telling, ROOT_INO, "");
	vec_clear(&telling.seen);
}

static inline void faulty_tell_held(struct faulty *faulty, struct text *ret)
{
	struct telling telling = { .store = &faulty->store, .text = ret };

	text_clear(ret);
	text_add(ret, "held");
	if (!faulty->held)
		return;
	tell_attr(&telling, &faulty->held->node.attr);
	tell_content(&telling, faulty->held);
}

static inline void print_difference(const char *found, const char *expected)
{
	while (*found && *expected) {
		int have = (int)strcspn(found, "\n"), want = (int)strcspn(expected, "\n");

		if (have != want || strncmp(found, expected, (size_t)have) != 0) {
			print_error("  found    %.*s\n  expected %.*s\n", have, found, want, expected);
			return;
		}
		found += have + (found[have] == '\n');
		expected += want + (expected[want] == '\n');
	}
	print_error("  found    %.200s\n  expected %.200s\n", found, expected);
}
