/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The UDF reader: names, times and checksums by themselves, and whole discs against what another reader says
 * of them: the lists beside tests/images/ are Linux' own. */
#include "roles.h"

#include "base/text.h"
#include "disc/udf_dir.h"
#include "disc/udf_tag.h"

#include <openssl/evp.h>

/* ---- names ---- */

static const char *name_of(const char *recorded, size_t length)
{
	static char name[UDF_NAME_ROOM];

	udf_name((const uint8_t *)recorded, length, name);
	return name;
}

#define NAME(recorded) name_of(recorded, sizeof recorded - 1)

static void names_become_utf8(void **state)
{
	assert_string_equal(NAME("\10plain.txt"), "plain.txt");
	assert_string_equal(NAME("\10caf\351"), "caf\303\251");
	assert_string_equal(NAME("\20\0a\x65\xe5"), "a\346\227\245");
	assert_string_equal(NAME("\20\xd8\x3d\xde\x00"), "\360\237\230\200");
	/* halves of a pair, alone, in the wrong order, at the end */
	assert_string_equal(NAME("\20\xd8\x3d\0a"), "\357\277\275"
						    "a");
	assert_string_equal(NAME("\20\xde\x00\xd8\x3d"), "\357\277\275\357\277\275");
	/* half a unit at the end doesn't count */
	assert_string_equal(NAME("\20\0a\0"), "a");
	assert_string_equal(NAME("\7odd"), "");
	assert_string_equal(NAME("\10"), "");
	assert_string_equal(name_of("", 0), "");
}

static void names_can_do_no_harm(void **state)
{
	char longest[255], name[UDF_NAME_ROOM];

	assert_string_equal(NAME("\10."), "_");
	assert_string_equal(NAME("\10.."), "__");
	assert_string_equal(NAME("\10..."), "...");
	assert_string_equal(NAME("\10../../etc"), ".._.._etc");
	assert_string_equal(NAME("\20\0/\0\0"), "__");
	memset(longest, 'x', sizeof longest);
	longest[0] = 8;
	assert_int_equal(udf_name((const uint8_t *)longest, sizeof longest, name), 254);
	memset(longest, 0xe9, sizeof longest);
	longest[0] = 8;
	/* 254 letters of two bytes each: cut between two of them, and marked */
	assert_int_equal(udf_name((const uint8_t *)longest, sizeof longest, name), 255);
	assert_int_equal(name[250], '#');
	assert_int_equal((uint8_t)name[249], 0xa9);
}

static void link_targets_are_put_together(void **state)
{
	static const uint8_t absolute[] = "\2\0\0\0\5\4\0\0\10etc\3\0\0\0\4\0\0\0\5\3\0\0\10ab";
	static const uint8_t cut[] = "\5\11\0\0\10etc";
	struct blob content = { (uint8_t *)(uintptr_t)absolute, sizeof absolute - 1 };
	char target[64];

	assert_int_equal(udf_link_target(&content, target, sizeof target), 12);
	assert_memory_equal(target, "/etc/.././ab", 12);
	assert_int_equal(udf_link_target(&content, target, 8), 0);
	content = (struct blob){ (uint8_t *)(uintptr_t)cut, sizeof cut - 1 };
	assert_int_equal(udf_link_target(&content, target, sizeof target), 0);
}

/* ---- tags and times ---- */

/* ECMA-167 7.2.6, bit by bit. */
static uint16_t plain_crc(const uint8_t *data, size_t length)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < 8 * length; i++) {
		uint32_t bit = (crc >> 15 ^ data[i / 8] >> (7 - i % 8)) & 1;

		crc = (crc << 1 ^ (bit ? 0x1021 : 0)) & 0xffff;
	}
	return (uint16_t)crc;
}

static void sums_are_right(void **state)
{
	uint8_t data[300];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * i + 77 * i + (i >> 3));
	assert_int_equal(udf_crc((const uint8_t *)"123456789", 9), 0x31c3);
	for (size_t length = 0; length < 290; length++)
		assert_int_equal(udf_crc(data + length % 9, length), plain_crc(data + length % 9, length));
}

static void tags_are_checked(void **state)
{
	uint8_t tag[32] = "\2\0\3\0\0\0\0\0\0\0\20\0\0\1";
	uint8_t sum = 0;

	memcpy(tag + 16, "sixteen bytes...", 16);
	tag[8] = (uint8_t)udf_crc(tag + 16, 16);
	tag[9] = (uint8_t)(udf_crc(tag + 16, 16) >> 8);
	for (size_t i = 0; i < 16; i++)
		sum = (uint8_t)(sum + (i == 4 ? 0 : tag[i]));
	tag[4] = sum;
	assert_int_equal(udf_tag_read(tag, 32), 2);
	assert_int_equal(udf_tag_location(tag), 256);
	assert_int_equal(udf_tag_read(tag, 31), 0);
	tag[20] ^= 1;
	assert_int_equal(udf_tag_read(tag, 32), 0);
	tag[20] ^= 1;
	tag[12] ^= 1;
	assert_int_equal(udf_tag_read(tag, 32), 0);
}

