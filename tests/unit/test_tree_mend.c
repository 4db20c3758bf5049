/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories that libisofs lays out wrongly (see disc/tree_mend.h), burned, read back and checked by
 * xorriso; and blocks that aren't what they should be. */
#include "burns.h"

#include "disc/tree_mend.h"
#include "model/acl.h"
#include "reckon.h"

#define FILE_MODE (S_IFREG | 0644)
#define DIR_MODE  (S_IFDIR | 0755)

/* A name of a length that begins with a number. */
static const char *long_name(unsigned number, size_t length)
{
	static char name[256];

	memset(name, 'n', sizeof name);
	name[snprintf(name, sizeof name, "%05u", number)] = '-';
	name[length] = '\0';
	return name;
}

static uint64_t add_dir(struct drive_tree *tree, uint64_t parent, const char *name)
{
	return add_child(tree, parent, name, DIR_MODE, 0);
}

/* Their content are bytes of the spool, other ones for each. */
static void add_files(struct drive_tree *tree, uint64_t parent, unsigned count, size_t length)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t ino = add_child(tree, parent, long_name(i, length), FILE_MODE, 10 + i % 50);
		struct extent extent = { 0, 10 + i % 50, (ino * 7) % 9000, EXTENT_SPOOL };

		extent_map_set(&tree->nodes.items[ino - 1].map, &extent);
	}
}

static void add_links(struct drive_tree *tree, uint64_t parent, unsigned count, size_t length)
{
	char target[1024];

	for (unsigned i = 0; i < count; i++) {
		uint64_t ino = add_child(tree, parent, long_name(20000 + i, 12), S_IFLNK | 0777, length);

		memset(target, 'a' + (int)(i % 26), sizeof target);
		for (size_t at = 0; at < length; at += 100 + i % 7)
			target[at] = '/';
		target[length - 1] = 'z';
		blob_set(&tree->nodes.items[ino - 1].target, target, length);
	}
}

/* Attributes and an ACL for every third file. */
static void add_attributes(struct drive_tree *tree)
{
	static const uint8_t acl[] = { 2, 0,   0,   0,	 1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  6,
				       0, 210, 4,   0,	 0,   4,   0,  4, 0,   255, 255, 255, 255, 16, 0,
				       6, 0,   255, 255, 255, 255, 32, 0, 4,   0,   255, 255, 255, 255 };
	uint8_t value[700];

	vec_each (&tree->nodes, node) {
		unsigned i = (unsigned)node->attr.ino;

		if (!S_ISREG(node->attr.mode) || i % 3)
			continue;
		memset(value, (int)i, sizeof value);
		assert_int_equal(xattr_set_put(&node->xattrs, "user.some", value, i * 37 % sizeof value), 0);
		node->attr.mode = S_IFREG | 0664;
		assert_true(acl_valid(acl, sizeof acl));
		assert_int_equal(xattr_set_put(&node->xattrs, ACL_ACCESS, acl, sizeof acl), 0);
	}
}

static void make_spool(void)
{
	run("test -e bytes || head -c 10000 /dev/urandom >bytes");
}

/* Its checksums match, those of files and those of sessions; and it's all there, in out. */
static void check_by_xorriso(const char *image, unsigned sessions)
{
	if (!has_tool("xorriso"))
		return;
	run("xorriso -md5 on -indev %s -check_md5_r SORRY / -- 2>&1 | tee /dev/stderr | grep -q 'checksums "
	    "match'",
	    image);
	run("xorriso -md5 on -indev %s -check_media -- 2>&1 | tee /dev/stderr >media; grep -c md5_match "
	    "media | "
	    "grep -qx %u",
	    image, sessions);
	run("! grep -i mismatch media");
	run("chmod -R u+w out 2>/dev/null; rm -rf out; xorriso -abort_on FAILURE -indev %s -osirrox on "
	    "-extract / out",
	    image);
}

