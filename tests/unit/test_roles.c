/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's roles, each in a process of its own, on real images made by real tools: no mocks. */
#include "unit.h"

#include "drive.h"
#include "model/medium.h"

#include <inttypes.h>
#include <sys/sysmacros.h>

static char dir[] = "/tmp/discfs-roles-XXXXXX";

/* ---- helpers ---- */

static bool has_tool(const char *name)
{
	char command[200];

	snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", name);
	return system(command) == 0;
}

#define NEED(tool)                      \
	do {                            \
		if (!has_tool(tool))    \
			skip();         \
	} while (0)

/* Runs a shell command in the test's directory. */
static void PRINTF(1, 2) run(const char *fmt, ...)
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

static const char *in_dir(const char *name)
{
	static char path[4][300];
	static unsigned next;
	char *at = path[next++ % 4];

	snprintf(at, sizeof path[0], "%s/%s", dir, name);
	return at;
}

static int open_in_dir(const char *name, int flags)
{
	int fd = open(in_dir(name), flags, 0600);

	assert_true(fd >= 0);
	return fd;
}

static struct verb_job job_for(const char *name)
{
	struct verb_job job = { 0 };

	snprintf(job.path, sizeof job.path, "%s", in_dir(name));
	return job;
}

static void make_blank(const char *name)
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

static int probe(const char *name, struct probed *ret)
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

static int import(const char *name, uint64_t session, uint32_t format, struct drive_tree *tree, struct reason *why)
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

static void assert_import(const char *name, uint64_t session, struct drive_tree *tree)
{
	struct reason why = { 0 };

	if (import(name, session, FORMAT_AUTO, tree, &why) < 0) {
		printf("%s: %s\n", name, why.text);
		fail();
	}
}

/* Burns a plan onto an image as the next session, and switches the head. */
static void burn(const char *name, const char *spool, struct drive_tree *tree, struct drive_burned *ret)
{
	struct verb_job job = job_for(name);
	struct reason why = { 0 };
	struct probed before, after;
	int fd = open_in_dir(name, O_RDONLY);
	int spool_fd = open_in_dir(spool, O_RDWR | O_CREAT);

	assert_int_equal(probe(name, &before), 0);
	job.nwa = before.disc.nwa;
	job.session = before.disc.base;
	job.has_base = before.disc.state != DISC_BLANK;
	job.limit = before.disc.capacity;
	if (drive_burn(fd, spool_fd, &job, tree, true, ret, &why) < 0) {
		printf("%s: %s\n", name, why.text);
		fail();
	}
	assert_int_equal(ret->status, 0);
	assert_int_equal(ret->written.start, ret->planned.start);
	assert_int_equal(ret->written.sectors, ret->planned.sectors);
	assert_int_equal(probe(name, &after), 0);
	assert_memory_equal(after.disc.fingerprint, before.disc.fingerprint, FINGERPRINT_SIZE);
	assert_int_equal(after.disc.nwa, before.disc.nwa); /* not in force yet */
	assert_int_equal(drive_head(fd, &job, ret->head, &why), 0);
	assert_int_equal(probe(name, &after), 0);
	assert_memory_equal(after.disc.fingerprint, ret->planned.fingerprint, FINGERPRINT_SIZE);
	assert_int_equal(after.disc.nwa, before.disc.nwa + ret->planned.sectors);
	assert_int_equal(after.disc.base, 0);
	close(fd);
	close(spool_fd);
}

/* ---- comparing trees ---- */

static void read_body(int disc, int spool, const struct node *node, uint64_t offset, uint8_t *data, uint64_t length)
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

static void assert_same_body(int disc, int spool, const struct node *a, const struct node *b)
{
	static uint8_t left[1 << 16], right[1 << 16];

	for (uint64_t at = 0; at < a->attr.size; at += sizeof left) {
		uint64_t length = min_u64(sizeof left, a->attr.size - at);

		read_body(disc, spool, a, at, left, length);
		read_body(disc, spool, b, at, right, length);
		assert_memory_equal(left, right, length);
	}
}

