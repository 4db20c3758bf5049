/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the worker's roles share: a directory of their own, tools of other people, trees to
 * compare. */
#pragma once

#include "unit.h"

#include "drive.h"
#include "model/medium.h"

#include <inttypes.h>

static char dir[] = "/tmp/discfs-roles-XXXXXX";

/* ---- helpers ---- */

static inline bool has_tool(const char *name)
{
	char command[200];

	snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", name);
	return system(command) == 0;
}

#define NEED(tool)                                                                                           \
	do {                                                                                                 \
		if (!has_tool(tool))                                                                         \
			skip();                                                                              \
	} while (0)

/* Runs a shell command in the test's directory. */
static inline void PRINTF(1, 2) run(const char *fmt, ...)
{
	char command[2000];
	size_t used = (size_t)snprintf(command, sizeof command, "cd %s && ( ", dir);
	va_list args;

	va_start(args, fmt);
	used += (size_t)vsnprintf(command + used, sizeof command - used, fmt, args);
	va_end(args);
	snprintf(command + used, sizeof command - used, " ) >log 2>&1");
	if (system(command) != 0) {
		printf("failed: %s\n", command);
		if (system("cat /tmp/discfs-roles-*/log") != 0)
			printf("and there's no log\n");
		fail();
	}
}

static inline const char *in_dir(const char *name)
{
	static char path[4][300];
	static unsigned next;
	char *at = path[next++ % 4];

	snprintf(at, sizeof path[0], "%s/%s", dir, name);
	return at;
}

static inline int open_in_dir(const char *name, int flags)
{
	int fd = open(in_dir(name), flags, 0600);

	assert_true(fd >= 0);
	return fd;
}

static inline struct verb_job job_for(const char *name)
{
	struct verb_job job = { 0 };

	snprintf(job.path, sizeof job.path, "%s", in_dir(name));
	return job;
}

static inline void make_blank(const char *name)
{
	struct medium_mark mark = { .profile = "bd", .capacity = 12219392, .id = "0123" };
	uint8_t block[SECTOR] = { 0 };
	int fd = open_in_dir(name, O_RDWR | O_CREAT | O_TRUNC);

	medium_mark_write(&mark, block);
	assert_int_equal(ftruncate(fd, HEAD_BYTES), 0);
	assert_int_equal(pwrite(fd, block, SECTOR, (off_t)MEDIUM_MARK_BLOCK * SECTOR), SECTOR);
	close(fd);
}

struct probed {
	struct verb_disc disc;
	struct verb_session sessions[16];
	unsigned count;
	struct reason why;
};

static inline int probe(const char *name, struct probed *ret)
{
	struct verb_job job = job_for(name);
	int fd = open_in_dir(name, O_RDONLY);
	struct drive drive;
	struct msg msg;
	bool done = false;

	memset(ret, 0, sizeof *ret);
	drive_start(&drive, "probe", &job, fd, -1);
	close(fd);
	while (!done && drive_next(&drive, &msg, NULL)) {
		if (msg.verb == VERB_SESSION) {
			assert_true(ret->count < 16);
			assert_true(get_session(&msg, &ret->sessions[ret->count++]));
		} else {
			done = get_disc(&msg, &ret->disc);
			assert_true(done);
		}
	}
	assert_int_equal(drive_end(&drive), 0);
	ret->why = drive.why;
	return done ? 0 : -drive.why.err;
}

static inline int import(const char *name, uint64_t session, uint32_t format, struct drive_tree *tree,
			 struct reason *why)
{
	struct verb_job job = job_for(name);
	int fd = open_in_dir(name, O_RDONLY);
	int got;

	job.session = session;
	job.format = format;
	got = drive_import(fd, &job, tree, why);
	close(fd);
	return got;
}

static inline void assert_import(const char *name, uint64_t session, struct drive_tree *tree)
{
	struct reason why = { 0 };

	if (import(name, session, FORMAT_AUTO, tree, &why) < 0) {
		printf("%s: %s\n", name, why.text);
		fail();
	}
}

/* ---- comparing trees ---- */

static inline void read_body(int disc, int spool, const struct node *node, uint64_t offset, uint8_t *data,
			     uint64_t length)
{
	while (length > 0) {
		struct extent piece;

		extent_map_piece(&node->map, offset, length, &piece);
		memset(data, 0, piece.length);
		if (piece.kind == EXTENT_DISC)
			assert_int_equal(pread(disc, data, piece.length, (off_t)piece.origin), piece.length);
		if (piece.kind == EXTENT_SPOOL)
			assert_int_equal(pread(spool, data, piece.length, (off_t)piece.origin), piece.length);
		data += piece.length;
		offset += piece.length;
		length -= piece.length;
	}
}