/* What xorriso extracted is what the plan says. */
static void assert_extracted(struct drive_tree *wanted)
{
	int spool = open_in_dir("bytes", O_RDONLY);
	char **paths;

	if (!has_tool("xorriso"))
		return;
	paths = calloc(wanted->nodes.count + 1, sizeof *paths);
	paths[ROOT_INO] = strdup(in_dir("out"));
	vec_each (&wanted->names, name) {
		const struct node *node = &wanted->nodes.items[name->ino - 1];
		char left[1100], right[1100];
		struct stat info;
		int fd;

		if (name->parent)
			assert_true(asprintf(&paths[name->ino], "%s/%s", paths[name->parent], name->name) >
				    0);
		assert_int_equal(lstat(paths[name->ino], &info), 0);
		assert_int_equal(info.st_mode & S_IFMT, node->attr.mode & S_IFMT);
		if (S_ISLNK(node->attr.mode)) {
			assert_int_equal(readlink(paths[name->ino], left, sizeof left), node->target.length);
			assert_memory_equal(left, node->target.data, node->target.length);
		}
		if (!S_ISREG(node->attr.mode) || (node->map.count && node->map.items[0].kind != EXTENT_SPOOL))
			continue;
		assert_int_equal(info.st_size, node->attr.size);
		fd = open(paths[name->ino], O_RDONLY);
		assert_int_equal(read(fd, left, sizeof left), node->attr.size);
		close(fd);
		read_body(-1, spool, node, 0, (uint8_t *)right, node->attr.size);
		assert_memory_equal(left, right, node->attr.size);
	}
	for (size_t i = 0; i <= wanted->nodes.count; i++)
		free(paths[i]);
	free(paths);
	close(spool);
}

static void assert_good(const char *image, struct drive_tree *wanted, unsigned sessions)
{
	struct drive_tree got;
	int disc = open_in_dir(image, O_RDONLY), spool = open_in_dir("bytes", O_RDONLY);

	assert_import(image, 0, &got);
	assert_same_tree(&got, wanted, disc, spool);
	drive_tree_clear(&got);
	close(disc);
	close(spool);
	check_by_xorriso(image, sessions);
	assert_extracted(wanted);
}

static void burn_and_check(struct drive_tree *tree)
{
	static struct drive_burned burned;
	struct cost_medium medium = { .start = 32 };

	make_spool();
	make_blank("mended");
	burn("mended", "bytes", tree, &burned);
	assert_true(burned.planned.sectors <= cost_session(&medium, reckon(tree, &SESSION_FORMATS_DEFAULT)));
	assert_good("mended", tree, 1);
	drive_tree_clear(tree);
}

static void test_mend_names(void **state)
{
	static const struct {
		unsigned count;
		size_t length;
	} cases[] = { { 120, 250 }, { 100, 220 }, { 100, 245 }, { 400, 180 }, { 2000, 245 } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct drive_tree tree = { 0 };

		add_node(&tree, "", DIR_MODE, 0);
		add_files(&tree, ROOT_INO, cases[i].count, cases[i].length);
		burn_and_check(&tree);
	}
}

static void test_mend_links(void **state)
{
	struct drive_tree tree = { 0 };

	add_node(&tree, "", DIR_MODE, 0);
	add_files(&tree, ROOT_INO, 1, 10); /* xorriso calls no sums a mismatch */
	add_links(&tree, add_dir(&tree, ROOT_INO, "links"), 200, 300);
	burn_and_check(&tree);
}

/* Every length of names and many of targets, so that areas end at all places of a block. */
static void test_mend_many_lengths(void **state)
{
	struct drive_tree tree = { 0 };

	add_node(&tree, "", DIR_MODE, 0);
	for (size_t length = 100; length <= 255; length++)
		add_files(&tree, add_dir(&tree, ROOT_INO, long_name((unsigned)length, 9)), 60, length);
	for (size_t length = 150; length <= 1000; length += 23)
		add_links(&tree, add_dir(&tree, ROOT_INO, long_name((unsigned)length + 1000, 9)), 40, length);
	burn_and_check(&tree);
}