static void assert_same_node(const struct node *a, const struct node *b, const char *name)
{
	bool same = a->attr.mode == b->attr.mode && a->attr.uid == b->attr.uid && a->attr.gid == b->attr.gid &&
		    a->attr.size == b->attr.size && a->attr.rdev == b->attr.rdev &&
		    a->attr.mtime_ns == b->attr.mtime_ns && a->target.length == b->target.length &&
		    (S_ISDIR(a->attr.mode) || a->attr.nlink == b->attr.nlink) &&
		    xattr_set_equal(&a->xattrs, &b->xattrs);

	if (!same)
		printf("%s differs: mode %o %o size %" PRIu64 " %" PRIu64 " links %u %u xattrs %zu %zu\n", name,
		       a->attr.mode, b->attr.mode, a->attr.size, b->attr.size, a->attr.nlink, b->attr.nlink,
		       a->xattrs.length, b->xattrs.length);
	assert_true(same);
	if (a->target.length)
		assert_memory_equal(a->target.data, b->target.data, a->target.length);
}

/* Directory by directory, matching names: every name of wanted is in got, with everything that belongs to it, and got
 * has no other. Names of one file in wanted are names of one file in got. */
static void assert_same_tree(struct drive_tree *got, struct drive_tree *wanted, int disc, int spool)
{
	uint64_t *map = calloc(wanted->nodes.count + 1, sizeof *map);

	assert_int_equal(got->names.count, wanted->names.count);
	assert_int_equal(got->nodes.count, wanted->nodes.count);
	vec_each(&wanted->names, name) {
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

static void make_tree(void)
{
	static bool done;

	if (done)
		return;
	run("mkdir -p tree/dir/sub 'tree/spa ce' && cd tree && head -c 100 /dev/urandom >small && : >empty &&"
	    "head -c 2048 /dev/urandom >sector && head -c 3000001 /dev/urandom >big && echo z >\"$(printf 'lat\\351')\" &&"
	    "echo y >\"$(printf '\\303')\" && mkdir -p a/b/c/d/e/f/g/h/i/j/k/l && echo deep >a/b/c/d/e/f/g/h/i/j/k/l/m &&"
	    "ln -s a/b rel && ln -s /abs/path abs && ln -s ../x/./y odd && ln -s a//b twice && ln -s / root &&"
	    "mkfifo pipe && ln small dir/hard && ln small hard2 && ln -P rel dir/hardlink && ln big dir/sub/big2 &&"
	    "touch -d '2001-02-03 04:05:06' small && chmod 4751 small && chmod 1777 dir &&"
	    "for i in $(seq 200); do echo $i >dir/sub/f$i; done && echo Upper >Upper && echo upper >upper");
	run("cd tree && touch \"$(printf '%%0255d' 7)\"");
	if (setxattr(in_dir("tree/small"), "user.one", "value", 5, 0) == 0) {
		setxattr(in_dir("tree/small"), "user.none", "", 0, 0);
		setxattr(in_dir("tree/dir"), "user.bin", "\0\1\377", 3, 0);
	}
	if (has_tool("setfacl"))
		run("cd tree && setfacl -m u:1001:rw,g:70000:r,u:0:x small; setfacl -d -m u:55:rwx,o::- dir; true");
	if (geteuid() == 0)
		run("cd tree && mknod null c 1 3 && mknod blk b 259 70000 && chown 1234:70000 small && chown -h 5:6 rel &&"
		    "ln null dir/null2");
	done = true;
}

static void scan_tree(const char *spool, struct drive_tree *tree)
{
	int fd = open_in_dir(spool, O_RDWR | O_CREAT | O_TRUNC);

	make_tree();
	drive_scan_dir(in_dir("tree"), fd, tree);
	close(fd);
}

/* ---- probe ---- */

static void assert_refused(const char *name, int err, const char *word)
{
	struct probed probed;

	assert_int_equal(probe(name, &probed), -err);
	if (!strstr(probed.why.text, word))
		printf("%s: %s\n", name, probed.why.text);
	assert_non_null(strstr(probed.why.text, word));
}

static void test_probe_refuses(void **state)
{
	run(": >none; head -c 300000 /dev/zero >zero; head -c 4000000 /dev/zero >longzero; seq 100000 >text;"
	    "head -c 5000 /dev/zero >tiny; head -c 400000 /dev/urandom >noise");
	assert_refused("none", EINVAL, "empty");
	assert_refused("zero", EINVAL, "discfsctl create");
	assert_refused("longzero", EINVAL, "discfsctl create");
	assert_refused("tiny", EINVAL, "empty");
	assert_refused("text", EMEDIUMTYPE, "not an ISO 9660");
	assert_refused("noise", EMEDIUMTYPE, "not an ISO 9660");
}

static void test_probe_blank(void **state)
{
	struct probed probed;

	make_blank("blank");
	assert_int_equal(probe("blank", &probed), 0);
	assert_int_equal(probed.disc.state, DISC_BLANK);
	assert_int_equal(probed.disc.nwa, 32);
	assert_int_equal(probed.disc.capacity, 12219392);
	assert_string_equal(probed.disc.profile, "bd");
	assert_int_equal(probed.count, 0);
}

static void test_probe_three_sessions(void **state)
{
	struct probed probed;

	NEED("xorriso");
	make_tree();
	run("rm -f x3; for i in 1 2 3; do xorriso -dev x3 -volid S$i -map tree/dir /s$i -commit -end; done");
	assert_int_equal(probe("x3", &probed), 0);
	assert_int_equal(probed.disc.state, DISC_APPENDABLE);
	assert_int_equal(probed.disc.base, 0);
	assert_int_equal(probed.count, 3);
	assert_int_equal(probed.sessions[0].start, 32);
	assert_string_equal(probed.sessions[0].label, "S1");
	assert_string_equal(probed.sessions[2].label, "S3");
	assert_true(probed.sessions[2].time > 1600000000);
	assert_int_equal(probed.disc.nwa, round_up(probed.sessions[2].start + probed.sessions[2].sectors, 32));
	run("xorriso -indev x3 -toc 2>&1 | grep -q \"Media nwa .*: %" PRIu64 "s\"", probed.disc.nwa);
	run("cp x3 isohybrid && printf '\\125\\252' | dd of=isohybrid bs=1 seek=510 conv=notrunc &&"
	    "printf '\\200' | dd of=isohybrid bs=1 seek=446 conv=notrunc");
	assert_int_equal(probe("isohybrid", &probed), 0);
	assert_int_equal(probed.disc.state, DISC_CLOSED);
	assert_non_null(strstr(probed.disc.closed_why, "partition"));
}

static void test_probe_truncated(void **state)
{
	struct probed probed;

	NEED("xorriso");
	make_tree();
	run("rm -f cut && xorriso -as mkisofs -quiet -R -o cut tree && truncate -s 1000000 cut");
	assert_refused("cut", EIO, "truncated");
	run("rm -f odd && xorriso -as mkisofs -quiet -R -o odd tree &&"
	    "printf '\\0\\4\\4\\0' | dd of=odd bs=1 seek=32896 conv=notrunc");
	assert_int_equal(probe("odd", &probed), -EMEDIUMTYPE);
	assert_non_null(strstr(probed.why.text, "1024"));
}

/* A second session of genisoimage, appended with cat: the head doesn't know it. */
static void test_probe_appended(void **state)
{
	struct drive_tree tree;
	struct probed probed;

	NEED("genisoimage");
	make_tree();
	run("genisoimage -quiet -R -V ONE -o ga tree/dir && truncate -s %%32K ga && : >new &&"
	    "genisoimage -quiet -R -V TWO -C 0,$(($(stat -c %%s ga) / 2048)) -M ga -o gb -graft-points /new=new &&"
	    "cat gb >>ga");
	assert_int_equal(probe("ga", &probed), 0);
	assert_int_equal(probed.count, 2);
	assert_true(probed.disc.base >= 32);
	assert_int_equal(probed.disc.base, probed.sessions[1].start);
	assert_string_equal(probed.sessions[1].label, "TWO");
	assert_int_equal(probed.disc.nwa, round_up(probed.disc.base + probed.sessions[1].sectors, 32));
	assert_import("ga", probed.disc.base, &tree);
	assert_non_null(drive_find(&tree, "new"));
	assert_non_null(drive_find(&tree, "sub/f7"));
	drive_tree_clear(&tree);
}

/* ---- import ---- */

static void test_import_xorriso(void **state)
{
	struct drive_tree got, wanted;
	int disc, spool;

	NEED("xorriso");
	scan_tree("spool", &wanted);
	run("rm -f all && xorriso -hardlinks on -acl on -xattr user -md5 on -outdev all -map tree /");
	assert_import("all", 0, &got);
	assert_int_equal(got.imported.format, FORMAT_ROCK_RIDGE);
	disc = open_in_dir("all", O_RDONLY);
	spool = open_in_dir("spool", O_RDONLY);
	assert_same_tree(&got, &wanted, disc, spool);
	assert_int_equal(drive_find(&got, "big")->md5.length, MD5_LENGTH);
	close(disc);
	close(spool);
	drive_tree_clear(&got);
	drive_tree_clear(&wanted);
}

/* No serial numbers in its records: links are known by extent and link count, merged contents stay apart. */
static void test_import_genisoimage(void **state)
{
	struct drive_tree tree;

	NEED("genisoimage");
	make_tree();
	run("mkdir -p links/d && cd links && echo content >a && ln -f a d/b && echo other >c && cp -p c d &&"
	    "cd .. && genisoimage -quiet -R -o gl links && xorriso -as mkisofs -quiet -R -o xl links");
	for (int i = 0; i < 2; i++) {
		assert_import(i ? "gl" : "xl", 0, &tree);
		assert_int_equal(drive_find(&tree, "a")->attr.ino, drive_find(&tree, "d/b")->attr.ino);
		assert_int_equal(drive_find(&tree, "a")->attr.nlink, 2);
		assert_int_not_equal(drive_find(&tree, "c")->attr.ino, drive_find(&tree, "d/c")->attr.ino);
		drive_tree_clear(&tree);
	}
}

static void test_import_other_trees(void **state)
{
	struct reason why = { 0 };
	struct drive_tree tree;

	NEED("genisoimage");
	run("mkdir -p plain/dir && echo 1 >plain/dir/file.txt && echo 2 >'plain/Long Name with spaces.html' &&"
	    "genisoimage -quiet -J -o joliet plain && genisoimage -quiet -o iso plain");
	assert_import("joliet", 0, &tree);
	assert_int_equal(tree.imported.format, FORMAT_JOLIET);
	assert_non_null(drive_find(&tree, "Long Name with spaces.html"));
	assert_int_equal(drive_find(&tree, "dir")->attr.mode, S_IFDIR | 0755);
	drive_tree_clear(&tree);
	assert_import("iso", 0, &tree);
	assert_int_equal(tree.imported.format, FORMAT_ISO9660);
	assert_non_null(drive_find(&tree, "dir/file.txt"));
	assert_int_equal(drive_find(&tree, "dir/file.txt")->attr.mode, S_IFREG | 0644);
	drive_tree_clear(&tree);
	assert_int_equal(import("iso", 0, FORMAT_JOLIET, &tree, &why), -EMEDIUMTYPE);
	assert_non_null(strstr(why.text, "Joliet"));
	drive_tree_clear(&tree);
	assert_int_equal(import("joliet", 0, FORMAT_ISO9660, &tree, &why), 0);
	assert_null(drive_find(&tree, "Long Name with spaces.html"));
	drive_tree_clear(&tree);
}

/* ---- burn ---- */

static void assert_image_holds(const char *image, struct drive_tree *wanted)
{
	struct drive_tree got;
	int disc = open_in_dir(image, O_RDONLY), spool = open_in_dir("spool", O_RDONLY);

	assert_import(image, 0, &got);
	assert_same_tree(&got, wanted, disc, spool);
	drive_tree_clear(&got);
	close(disc);
	close(spool);
}

static struct node *change(struct drive_tree *tree, const char *path)
{
	const struct node *node = drive_find(tree, path);

	assert_non_null(node);
	return &tree->nodes.items[node->attr.ino - 1];
}

static void test_burn_sessions(void **state)
{
	struct drive_tree wanted, again;
	static struct drive_burned burned;
	struct probed probed;
	struct extent extent;
	uint8_t patch[] = "changed";
	uint64_t first_big;
	int spool;

	scan_tree("spool", &wanted);
	make_blank("burned");
	burn("burned", "spool", &wanted, &burned);
	assert_int_equal(burned.planned.start, 32);
	assert_image_holds("burned", &wanted);

	/* The second session refers to everything, renames a directory, and changes some bytes of one file. */
	assert_import("burned", 0, &again);
	first_big = change(&again, "big")->map.items[0].origin;
	assert_int_equal(change(&again, "big")->md5.length, MD5_LENGTH);
	spool = open_in_dir("spool", O_RDWR);
	assert_int_equal(pwrite(spool, patch, 7, 100 << 20), 7);
	extent = (struct extent){ 10, 7, 100 << 20, EXTENT_SPOOL };
	extent_map_set(&change(&again, "sector")->map, &extent);
	blob_clear(&change(&again, "sector")->md5);
	close(spool);
	vec_each(&again.names, name)
		if (strcmp(name->name, "dir") == 0)
			strcpy(name->name, "Dir");
	burn("burned", "spool", &again, &burned);
	assert_int_equal(burned.planned.new_data, 2048);
	assert_true(burned.planned.sectors < 300);
	drive_tree_clear(&again);

	assert_import("burned", 0, &again);
	assert_int_equal(change(&again, "big")->map.items[0].origin, first_big);
	assert_int_equal(change(&again, "big")->md5.length, MD5_LENGTH);
	assert_int_equal(change(&again, "big")->attr.ino, change(&again, "Dir/sub/big2")->attr.ino);
	assert_non_null(drive_find(&again, "Dir/hard"));
	read_body(open_in_dir("burned", O_RDONLY), -1, change(&again, "sector"), 10, patch, 7);
	assert_memory_equal(patch, "changed", 7);
	drive_tree_clear(&again);

	assert_int_equal(probe("burned", &probed), 0);
	assert_int_equal(probed.count, 2);
	assert_int_equal(probed.sessions[0].start, 32);
	drive_tree_clear(&wanted);
}

static void test_burn_seen_by_xorriso(void **state)
{
	struct drive_tree tree;
	static struct drive_burned burned;

	NEED("xorriso");
	scan_tree("spool", &tree);
	make_blank("peer");
	burn("peer", "spool", &tree, &burned);
	drive_tree_clear(&tree);
	for (int i = 0; i < 2; i++) {
		assert_import("peer", 0, &tree);
		burn("peer", "spool", &tree, &burned);
		drive_tree_clear(&tree);
	}
	run("xorriso -indev peer -toc 2>&1 | grep -c '^ISO session' | grep -qx 3");
	run("chmod -R u+w out 2>/dev/null; rm -rf out; xorriso -md5 on -indev peer -osirrox on -extract / out &&"
	    "diff -r --no-dereference -x null -x null2 -x blk -x pipe tree out");
	run("xorriso -md5 on -indev peer -check_md5_r SORRY / -- 2>&1 | grep -q 'checksums match'");
	run("xorriso -md5 on -indev peer -check_media -- 2>&1 | grep -c md5_match | grep -qx 3");
	run("xorriso -dev peer -map tree/small /appended -commit -end");
	assert_import("peer", 0, &tree);
	assert_non_null(drive_find(&tree, "appended"));
	drive_tree_clear(&tree);
}

static void add_node(struct drive_tree *tree, const char *name, uint32_t mode, uint64_t size)
{
	struct node *node = vec_push(&tree->nodes);
	struct drive_name *at = vec_push(&tree->names);

	*node = (struct node){ .attr = { .ino = tree->nodes.count, .mode = mode, .nlink = 1, .size = size,
					 .mtime_ns = 1000000000ll * NS_PER_SEC, .atime_ns = NS_PER_SEC,
					 .ctime_ns = NS_PER_SEC } };
	*at = (struct drive_name){ node->attr.ino, tree->nodes.count > 1, strdup(name) };
}

static void add_extent(struct drive_tree *tree, uint64_t offset, uint64_t length, uint64_t origin)
{
	struct extent extent = { offset, length, origin, EXTENT_SPOOL };

	extent_map_set(&tree->nodes.items[tree->nodes.count - 1].map, &extent);
}

/* Over 4 GiB, mostly holes, with bytes at its beginning and end; then referred to by a second session. */
static void test_burn_huge(void **state)
{
	const uint64_t size = (4ull << 30) + (300u << 20) + 77;
	struct drive_tree tree = { 0 };
	static struct drive_burned burned;
	uint8_t bytes[8];
	int fd;

	if (!getenv("DISCFS_TEST_LONG"))
		skip();
	fd = open_in_dir("huge-spool", O_RDWR | O_CREAT);
	assert_int_equal(pwrite(fd, "beginendmiddle!!", 16, 0), 16);
	close(fd);
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "huge", S_IFREG | 0644, size);
	add_extent(&tree, 0, 5, 0);
	add_extent(&tree, size - 3, 3, 5);
	add_extent(&tree, (4ull << 30) - 4, 8, 8);
	make_blank("huge");
	burn("huge", "huge-spool", &tree, &burned);
	drive_tree_clear(&tree);
	for (int i = 0; i < 2; i++) {
		assert_import("huge", 0, &tree);
		assert_int_equal(drive_find(&tree, "huge")->attr.size, size);
		fd = open_in_dir("huge", O_RDONLY);
		read_body(fd, -1, drive_find(&tree, "huge"), size - 3, bytes, 3);
		assert_memory_equal(bytes, "end", 3);
		read_body(fd, -1, drive_find(&tree, "huge"), (4ull << 30) - 4, bytes, 8);
		assert_memory_equal(bytes, "middle!!", 8);
		close(fd);
		if (i == 0) {
			burn("huge", "huge-spool", &tree, &burned);
			assert_true(burned.planned.sectors < 100);
		}
		drive_tree_clear(&tree);
	}
	unlink(in_dir("huge"));
}

static void test_burn_large_attributes(void **state)
{
	static uint8_t value[XATTR_LIMIT];
	static struct drive_burned burned;
	struct drive_tree tree = { 0 };
	struct xattr_view view;
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof value; i++)
		value[i] = (uint8_t)random_next(&seed);
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "file", S_IFREG | 0644, 0);
	xattr_set_put(&change(&tree, "file")->xattrs, "user.large", value, sizeof value);
	xattr_set_put(&change(&tree, "file")->xattrs, "security.capability", value, 20);
	xattr_set_put(&tree.nodes.items[0].xattrs, "user.root", value, 300);
	make_blank("attrs");
	burn("attrs", "spool", &tree, &burned);
	drive_tree_clear(&tree);
	assert_import("attrs", 0, &tree);
	assert_true(xattr_set_find(&change(&tree, "file")->xattrs, "user.large", &view));
	assert_int_equal(view.value_length, sizeof value);
	assert_memory_equal(view.value, value, sizeof value);
	assert_true(xattr_set_find(&change(&tree, "file")->xattrs, "security.capability", &view));
	assert_true(xattr_set_find(&tree.nodes.items[0].xattrs, "user.root", &view));
	assert_memory_equal(view.value, value, 300);
	drive_tree_clear(&tree);
}