static void times_are_read(void **state)
{
	/* 2020-02-29 12:34:56.789012, two hours east of Greenwich */
	uint8_t time[12] = { 0x78, 0x10, 0xe4, 0x07, 2, 29, 12, 34, 56, 78, 90, 12 };

	assert_int_equal(udf_time(time), (INT64_C(1582972496) * 1000000 + 789012) * 1000);
	time[1] = 0x0f; /* UTC: no zone counts */
	assert_int_equal(udf_time(time), (INT64_C(1582979696) * 1000000 + 789012) * 1000);
	time[0] = 0x01, time[1] = 0x18; /* local time, and nobody knows where */
	assert_int_equal(udf_time(time), (INT64_C(1582979696) * 1000000 + 789012) * 1000);
	time[9] = 100; /* no sense in it */
	assert_int_equal(udf_time(time), INT64_C(1582979696) * 1000000000);
	time[4] = 13;
	assert_int_equal(udf_time(time), 0);
	memset(time, 0xff, sizeof time);
	assert_int_equal(udf_time(time), 0);
	memcpy(time, "\0\1\1\0\1\1\0\0\0\0\0\0", 12); /* the year 1 */
	assert_true(udf_time(time) < 0);
}

/* ---- whole discs against what Linux says of them ---- */

/* One line of a list. */
struct line {
	char type;
	unsigned mode, uid, gid, links;
	uint64_t size;
	int64_t mtime_ns;
	char sum[65];
	char path[1024], target[1200];
};

static void unescape(const char *from, char *to)
{
	for (; *from; to++)
		if (*from == '\\') {
			*to = (char)strtol((char[]){ from[1], from[2], from[3], 0 }, NULL, 8);
			from += 4;
		} else {
			*to = *from++;
		}
	*to = '\0';
}

static bool next_line(FILE *list, struct line *ret)
{
	static char text[8192];
	char *field[12] = { 0 }, *at = text;
	char *end;

	if (!fgets(text, sizeof text, list))
		return false;
	text[strcspn(text, "\n")] = '\0';
	for (size_t i = 0; i < 11 && at; i++)
		field[i] = strsep(&at, "\t");
	assert_non_null(field[9]);
	ret->type = *field[0];
	ret->mode = (unsigned)strtoul(field[1], NULL, 8);
	ret->uid = (unsigned)strtoul(field[2], NULL, 10);
	ret->gid = (unsigned)strtoul(field[3], NULL, 10);
	ret->links = (unsigned)strtoul(field[4], NULL, 10);
	ret->size = strtoull(field[5], NULL, 10);
	ret->mtime_ns = strtoll(field[6], &end, 10) * NS_PER_SEC;
	ret->mtime_ns += *end == '.' ? strtoll(end + 1, NULL, 10) : 0;
	snprintf(ret->sum, sizeof ret->sum, "%s", field[7]);
	unescape(strcmp(field[9], ".") == 0 ? "" : field[9] + 2, ret->path);
	unescape(field[10] ? field[10] : "", ret->target);
	return true;
}

static void sum_of(int disc, const struct node *node, char ret[65])
{
	static uint8_t data[1 << 16];
	uint8_t sum[32];
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
	for (uint64_t at = 0; at < node->attr.size; at += sizeof data) {
		uint64_t length = min_u64(sizeof data, node->attr.size - at);

		read_body(disc, -1, node, at, data, length);
		EVP_DigestUpdate(hash, data, length);
	}
	EVP_DigestFinal_ex(hash, sum, NULL);
	EVP_MD_CTX_free(hash);
	for (size_t i = 0; i < sizeof sum; i++)
		snprintf(ret + 2 * i, 3, "%02x", sum[i]);
}

static void assert_line(int disc, const struct node *node, unsigned names, const struct line *line)
{
	char sum[65] = "-";

	if (S_ISREG(node->attr.mode))
		sum_of(disc, node, sum);
	assert_int_equal(node->attr.mode & 07777, line->mode);
	assert_int_equal(node->attr.mode & S_IFMT, line->type == 'd'   ? S_IFDIR
						   : line->type == 'l' ? S_IFLNK
								       : S_IFREG);
	assert_int_equal(node->attr.uid, line->uid);
	assert_int_equal(node->attr.gid, line->gid);
	if (line->type != 'd') {
		assert_int_equal(node->attr.size, line->size);
		assert_int_equal(names, line->links);
	}
	assert_int_equal(node->attr.mtime_ns, line->mtime_ns);
	assert_string_equal(sum, line->sum);
	assert_int_equal(node->target.length, strlen(line->target));
	if (node->target.length)
		assert_memory_equal(node->target.data, line->target, node->target.length);
}