/* Between ordinary directories, before and behind them in order, and inside each other. */
static void make_nested(struct drive_tree *tree)
{
	uint64_t at = ROOT_INO;

	add_node(tree, "", DIR_MODE, 0);
	add_files(tree, add_dir(tree, ROOT_INO, "aaa"), 30, 20);
	for (unsigned depth = 0; depth < 5; depth++) {
		add_files(tree, add_dir(tree, at, "0 before"), 40, 30);
		add_files(tree, add_dir(tree, at, "zz behind"), 120, 230);
		add_links(tree, add_dir(tree, at, "links"), 100, 200 + 50 * depth);
		at = add_dir(tree, at, long_name(77, 200));
		add_files(tree, at, 120 + depth * 10, 250 - depth);
		add_dir(tree, at, long_name(88, 255));
	}
	add_files(tree, add_dir(tree, ROOT_INO, "zzz"), 30, 20);
}

static void test_mend_nested(void **state)
{
	struct drive_tree tree = { 0 };

	make_nested(&tree);
	burn_and_check(&tree);
}

static void test_mend_attributes(void **state)
{
	struct drive_tree tree = { 0 };

	make_nested(&tree);
	add_attributes(&tree);
	burn_and_check(&tree);
}

/* Trees of directories, files, links and attributes of any size. */
static void make_random(struct drive_tree *tree, uint64_t seed)
{
	uint64_t dirs[40] = { ROOT_INO };
	uint8_t value[3000] = { 7 };

	add_node(tree, "", DIR_MODE, 0);
	for (unsigned i = 1; i < 40; i++) {
		unsigned count = (unsigned)random_below(&seed, 60);

		dirs[i] = add_dir(tree, dirs[random_below(&seed, i)],
				  long_name(10000 + i, 8 + (size_t)random_below(&seed, 248)));
		add_files(tree, dirs[i], count, 8 + (size_t)random_below(&seed, 248));
		if (i % 4 == 0)
			add_links(tree, dirs[i], count, 2 + (size_t)random_below(&seed, 1000));
	}
	vec_each (&tree->nodes, node)
		if (random_below(&seed, 5) == 0 && !S_ISLNK(node->attr.mode))
			assert_int_equal(xattr_set_put(&node->xattrs, "user.any", value,
						       (size_t)random_below(&seed, sizeof value)),
					 0);
}

static void test_mend_random_trees(void **state)
{
	uint64_t seeds = getenv("DISCFS_TEST_LONG") ? 60 : 5;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct drive_tree tree = { 0 };

		make_random(&tree, seed);
		burn_and_check(&tree);
	}
}

/* A second session refers to the files of the first one and adds a directory of long names to it. */
static void test_mend_second_session(void **state)
{
	static struct drive_burned burned;
	struct drive_tree first = { 0 }, second, third;
	int disc, spool;

	make_spool();
	make_blank("twice");
	make_nested(&first);
	add_attributes(&first);
	burn("twice", "bytes", &first, &burned);
	assert_import("twice", 0, &second);
	add_files(&second, add_dir(&second, ROOT_INO, "more"), 150, 240);
	burn("twice", "bytes", &second, &burned);
	assert_true(burned.planned.new_data < 150 * 60);
	assert_good("twice", &second, 2);
	add_files(&first, add_dir(&first, ROOT_INO, "more"), 150, 240);
	assert_import("twice", 0, &third);
	disc = open_in_dir("twice", O_RDONLY);
	for (size_t i = 0; i < 150; i++) /* of other bytes of the spool: numbers differ */
		first.nodes.items[first.nodes.count - 1 - i].map.items[0].origin =
		    second.nodes.items[second.nodes.count - 1 - i].map.items[0].origin;
	spool = open_in_dir("bytes", O_RDONLY);
	assert_same_tree(&third, &first, disc, spool);
	close(disc);
	close(spool);
	drive_tree_clear(&third);
	/* And one that has nothing to mend, on top. */
	assert_import("twice", 0, &third);
	burn("twice", "bytes", &third, &burned);
	assert_good("twice", &third, 3);
	drive_tree_clear(&third);
	drive_tree_clear(&second);
	drive_tree_clear(&first);
}

/* ---- blocks that aren't as they should be ---- */

#define START  100u
#define BLOCKS 40u

/* A root with two directories, two blocks missing behind the first of them: the root's address, its size,
 * what follows. */
static void put_dir(uint8_t *record, uint32_t lba, uint32_t size, uint8_t name)
{
	record[0] = 34;
	put_le32(record + 2, lba);
	put_be32(record + 6, lba);
	put_le32(record + 10, size);
	record[25] = 2;
	record[32] = 1;
	record[33] = name;
}