/* Compressed files stay as they are, with their marks; the boot catalogue and its image are carried on. */
static void test_burn_carries_on(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree;

	NEED("xorriso");
	run("mkdir -p boot && seq 100000 >boot/seq && head -c 20480 /dev/urandom >boot/img && rm -f carry &&"
	    "xorriso -outdev carry -blank as_needed -map boot / -boot_image any bin_path=/img"
	    " -boot_image any cat_path=/boot.cat -boot_image any load_size=2048"
	    " -set_filter_r --zisofs /seq -- -commit");
	assert_import("carry", 0, &tree);
	assert_int_equal(drive_find(&tree, "seq")->zf.length, 12);
	assert_non_null(drive_find(&tree, "boot.cat"));
	burn("carry", "spool", &tree, &burned);
	drive_tree_clear(&tree);
	assert_import("carry", 0, &tree);
	assert_int_equal(drive_find(&tree, "seq")->zf.length, 12);
	drive_tree_clear(&tree);
	run("xorriso -indev carry -osirrox on -extract /seq seq.out -end && cmp boot/seq seq.out");
	run("xorriso -indev carry -report_el_torito plain 2>&1 | grep -q 'El Torito img path :   1  /img'");
	run("xorriso -indev carry -osirrox on -extract /img img.out -end && cmp boot/img img.out");
}

