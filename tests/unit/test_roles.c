/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probing and importing, each in a process of its own, on real images made by real tools: no mocks. */
#include "roles.h"

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
	assert_refused("text", EMEDIUMTYPE, "not a disc image");
	assert_refused("noise", EMEDIUMTYPE, "not a disc image");
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
	assert_int_equal(probed.disc.nwa,
			 round_up(probed.sessions[2].start + probed.sessions[2].sectors, 32));
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
	assert_refused("cut", EIO, "cut off");
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
	    "genisoimage -quiet -R -V TWO -C 0,$(($(stat -c %%s ga) / 2048)) -M ga -o gb -graft-points "
	    "/new=new &&"
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
	run("mkdir -p plain/dir && echo 1 >plain/dir/file.txt && echo 2 >'plain/Long Name with spaces.html' "
	    "&&"
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

/* Directories too deep for ISO 9660 are relocated by genisoimage: they're back in place, the shelf isn't
 * shown. */
static void test_import_deep(void **state)
{
	struct drive_tree tree;

	NEED("genisoimage");
	run("mkdir -p deep/a/b/c/d/e/f/g/h/i/j/k/l && echo x >deep/a/b/c/d/e/f/g/h/i/j/k/l/m &&"
	    "genisoimage -quiet -R -o dp deep");
	assert_import("dp", 0, &tree);
	assert_non_null(drive_find(&tree, "a/b/c/d/e/f/g/h/i/j/k/l/m"));
	assert_null(drive_find(&tree, "rr_moved"));
	drive_tree_clear(&tree);
}

/* ---- hostile discs ---- */

/* Points the extent of the first directory below the root back at the root. */
static void test_import_loop(void **state)
{
	struct drive_tree tree;
	struct reason why = { 0 };
	uint8_t block[SECTOR];
	uint32_t root;
	int fd;

	NEED("genisoimage");
	run("mkdir -p loop/d && genisoimage -quiet -R -o lp loop");
	fd = open_in_dir("lp", O_RDWR);
	assert_int_equal(pread(fd, block, SECTOR, 16 * SECTOR), SECTOR);
	root = get_le32(block + 158);
	assert_int_equal(pread(fd, block, SECTOR, (off_t)root * SECTOR), SECTOR);
	for (size_t at = 0; at < SECTOR && block[at]; at += block[at])
		if (block[at + 33] == 'D') {
			put_le32(block + at + 2, root);
			put_be32(block + at + 6, root);
		}
	assert_int_equal(pwrite(fd, block, SECTOR, (off_t)root * SECTOR), SECTOR);
	close(fd);
	assert_int_equal(import("lp", 0, FORMAT_AUTO, &tree, &why), -EMEDIUMTYPE);
	assert_non_null(strstr(why.text, "nested"));
	drive_tree_clear(&tree);
}

/* Bytes changed at random all over the metadata: an error or a tree,
 * never a crash, and soon. */
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
	run("rm -f good && xorriso -hardlinks on -acl on -xattr user -md5 on -joliet on -outdev good -map "
	    "tree/dir / &&"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe_refuses),	     cmocka_unit_test(test_probe_blank),
		cmocka_unit_test(test_probe_three_sessions), cmocka_unit_test(test_probe_truncated),
		cmocka_unit_test(test_probe_appended),	     cmocka_unit_test(test_import_xorriso),
		cmocka_unit_test(test_import_genisoimage),   cmocka_unit_test(test_import_other_trees),
		cmocka_unit_test(test_import_deep),	     cmocka_unit_test(test_import_loop),
		cmocka_unit_test(test_import_hostile),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