static void make_blocks(uint8_t (*data)[SECTOR])
{
	memset(data, 0, (size_t)BLOCKS * SECTOR);
	memcpy(data[16], "\1CD001\1", 7);
	put_le32(data[16] + 132, 42);
	put_le32(data[16] + 140, START + 27);
	put_be32(data[16] + 148, START + 28);
	put_dir(data[16] + 156, START + 19, SECTOR, 0);
	put_dir(data[19], START + 19, SECTOR, 0);
	put_dir(data[19] + 34, START + 19, SECTOR, 1);
	put_dir(data[19] + 68, START + 20, SECTOR, 'A');
	put_dir(data[19] + 102, START + 25, SECTOR, 'B');
	put_dir(data[20], START + 20, SECTOR, 0);
	memset(data[21], 'N', SECTOR); /* areas of two blocks, where four are reserved */
	memset(data[22], 'M', SECTOR);
	put_dir(data[23], START + 25, SECTOR, 0);
	memset(data[24], 'O', SECTOR);
	data[25][0] = data[25][6] = 1;
	put_le32(data[25] + 2, START + 19);
	data[27][0] = 't';
}

static int try_mend(uint8_t (*data)[SECTOR], uint32_t count, uint32_t missing, uint8_t **ret)
{
	struct tree_bounds bounds;
	struct reason why = { 0 };
	int got = tree_bounds_read(data[16], START, &bounds, &why);

	*ret = NULL;
	if (got < 0)
		return got;
	assert_int_equal(bounds.tag, START + 29);
	return tree_mend(&bounds, data[0], count, missing, ret, &why);
}

static void test_mend_blocks(void **state)
{
	static uint8_t data[BLOCKS][SECTOR], zeroes[2 * SECTOR];
	uint8_t *got;

	make_blocks(data);
	assert_int_equal(try_mend(data, 30, 2, &got), 0);
	assert_memory_equal(got, data, 23 * SECTOR);
	assert_memory_equal(got + 23 * SECTOR, zeroes, sizeof zeroes);
	assert_memory_equal(got + 25 * SECTOR, data[23], 7 * SECTOR);
	free(got);
	for (uint32_t missing = 0; missing < 12; missing++)
		if (missing != 2)
			assert_int_equal(try_mend(data, 30, missing, &got), -EIO);
	for (uint32_t count = 0; count < 28; count++)
		assert_int_equal(try_mend(data, count, 2, &got), -EIO);
}

/* Whatever the bytes are, nothing is read or written beyond them. */
static void test_mend_random_blocks(void **state)
{
	static uint8_t data[BLOCKS][SECTOR];
	static const size_t places[] = { 16, 19, 20, 23, 25 };
	uint64_t seed = 5;
	uint8_t *got;

	for (int round = 0; round < 20000; round++) {
		struct tree_bounds bounds;
		struct reason why = { 0 };
		uint8_t *room;
		uint32_t count = (uint32_t)(random_next(&seed) % BLOCKS);

		make_blocks(data);
		for (uint64_t i = random_next(&seed) % 4 + 1; i > 0; i--)
			data[places[random_next(&seed) % 5]][random_next(&seed) % 190] =
			    (uint8_t)random_next(&seed);
		if (tree_bounds_read(data[16], START, &bounds, &why) < 0)
			continue;
		room = malloc((size_t)count * SECTOR + 1); /* what lies beyond it is seen by the sanitizer */
		memcpy(room, data, (size_t)count * SECTOR);
		if (tree_mend(&bounds, room, count, (uint32_t)(random_next(&seed) % 5), &got, &why) == 0)
			free(got);
		free(room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mend_names),	    cmocka_unit_test(test_mend_links),
		cmocka_unit_test(test_mend_many_lengths),   cmocka_unit_test(test_mend_nested),
		cmocka_unit_test(test_mend_attributes),	    cmocka_unit_test(test_mend_random_trees),
		cmocka_unit_test(test_mend_second_session), cmocka_unit_test(test_mend_blocks),
		cmocka_unit_test(test_mend_random_blocks),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
