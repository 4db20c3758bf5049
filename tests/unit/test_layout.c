/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reckoning of directories (model/layout) against what libisofs lays out: the same number of sectors, for
 * trees of every kind. */
#include "burns.h"

#include "model/acl.h"
#include "reckon.h"

/* What the burn worker plans for it on a blank image: the volume's size that its head tells. 0: libisofs lays
 * some trees with long targets and attributes out so that no session can be made of them. */
static uint64_t lay_out(struct drive_tree *tree)
{
	static struct drive_burned burned;
	struct verb_job job = job_for("blank");
	struct reason why = { 0 };
	int fd, spool;

	make_blank("blank");
	fd = open_in_dir("blank", O_RDONLY);
	spool = open_in_dir("spool", O_RDWR | O_CREAT);
	job.nwa = 32;
	if (drive_burn(fd, spool, &job, tree, false, &burned, &why) < 0) {
		printf("%s\n", why.text);
		return 0;
	}
	close(fd);
	close(spool);
	return get_le32(burned.head + (size_t)16 * SECTOR + 80) - job.nwa;
}

static bool assert_reckoned(struct drive_tree *tree, const char *what)
{
	uint64_t wanted = lay_out(tree), got = reckon(tree);

	if (wanted && got != wanted)
		printf("%s: reckoned %" PRIu64 ", laid out %" PRIu64 "\n", what, got, wanted);
	if (wanted)
		assert_int_equal(got, wanted);
	return wanted;
}

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
				     "e\xe2\x82" };
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
	char target[1024];
	size_t used = 0, wanted = 1 + random_below(seed, random_below(seed, 3) ? 60 : 1000);

	while (used < wanted) {
		size_t part = random_below(seed, 8) ? random_below(seed, 20) : random_below(seed, 240);

		if (random_below(seed, 6) == 0)
			used += (size_t)sprintf(target + used, "..");
		for (size_t i = 0; i < part && used < wanted; i++)
			target[used++] = (char)('a' + random_below(seed, 26));
		if (used < wanted)
			target[used++] = '/';
	}
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
	struct node *node;
	uint64_t ino;

	random_name(seed, variety, name);
	if (is_there(tree, parent, name) || strlen(name) > NAME_LIMIT)
		return;
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

static void test_random(void **state)
{
	const char *rounds = getenv("LAYOUT_ROUNDS"), *from = getenv("LAYOUT_SEED");
	unsigned count = rounds ? (unsigned)atoi(rounds) : 150;
	uint64_t first = from ? strtoull(from, NULL, 10) : 1;
	unsigned compared = 0;

	for (uint64_t number = first; number < first + count; number++) {
		struct drive_tree tree = { .warnings = 0 };
		uint64_t seed = number * 0x9e3779b97f4a7c15ull + 1;
		unsigned kinds = 2 + (unsigned)random_below(&seed, 7);
		unsigned variety = 2 + (unsigned)random_below(&seed, random_below(&seed, 2) ? 10 : 100000);
		unsigned size = (unsigned)random_below(&seed, random_below(&seed, 5) ? 200 : 2000);
		char what[60];

		add_node(&tree, "", S_IFDIR | 0755, 0);
		if (random_below(&seed, 4) == 0)
			random_xattrs(&seed, &tree.nodes.items[0]);
		for (unsigned i = 0; i < size; i++)
			add_random(&seed, &tree, kinds, variety);
		sprintf(what, "seed %" PRIu64 ", %zu names", number, tree.names.count);
		compared += assert_reckoned(&tree, what);
		drive_tree_clear(&tree);
	}
	assert_true(compared > count * 9 / 10);
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
	assert_true(assert_reckoned(&tree, "clashes"));
	drive_tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clashes),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