/* ---- what goes wrong ---- */

static int try_burn(const char *name, struct drive_tree *tree, uint64_t limit, bool go, struct drive_burned *ret,
		    struct reason *why)
{
	struct verb_job job = job_for(name);
	int fd = open_in_dir(name, O_RDONLY), spool = open_in_dir("spool", O_RDWR | O_CREAT);
	struct probed probed;
	int got;

	assert_int_equal(probe(name, &probed), 0);
	job.nwa = probed.disc.nwa;
	job.session = probed.disc.base;
	job.has_base = probed.disc.state != DISC_BLANK;
	job.limit = limit;
	got = drive_burn(fd, spool, &job, tree, go, ret, why);
	close(fd);
	close(spool);
	return got;
}

static void test_burn_refuses(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree = { 0 };
	struct reason why = { 0 };
	char target[2000];

	make_blank("refuse");
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "link", S_IFLNK | 0777, 300);
	memset(target, 'x', sizeof target);
	blob_set(&tree.nodes.items[1].target, target, 300);
	assert_int_equal(try_burn("refuse", &tree, 0, true, &burned, &why), -ENAMETOOLONG);
	assert_non_null(strstr(why.text, "link"));
	for (size_t i = 0; i < sizeof target; i += 100)
		target[i] = '/';
	blob_set(&tree.nodes.items[1].target, target, 1500);
	assert_int_equal(try_burn("refuse", &tree, 0, true, &burned, &why), -ENAMETOOLONG);
	blob_set(&tree.nodes.items[1].target, target, 1000);
	assert_int_equal(try_burn("refuse", &tree, 50, true, &burned, &why), -ENOSPC);
	assert_non_null(strstr(why.text, "sectors"));
	assert_int_equal(try_burn("refuse", &tree, 0, false, &burned, &why), 0);
	assert_int_equal(burned.status, 0);
	run("test $(stat -c %%s refuse) = 65536");
	drive_tree_clear(&tree);
}