/* Name by name, attribute by attribute, byte by byte, and nothing more. */
static void assert_as_listed(const char *image)
{
	char path[300];
	struct drive_tree tree;
	struct reason why = { 0 };
	struct line line;
	size_t lines = 0;
	FILE *list;
	int disc;

	run("xz -dc %s/tests/images/%s.img.xz >%s", getenv("PWD"), image, image);
	if (import(image, 0, FORMAT_AUTO, &tree, &why) < 0) {
		printf("%s: %s\n", image, why.text);
		fail();
	}
	assert_int_equal(tree.imported.format, FORMAT_UDF);
	snprintf(path, sizeof path, "tests/images/%s.tsv", image);
	list = fopen(path, "r");
	assert_non_null(list);
	disc = open_in_dir(image, O_RDONLY);
	for (; next_line(list, &line); lines++) {
		const struct node *node = drive_find(&tree, line.path);
		unsigned names = 0;

		if (!node)
			printf("missing: %s\n", line.path);
		assert_non_null(node);
		vec_each (&tree.names, name)
			names += name->ino == node->attr.ino;
		assert_line(disc, node, names, &line);
	}
	assert_int_equal(tree.names.count, lines);
	assert_int_equal(tree.warnings, 0);
	fclose(list);
	close(disc);
	drive_tree_clear(&tree);
}

static void linux_201_is_as_linux_shows_it(void **state)
{
	NEED("xz");
	assert_as_listed("udf201-linux");
}

static void linux_150_is_as_linux_shows_it(void **state)
{
	NEED("xz");
	assert_as_listed("udf150-dvdrw-linux");
}

/* ---- damaged and hostile discs ---- */

/* Where descriptors are in an image, entries of directories among them. */
typedef VEC(uint64_t) place_list;

static void places_clear(place_list *places)
{
	vec_clear(places);
}

static void find_descriptors(int fd, place_list *ret)
{
	uint8_t block[SECTOR];

	for (uint64_t at = 0; pread(fd, block, SECTOR, (off_t)at) == SECTOR; at += SECTOR)
		for (size_t i = 0; i + 16 < SECTOR; i += 4)
			if (get_le16(block + i) != 0 && udf_tag_read(block + i, SECTOR - i))
				*vec_push(ret) = at + i;
}

static void mend_tag(uint8_t *tag, size_t room)
{
	size_t length = get_le16(tag + 10);
	uint8_t sum = 0;
	uint16_t crc;

	if (length > room - 16)
		return;
	crc = udf_crc(tag + 16, length);
	tag[8] = (uint8_t)crc;
	tag[9] = (uint8_t)(crc >> 8);
	for (size_t i = 0; i < 16; i++)
		sum = (uint8_t)(sum + (i == 4 ? 0 : tag[i]));
	tag[4] = sum;
}

/* Up to three numbers of a descriptor become others; mostly its checksums are made right again, since nothing
 * behind a wrong one is looked at. */
static void damage(uint8_t *tag, size_t room, uint64_t *random)
{
	static const uint32_t values[] = { 0,	       1,	   2,	       255,	   2047,
					   2048,       4000,	   65535,      0x3fffffff, 0x40000000,
					   0x7fffffff, 0x80000000, 0xc0000800, 0xffffffff };
	size_t length = min_u64(16u + get_le16(tag + 10), room);

	for (uint64_t i = random_below(random, 3) + 1; i > 0; i--) {
		size_t at = random_below(random, length);
		uint64_t kind = random_below(random, 4);

		if (kind < 2)
			tag[at] = (uint8_t)random_next(random);
		else if (kind == 2)
			tag[at] = (uint8_t)(tag[at] + random_below(random, 5) - 2);
		else if (length >= 4)
			put_le32(tag + min_u64(at & ~3u, length - 4),
				 values[random_below(random, sizeof values / sizeof values[0])]);
	}
	if (random_below(random, 8))
		mend_tag(tag, room);
}

