/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reckoning of directories (model/layout) against what libisofs lays out: the same number of sectors, for
 * trees of every kind. */
#include "burns.h"

#include "model/acl.h"
#include "model/xattr_set.h"
#include "reckon.h"

/* What the burn worker plans for it on a blank image: the volume's size that its head tells; with UDF that of
 * the session, up to the next chunk. */
static uint64_t lay_out(struct drive_tree *tree, const struct session_formats *formats, const char *what)
{
	static struct drive_burned burned;
	struct verb_job job = job_for("blank");
	struct reason why = { 0 };
	int fd, spool;

	make_blank("blank");
	fd = open_in_dir("blank", O_RDONLY);
	spool = open_in_dir("spool", O_RDWR | O_CREAT);
	job.nwa = 32;
	job.joliet = formats->joliet;
	job.udf = formats->udf;
	job.udf_links = formats->udf_links;
	if (drive_burn(fd, spool, &job, tree, false, &burned, &why) < 0) {
		printf("%s: %s\n", what, why.text);
		return 0;
	}
	close(fd);
	close(spool);
	return formats->udf ? burned.planned.sectors
			    : get_le32(burned.head + (size_t)16 * SECTOR + 80) - job.nwa;
}

static bool is_reckoned(struct drive_tree *tree, const struct session_formats *formats, const char *what)
{
	const struct cost_medium medium = { .start = 32, .front = formats->udf ? UDF_FRONT : 0 };
	uint64_t wanted = lay_out(tree, formats, what), got = reckon(tree, formats);

	if (formats->udf)
		got = cost_session(&medium, got);
	if (wanted && got != wanted)
		printf("%s (%s): reckoned %" PRIu64 ", laid out %" PRIu64 "\n", what,
		       session_formats_words(formats), got, wanted);
	return got == wanted;
}

static const struct session_formats sets[] = { { .joliet = true },
					       { .joliet = true, .udf = true, .udf_links = true },
					       { .joliet = false },
					       { .joliet = true },
					       { .udf = true } };
#define SETS (sizeof sets / sizeof *sets)

/* ---- random trees ---- */

static const char *const stems[] = { "file",
				     "readme",
				     "PHOTO",
				     "a",
				     "Makefile",
				     "x.tar",
				     "\xc3\xa4\xc3\xb6",
				     "\xd0\xb0\xd0\xb1",
				     "\xf0\x9f\x98\x80",
				     "bad\xff",
				     "\xed\xa0\x80",
				     "e\xe2\x82",
				     "\xf3\xa0\x81\xa7",
				     "\xfa\xbc\x8f\x81\x8b",
				     "\xfc\x84\x80\x80\x80\x80" };
static const char *const ends[] = {
	"", ".txt", ".", ".longextension", ".TXT", ".tar.gz", ".\xc3\xa9", ";*?"
};

static void random_name(uint64_t *seed, unsigned variety, char *ret)
{
	size_t used = 0, wanted = random_below(seed, 4) ? 0 : random_below(seed, 230);
	const char *stem = stems[random_below(seed, sizeof stems / sizeof *stems)];
	const char *end = ends[random_below(seed, sizeof ends / sizeof *ends)];

	used = (size_t)sprintf(ret, "%s", stem);
	while (used < wanted)
		used += (size_t)sprintf(ret + used, "%s", random_below(seed, 2) ? stem : "_");
	if (used > 235)
		used = 235;
	used += (size_t)sprintf(ret + used, "%" PRIu64 "%s", random_below(seed, variety), end);
	if (random_below(seed, 8) == 0)
		for (size_t i = 0; i < used; i++)
			ret[i] = (char)(1 + random_below(seed, 255));
	for (size_t i = 0; i < used; i++)
		if (ret[i] == '/')
			ret[i] = '-';
}

static void random_target(uint64_t *seed, struct node *node)
{
	char target[1100];
	size_t used = 0, wanted = 1 + random_below(seed, random_below(seed, 3) ? 60 : 1000);
	size_t most = random_below(seed, 10) ? 20 : random_below(seed, 3);

	while (used < wanted) {
		size_t part = random_below(seed, 8) ? random_below(seed, most + 1) : random_below(seed, 257);

		if (part < 200 && random_below(seed, 6) == 0)
			used += (size_t)sprintf(target + used, "..");
		for (size_t i = 0; i < part && used < wanted; i++)
			target[used++] = (char)('a' + random_below(seed, 26));
		if (used < wanted)
			target[used++] = '/';
	}
	if (!target_fits(target, used)) /* symlink() refuses it */
		used = (size_t)sprintf(target, "refused");
	blob_set(&node->target, target, used);
	node->attr.size = used;
}