/* A spool that is shorter than its extents: no zeroes in the place of data, no session, the file as it was. */
static void test_burn_short_spool(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree = { 0 };
	struct reason why = { 0 };

	make_blank("short");
	add_node(&tree, "", S_IFDIR | 0755, 0);
	add_node(&tree, "file", S_IFREG | 0644, 60 << 20);
	add_extent(&tree, 0, 60 << 20, 1ull << 40);
	assert_int_equal(try_burn("short", &tree, 0, true, &burned, &why), -EIO);
	assert_non_null(strstr(why.text, "file: the spool ends"));
	run("test $(stat -c %%s short) = 65536");
	drive_tree_clear(&tree);
}

/* Killed at any point, the old tree is there and a later burn succeeds. */
static void test_burn_killed(void **state)
{
	static const char *const faults[] = { "burn-planned:kill", "burn-start:kill", "burn-middle:kill",
					      "burn-written:kill", "burn-middle:5" };
	static struct drive_burned burned;
	struct drive_tree wanted, tree;
	struct reason why = { 0 };
	struct probed probed;

	scan_tree("spool", &wanted);
	make_blank("killed");
	burn("killed", "spool", &wanted, &burned);
	assert_import("killed", 0, &tree);
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		setenv("DISCFS_FAULT", faults[i], 1);
		assert_true(try_burn("killed", &tree, 0, true, &burned, &why) < 0);
		unsetenv("DISCFS_FAULT");
		assert_int_equal(probe("killed", &probed), 0);
		assert_int_equal(probed.count, 1);
		assert_image_holds("killed", &wanted);
	}
	burn("killed", "spool", &tree, &burned);
	assert_image_holds("killed", &wanted);
	drive_tree_clear(&tree);
	drive_tree_clear(&wanted);
}