static inline void assert_same_body(int disc, int spool, const struct node *a, const struct node *b)
{
	static uint8_t left[1 << 16], right[1 << 16];

	for (uint64_t at = 0; at < a->attr.size; at += sizeof left) {
		uint64_t length = min_u64(sizeof left, a->attr.size - at);

		read_body(disc, spool, a, at, left, length);
		read_body(disc, spool, b, at, right, length);
		assert_memory_equal(left, right, length);
	}
}

static inline void assert_same_node(const struct node *a, const struct node *b, const char *name)
{
	bool same = a->attr.mode == b->attr.mode && a->attr.uid == b->attr.uid &&
		    a->attr.gid == b->attr.gid && a->attr.size == b->attr.size &&
		    a->attr.rdev == b->attr.rdev && a->attr.mtime_ns == b->attr.mtime_ns &&
		    a->target.length == b->target.length &&
		    (S_ISDIR(a->attr.mode) || a->attr.nlink == b->attr.nlink) &&
		    xattr_set_equal(&a->xattrs, &b->xattrs);

	if (!same)
		printf("%s differs: mode %o %o size %" PRIu64 " %" PRIu64 " links %u %u xattrs %zu %zu\n",
		       name, a->attr.mode, b->attr.mode, a->attr.size, b->attr.size, a->attr.nlink,
		       b->attr.nlink, a->xattrs.length, b->xattrs.length);
	assert_true(same);
	if (a->target.length)
		assert_memory_equal(a->target.data, b->target.data, a->target.length);
}

/* Directory by directory, matching names: every name of wanted is in got, with everything that belongs to it,
 * and got has no other. Names of one file in wanted are names of one file in got. */
static inline void assert_same_tree(struct drive_tree *got, struct drive_tree *wanted, int disc, int spool)
{
	uint64_t *map = calloc(wanted->nodes.count + 1, sizeof *map);

	assert_int_equal(got->names.count, wanted->names.count);
	assert_int_equal(got->nodes.count, wanted->nodes.count);
	vec_each (&wanted->names, name) {
		const struct drive_name *other;
		const struct node *want = &wanted->nodes.items[name->ino - 1], *have;

		other = drive_lookup(got, name->parent ? map[name->parent] : 0, name->name);
		if (!other)
			printf("missing: %s\n", name->name);
		assert_non_null(other);
		assert_true(map[name->ino] == 0 || map[name->ino] == other->ino);
		map[name->ino] = other->ino;
		have = &got->nodes.items[other->ino - 1];
		if (!name->parent)
			continue;
		assert_same_node(have, want, name->name);
		if (S_ISREG(want->attr.mode))
			assert_same_body(disc, spool, have, want);
	}
	free(map);
}

/* ---- a tree with everything in it ---- */

static inline void make_tree(void)
{
	static bool done;

	if (done)
		return;
	run("mkdir -p tree/dir/sub 'tree/spa ce' && cd tree && head -c 100 /dev/urandom >small && : >empty &&"
	    "head -c 2048 /dev/urandom >sector && head -c 3000001 /dev/urandom >big && echo z >\"$(printf "
	    "'lat\\351')\" &&"
	    "echo y >\"$(printf '\\303')\" && mkdir -p a/b/c/d/e/f/g/h/i/j/k/l && echo deep "
	    ">a/b/c/d/e/f/g/h/i/j/k/l/m &&"
	    "ln -s a/b rel && ln -s /abs/path abs && ln -s ../x/./y odd && ln -s a//b twice && ln -s / root "
	    "&&"
	    "mkfifo pipe && ln small dir/hard && ln small hard2 && ln -P rel dir/hardlink && ln big "
	    "dir/sub/big2 &&"
	    "touch -d '2001-02-03 04:05:06' small && chmod 4751 small && chmod 1777 dir &&"
	    "for i in $(seq 200); do echo $i >dir/sub/f$i; done && echo Upper >Upper && echo upper >upper");
	run("cd tree && touch \"$(printf '%%0255d' 7)\"");
	if (setxattr(in_dir("tree/small"), "user.one", "value", 5, 0) == 0) {
		setxattr(in_dir("tree/small"), "user.none", "", 0, 0);
		setxattr(in_dir("tree/dir"), "user.bin", "\0\1\377", 3, 0);
	}
	if (has_tool("setfacl"))
		run("cd tree && setfacl -m u:1001:rw,g:70000:r,u:0:x small; setfacl -d -m u:55:rwx,o::- dir; "
		    "true");
	if (geteuid() == 0)
		run("cd tree && mknod null c 1 3 && mknod blk b 259 70000 && chown 1234:70000 small && chown "
		    "-h 5:6 rel &&"
		    "ln null dir/null2");
	done = true;
}

static inline void scan_tree(const char *spool, struct drive_tree *tree)
{
	int fd = open_in_dir(spool, O_RDWR | O_CREAT | O_TRUNC);

	make_tree();
	drive_scan_dir(in_dir("tree"), fd, tree);
	close(fd);
}

static inline int start(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static inline int stop(void **state)
{
	char command[100];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}