static void random_xattrs(uint64_t *seed, struct node *node)
{
	static const uint8_t acl[] = { 2, 0,   0,   0,	 1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  7,
				       0, 232, 3,   0,	 0,   4,   0,  4, 0,   255, 255, 255, 255, 16, 0,
				       7, 0,   255, 255, 255, 255, 32, 0, 4,   0,   255, 255, 255, 255 };
	uint8_t value[3000] = { 1 };
	char name[40];

	for (unsigned i = 0, count = (unsigned)random_below(seed, 4); i < count; i++) {
		size_t length =
		    random_below(seed, 3) ? random_below(seed, 60) : random_below(seed, sizeof value);

		sprintf(name, "%s%u", random_below(seed, 2) ? "user.name" : "trusted.other", i);
		assert_int_equal(xattr_set_put(&node->xattrs, name, value, length), 0);
	}
	if (random_below(seed, 4) == 0)
		assert_int_equal(xattr_set_put(&node->xattrs, ACL_ACCESS, acl, sizeof acl), 0);
	if (S_ISDIR(node->attr.mode) && random_below(seed, 4) == 0)
		assert_int_equal(xattr_set_put(&node->xattrs, ACL_DEFAULT, acl, sizeof acl), 0);
}

/* Nobody reads it; but it's no other's: what is the same is recorded once. */
static void give_body(struct node *node, uint64_t size)
{
	static uint64_t origin;
	struct extent extent = { .length = size, .origin = origin, .kind = EXTENT_SPOOL };

	node->attr.size = size;
	origin += round_up(size, 4096);
	if (size)
		assert_int_equal(extent_map_set(&node->map, &extent), 0);
}