static void test_burn_other_file(void **state)
{
	static struct drive_burned burned;
	struct drive_tree tree = { 0 };
	struct reason why = { 0 };
	struct verb_job job;
	int fd;

	make_blank("mine");
	make_blank("theirs");
	add_node(&tree, "", S_IFDIR | 0755, 0);
	job = job_for("theirs");
	job.nwa = 32;
	fd = open_in_dir("mine", O_RDONLY);
	assert_int_equal(drive_burn(fd, -1, &job, &tree, true, &burned, &why), -ESTALE);
	close(fd);
	drive_tree_clear(&tree);
}

/* ---- hostile discs ---- */

/* A directory that contains itself, and bytes changed at random all over the metadata: an error or a tree, never a
 * crash, and soon. */
static void test_import_hostile(void **state)
{
	unsigned rounds = getenv("DISCFS_TEST_LONG") ? 2000 : 60;
	struct drive_tree tree;
	struct reason why;
	uint64_t seed = 20240901;
	uint8_t *image;
	size_t length;
	int fd;

	NEED("xorriso");
	make_tree();
	run("rm -f good && xorriso -hardlinks on -acl on -xattr user -md5 on -joliet on -outdev good -map tree/dir / &&"
	    " truncate -s 400K good");
	fd = open_in_dir("good", O_RDONLY);
	length = 400 << 10;
	image = malloc(length);
	assert_int_equal(pread(fd, image, length, 0), length);
	close(fd);
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t *bad = malloc(length);

		memcpy(bad, image, length);
		for (unsigned j = 0; j <= i % 24; j++)
			bad[32768 + random_below(&seed, 160 << 10)] = (uint8_t)random_next(&seed);
		fd = open_in_dir("bad", O_RDWR | O_CREAT | O_TRUNC);
		assert_int_equal(pwrite(fd, bad, length, 0), length);
		close(fd);
		free(bad);
		memset(&why, 0, sizeof why);
		(void)import("bad", i % 2 ? 32 : 0, FORMAT_AUTO, &tree, &why);
		if (why.err == ECHILD || why.err == EPROTO)
			printf("round %u: %s\n", i, why.text);
		assert_int_not_equal(why.err, ECHILD);
		assert_int_not_equal(why.err, EPROTO);
		drive_tree_clear(&tree);
	}
	free(image);
}

static int start(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int stop(void **state)
{
	char command[100];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe_refuses),
		cmocka_unit_test(test_probe_blank),
		cmocka_unit_test(test_probe_three_sessions),
		cmocka_unit_test(test_probe_truncated),
		cmocka_unit_test(test_probe_appended),
		cmocka_unit_test(test_import_xorriso),
		cmocka_unit_test(test_import_genisoimage),
		cmocka_unit_test(test_import_other_trees),
		cmocka_unit_test(test_burn_sessions),
		cmocka_unit_test(test_burn_seen_by_xorriso),
		cmocka_unit_test(test_burn_huge),
		cmocka_unit_test(test_burn_large_attributes),
		cmocka_unit_test(test_burn_carries_on),
		cmocka_unit_test(test_burn_refuses),
		cmocka_unit_test(test_burn_short_spool),
		cmocka_unit_test(test_burn_killed),
		cmocka_unit_test(test_burn_other_file),
		cmocka_unit_test(test_import_hostile),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