/* One damaged image through the worker: it ends by itself, soon, with a tree or a reason. */
static int try_damaged(const char *image, int fd, const place_list *places, uint64_t *random)
{
	uint64_t at = places->items[random_below(random, places->count)], sector = at - at % SECTOR;
	uint8_t before[SECTOR], block[SECTOR];
	struct drive_tree tree;
	struct reason why = { 0 };
	struct timespec from, to;
	int got;

	assert_int_equal(pread(fd, before, SECTOR, (off_t)sector), SECTOR);
	memcpy(block, before, SECTOR);
	damage(block + at % SECTOR, SECTOR - at % SECTOR, random);
	assert_int_equal(pwrite(fd, block, SECTOR, (off_t)sector), SECTOR);
	clock_gettime(CLOCK_MONOTONIC, &from);
	got = import(image, 0, FORMAT_UDF, &tree, &why);
	clock_gettime(CLOCK_MONOTONIC, &to);
	drive_tree_clear(&tree);
	if (to.tv_sec - from.tv_sec > 10 || why.err == ECHILD || (got < 0 && !why.text[0])) {
		printf("byte %" PRIu64 " of %s: %s after %ld s\n", at, image, why.text,
		       (long)(to.tv_sec - from.tv_sec));
		run("cp %s /tmp/udf-damaged.img", image);
		fail();
	}
	assert_int_equal(pwrite(fd, before, SECTOR, (off_t)sector), SECTOR);
	return got;
}

static void make_image(const char *kind)
{
	run("rm -rf made && python3 -I %s/tests/udf.py make %s %s made", getenv("PWD"), kind, kind);
}

/* A directory that leads back to the root. */
static void loops_are_damage(void **state)
{
	CLEANUP(places_clear) place_list places = { 0 };
	struct drive_tree tree;
	struct reason why = { 0 };
	unsigned changed = 0;
	int fd;

	NEED("python3");
	make_image("plain");
	fd = open_in_dir("plain", O_RDWR);
	find_descriptors(fd, &places);
	vec_each (&places, at) {
		uint8_t fid[64];

		assert_int_equal(pread(fd, fid, sizeof fid, (off_t)*at), sizeof fid);
		if (get_le16(fid) != 257 || fid[19] != 7 || memcmp(fid + 38, "\10deeper", 7) != 0)
			continue;
		put_le32(fid + 24, 1); /* where the root's file entry is */
		mend_tag(fid, sizeof fid);
		assert_int_equal(pwrite(fd, fid, sizeof fid, (off_t)*at), sizeof fid);
		changed++;
	}
	close(fd);
	assert_int_equal(changed, 1);
	assert_int_equal(import("plain", 0, FORMAT_UDF, &tree, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "/sub/deeper: this directory is in another place, too"));
	drive_tree_clear(&tree);
}

/* The metadata file is there twice (UDF 2.2.13): one may be lost. */
static void mirror_of_metadata_serves(void **state)
{
	static const uint8_t zeroes[SECTOR];
	struct drive_tree whole, tree;
	struct reason why = { 0 };
	int fd;

	NEED("python3");
	make_image("pieces");
	assert_int_equal(import("pieces", 0, FORMAT_UDF, &whole, &why), 0);
	fd = open_in_dir("pieces", O_RDWR);
	assert_int_equal(pwrite(fd, zeroes, SECTOR, (off_t)(300 + 10) * SECTOR), SECTOR);
	assert_int_equal(import("pieces", 0, FORMAT_UDF, &tree, &why), 0);
	assert_same_tree(&tree, &whole, fd, -1);
	drive_tree_clear(&tree);
	assert_int_equal(pwrite(fd, zeroes, SECTOR, (off_t)(300 + 11) * SECTOR), SECTOR);
	assert_int_equal(import("pieces", 0, FORMAT_UDF, &tree, &why), -EBADMSG);
	close(fd);
	drive_tree_clear(&tree);
	drive_tree_clear(&whole);
}

/* How many: DISCFS_MUTATIONS, for a long run. */
static void damaged_discs_do_no_harm(void **state)
{
	static const char *const kinds[] = { "plain", "metadata", "pieces" };
	uint64_t random = 20260711,
		 rounds = getenv("DISCFS_MUTATIONS") ? strtoull(getenv("DISCFS_MUTATIONS"), NULL, 10) : 300;

	NEED("python3");
	for (size_t i = 0; i < 3; i++) {
		CLEANUP(places_clear) place_list places = { 0 };
		int fd, good = 0;

		make_image(kinds[i]);
		fd = open_in_dir(kinds[i], O_RDWR);
		find_descriptors(fd, &places);
		assert_true(places.count > 100);
		for (uint64_t round = 0; round < rounds / 3; round++)
			good += try_damaged(kinds[i], fd, &places, &random) == 0;
		/* some of it isn't needed, and some is */
		assert_true(good > 0 && (uint64_t)good < rounds / 3);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_utf8),
		cmocka_unit_test(names_can_do_no_harm),
		cmocka_unit_test(link_targets_are_put_together),
		cmocka_unit_test(sums_are_right),
		cmocka_unit_test(tags_are_checked),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(linux_201_is_as_linux_shows_it),
		cmocka_unit_test(linux_150_is_as_linux_shows_it),
		cmocka_unit_test(loops_are_damage),
		cmocka_unit_test(mirror_of_metadata_serves),
		cmocka_unit_test(damaged_discs_do_no_harm),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