static bool is_there(struct drive_tree *tree, uint64_t parent, const char *name)
{
	vec_each (&tree->names, at)
		if (at->parent == parent && strcmp(at->name, name) == 0)
			return true;
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static uint64_t random_dir(uint64_t *seed, struct drive_tree *tree)
{
	uint64_t ino = 1 + random_below(seed, tree->nodes.count);

	while (!S_ISDIR(tree->nodes.items[ino - 1].attr.mode))
		ino--;
	return ino;
}

static void add_random(uint64_t *seed, struct drive_tree *tree, unsigned kinds, unsigned variety)
{
	static const uint32_t modes[] = { S_IFREG | 0644, S_IFREG | 0600, S_IFDIR | 0755, S_IFLNK | 0777,
					  S_IFIFO | 0600, S_IFCHR | 0600, S_IFREG | 0644, S_IFREG | 0644 };
	uint32_t mode = modes[random_below(seed, kinds)];
	uint64_t parent = random_dir(seed, tree);
	char name[300];
	uint16_t units[NAME_JOLIET_MOST];
	struct node *node;
	uint64_t ino;

	random_name(seed, variety, name);
	if (is_there(tree, parent, name) || strlen(name) > NAME_LIMIT)
		return;
	if (S_ISDIR(mode) && name_to_joliet(name, strlen(name), true, units) == 0)
		return; /* with it all that is in it isn't in Joliet: reckoned as if it were */
	if (kinds > 6 && random_below(seed, 10) == 0) { /* one more name */
		ino = 1 + random_below(seed, tree->nodes.count);
		if (S_ISREG(tree->nodes.items[ino - 1].attr.mode)) {
			*vec_push(&tree->names) = (struct drive_name){ ino, parent, strdup(name) };
			tree->nodes.items[ino - 1].attr.nlink++;
			return;
		}
	}
	ino = add_child(tree, parent, name, mode, 0);
	node = &tree->nodes.items[ino - 1];
	if (S_ISREG(mode) && random_below(seed, 3) == 0)
		give_body(node, random_below(seed, 50)
				    ? random_below(seed, 10000)
				    : (random_below(seed, 3) << 32) + random_below(seed, 10));
	if (S_ISLNK(mode))
		random_target(seed, node);
	if (random_below(seed, 5) == 0)
		random_xattrs(seed, node);
}

static void random_tree(uint64_t number, struct drive_tree *ret)
{
	uint64_t seed = number * 0x9e3779b97f4a7c15ull + 1;
	unsigned kinds = 2 + (unsigned)random_below(&seed, 7);
	unsigned variety = 2 + (unsigned)random_below(&seed, random_below(&seed, 2) ? 10 : 100000);
	unsigned size = (unsigned)random_below(&seed, random_below(&seed, 5) ? 200 : 2000);

	*ret = (struct drive_tree){ .warnings = 0 };
	add_node(ret, "", S_IFDIR | 0755, 0);
	if (random_below(&seed, 4) == 0)
		random_xattrs(&seed, &ret->nodes.items[0]);
	for (unsigned i = 0; i < size; i++)
		add_random(&seed, ret, kinds, variety);
}

static void test_random(void **state)
{
	const char *rounds = getenv("LAYOUT_ROUNDS"), *from = getenv("LAYOUT_SEED");
	unsigned count = rounds ? (unsigned)atoi(rounds) : 300;
	uint64_t first = from ? strtoull(from, NULL, 10) : 1;
	unsigned wrong = 0;

	for (uint64_t number = first; number < first + count; number++) {
		struct drive_tree tree;
		char what[60];

		random_tree(number, &tree);
		sprintf(what, "seed %" PRIu64 ", %zu names", number, tree.names.count);
		wrong += !is_reckoned(&tree, &sets[number % SETS], what);
		drive_tree_clear(&tree);
	}
	assert_int_equal(wrong, 0);
}

/* ---- what is written ---- */

/* A target as it comes back: without a slash that is doubled or at the end. */
static void tidy_target(struct node *node)
{
	size_t kept = 0;

	for (size_t i = 0; i < node->target.length; i++) {
		bool last = i + 1 == node->target.length;

		if (node->target.data[i] != '/' || i == 0 || (!last && node->target.data[i + 1] != '/'))
			node->target.data[kept++] = node->target.data[i];
	}
	while (kept > 1 && node->target.data[kept - 1] == '/')
		kept--;
	node->target.length = node->attr.size = kept;
}

/* Burns it, and reads it back. */
static void assert_burned(struct drive_tree *tree)
{
	static struct drive_burned burned;

	vec_each (&tree->nodes, node) {
		if (S_ISLNK(node->attr.mode))
			tidy_target(node);
		if (!S_ISREG(node->attr.mode))
			continue;
		node->attr.size = 0;
		extent_map_clear(&node->map);
	}
	make_blank("burned");
	burn("burned", "spool", tree, &burned);
	assert_image_holds("burned", tree);
}

static void test_burned(void **state)
{
	const char *rounds = getenv("LAYOUT_BURNED");

	for (uint64_t number = 1; number <= (rounds ? strtoull(rounds, NULL, 10) : 25); number++) {
		struct drive_tree tree;

		random_tree(number, &tree);
		assert_burned(&tree);
		drive_tree_clear(&tree);
	}
}

/* Names, targets and attributes of every length around what a record has room for. */
static void test_links(void **state)
{
	struct drive_tree tree = { .warnings = 0 };
	char name[300], target[300];

	memset(target, 't', sizeof target);
	add_node(&tree, "", S_IFDIR | 0755, 0);
	for (unsigned i = 0; i < 900; i++) {
		uint64_t ino;
		struct node *node;

		sprintf(name, "%03u", i);
		memset(name + 3, 'n', i % 10 * 7);
		name[3 + i % 10 * 7] = '\0';
		ino = add_child(&tree, 1, name, S_IFLNK | 0777, 0);
		node = &tree.nodes.items[ino - 1];
		assert_int_equal(blob_set(&node->target, target, 1 + i / 10 % 9 * 15), 0);
		node->attr.size = node->target.length;
		assert_int_equal(xattr_set_put(&node->xattrs, "trusted.x", target, i / 90 * 13), 0);
	}
	for (size_t i = 0; i < SETS; i++)
		assert_true(is_reckoned(&tree, &sets[i], "links"));
	assert_burned(&tree);
	drive_tree_clear(&tree);
}

/* Targets with parts that must be split. */
static void test_targets(void **state)
{
	struct drive_tree tree = { .warnings = 0 };
	unsigned refused = 0;

	add_node(&tree, "", S_IFDIR | 0755, 0);
	for (unsigned i = 0; i < 26 * 12 * 3; i++) {
		char target[600], name[40];
		int length =
		    sprintf(target, "%0*u/%0*u%s", 230 + (int)(i % 26), 1u, 245 + (int)(i / 26 % 12), 2u,
			    i / 26 / 12 == 2 ? "/more"
			    : i / 26 / 12    ? "/"
					     : "");
		struct node *node;
		uint64_t ino;

		if (!target_fits(target, (size_t)length)) {
			refused++;
			continue;
		}
		sprintf(name, "%u", i);
		ino = add_child(&tree, 1, name, S_IFLNK | 0777, 0);
		node = &tree.nodes.items[ino - 1];
		assert_int_equal(blob_set(&node->target, target, (size_t)length), 0);
		node->attr.size = node->target.length;
	}
	assert_in_range(refused, 3 * 26 + 50, 3 * 26 + 150); /* 256 bytes, and some of those that go on */
	for (size_t i = 0; i < SETS; i++)
		assert_true(is_reckoned(&tree, &sets[i], "targets"));
	assert_burned(&tree);
	drive_tree_clear(&tree);
}

/* Links that UDF goes without: neither they nor their names take anything there. */
static void test_left_out(void **state)
{
	struct drive_tree tree = { .warnings = 0 };
	char name[300], target[256];

	memset(target, 't', sizeof target);
	add_node(&tree, "", S_IFDIR | 0755, 0);
	for (unsigned i = 0; i < 300; i++) { /* more of names than what rounding hides */
		uint64_t ino;

		sprintf(name, "%0240u", i);
		ino = add_child(&tree, 1, name, S_IFLNK | 0777, 0);
		assert_int_equal(blob_set(&tree.nodes.items[ino - 1].target, target, 255), 0);
		tree.nodes.items[ino - 1].attr.size = 255;
	}
	for (size_t i = 0; i < SETS; i++)
		assert_true(is_reckoned(&tree, &sets[i], "left out"));
	drive_tree_clear(&tree);
}

/* The root's attributes of every length, and continuation areas of others behind them. */
static void test_roots(void **state)
{
	static const char value[8000];
	unsigned wrong = 0;

	for (size_t length = 1; length < sizeof value; length += 61) {
		struct drive_tree tree = { .warnings = 0 };
		char name[300];

		add_node(&tree, "", S_IFDIR | 0755, 0);
		assert_int_equal(xattr_set_put(&tree.nodes.items[0].xattrs, "user.x", value, length), 0);
		for (unsigned i = 0; i < 20; i++) {
			sprintf(name, "%0240u", i);
			add_node(&tree, name, S_IFREG | 0644, 0);
		}
		sprintf(name, "an attribute of %zu bytes", length);
		wrong += !is_reckoned(&tree, &sets[length % SETS], name);
		drive_tree_clear(&tree);
	}
	assert_int_equal(wrong, 0);
}

/* Names that differ only in what ISO 9660 loses are numbered, with more and more digits. */
static void test_clashes(void **state)
{
	struct drive_tree tree = { .warnings = 0 };
	char name[200];

	add_node(&tree, "", S_IFDIR | 0755, 0);
	for (unsigned i = 0; i < 1500; i++) {
		sprintf(name, "\xd0\x96%c%c%c.jpg", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
		for (char *at = name + 2; *at != '.'; at++)
			*at = (char)((*at - 'a') % 26 + (i % 2 ? 'a' : 'A'));
		add_node(&tree, name, S_IFREG | 0644, 0);
		if (i < 120) {
			sprintf(name, "\xd0%c\xd0%c.jpg", 0x90 + i % 12, 0x90 + i / 12);
			add_node(&tree, name, S_IFREG | 0644, 0);
		}
	}
	for (size_t i = 0; i < SETS; i++)
		assert_true(is_reckoned(&tree, &sets[i], "clashes"));
	drive_tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clashes),	 cmocka_unit_test(test_links),
		cmocka_unit_test(test_targets),	 cmocka_unit_test(test_roots),
		cmocka_unit_test(test_random),	 cmocka_unit_test(test_burned),
		cmocka_unit_test(test_left_out),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
