/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check of whole discs: its messages, the real worker on discs of other people's programs, every kind of
 * damage, and workers that lie: this program, executed again, is the worker. */
#include "roles.h"

#include "disc/session_tags.h"
#include "proc/verify.h"
#include "wire/verify_verbs.h"

#define BEHAVIOR "DISCFS_TEST_WORKER"

/* ---- messages ---- */

static void test_messages(void **state)
{
	const struct verb_verify wish = { .sessions = 3, .head = true, .sums = 5, .learn = true };
	struct verb_sum sum = { .lba = 70, .bytes = 9, .sha256 = { 1, 2 } }, told_sum;
	const struct verb_checked checked = { 2, true, true, 1, 2, 3, 4, 5, 6, 7, 8, 5 };
	struct verb_damaged damaged = { .session = 2,
					.what = DAMAGED_FILE,
					.how = DAMAGED_CUT,
					.lba = 77,
					.path = "/a",
					.path_length = 2,
					.text = "cut off" };
	struct verb_damaged same;
	struct verb_checked counted;
	struct verb_verify wished;
	struct msg msg = { 0 };

	put_verify(&msg, &wish);
	assert_true(get_verify(&msg, &wished) && wished.sessions == 3 && wished.head && !wished.chain &&
		    wished.sums == 5 && wished.learn);
	msg_clear(&msg);
	put_sum(&msg, &sum);
	assert_true(get_sum(&msg, &told_sum) && told_sum.lba == 70 && told_sum.bytes == 9);
	assert_memory_equal(told_sum.sha256, sum.sha256, sizeof sum.sha256);
	msg_clear(&msg);
	put_checked(&msg, &checked);
	assert_true(get_checked(&msg, &counted));
	assert_true(counted.session == 2 && counted.imported && counted.summed && counted.good_files == 1 &&
		    counted.good_bytes == 2 && counted.unsummed_files == 3 && counted.unsummed_bytes == 4);
	assert_true(counted.damaged_files == 5 && counted.damaged_bytes == 6 && counted.shared_files == 7 &&
		    counted.again_files == 5 && counted.damages == 8);
	msg_clear(&msg);
	put_damaged(&msg, &damaged);
	assert_true(get_damaged(&msg, &same));
	assert_int_equal(same.path_length, 2);
	assert_memory_equal(same.path, "/a", 2);
	assert_string_equal(same.text, "cut off");
	assert_true(same.session == 2 && same.what == DAMAGED_FILE && same.how == DAMAGED_CUT &&
		    same.lba == 77);
	/* all of it, and nothing behind it */
	for (size_t length = 0; length < msg.length; length++) {
		struct msg cut = msg;

		cut.at = 0;
		cut.length = length;
		assert_false(get_damaged(&cut, &same));
	}
	/* a path is what a file has, and nothing else */
	damaged.what = DAMAGED_TREE;
	msg_clear(&msg);
	put_damaged(&msg, &damaged);
	assert_false(get_damaged(&msg, &same));
	damaged.what = DAMAGED_UDF_SUMS + 1;
	damaged.path_length = 0;
	msg_clear(&msg);
	put_damaged(&msg, &damaged);
	assert_false(get_damaged(&msg, &same));
	msg_clear(&msg);
}

/* ---- what is found ---- */

struct told {
	unsigned sessions, damages, progresses;
	struct verb_checked sum;
	struct verb_checked last;
	uint32_t what, how; /* of the newest damage */
	uint64_t lba;
	char path[300];
	char text[DAMAGE_TEXT];
};

static void take_progress(void *self, const struct verb_session *session,
			  const struct verb_progress *progress)
{
	struct told *told = self;

	told->progresses++;
}

static void take_damaged(void *self, const struct verb_damaged *damaged)
{
	struct told *told = self;

	told->damages++;
	told->what = damaged->what;
	told->how = damaged->how;
	told->lba = damaged->lba;
	snprintf(told->path, sizeof told->path, "%.*s", (int)damaged->path_length, damaged->path);
	memcpy(told->text, damaged->text, sizeof told->text);
}

static void take_checked(void *self, const struct verb_checked *checked)
{
	struct told *told = self;

	told->sessions++;
	told->last = *checked;
	told->sum.good_files += checked->good_files;
	told->sum.good_bytes += checked->good_bytes;
	told->sum.unsummed_files += checked->unsummed_files;
	told->sum.damaged_files += checked->damaged_files;
}

static const struct verify_watch watch = { take_progress, take_damaged, take_checked, NULL };

static int verify_sessions(const char *name, const struct verb_session *sessions, size_t count,
			   struct told *told, struct reason *why)
{
	const char *path = in_dir(name);
	int fd = open_in_dir(name, O_RDONLY), got;
	const struct verify_request request = { .fd = fd,
						.path = path,
						.sessions = sessions,
						.count = count,
						.head = sessions[0].start > 0,
						.chain = sessions[count - 1].start > 0 };

	*told = (struct told){ 0 };
	got = verify_run(&request, &watch, told, why);
	close(fd);
	return got;
}

/* All of a disc, newest session first. */
static int verify(const char *name, struct told *told)
{
	struct verb_session sessions[16];
	struct reason why = { 0 };
	struct probed probed;
	int got = probe(name, &probed);

	if (got < 0)
		return got;
	for (unsigned i = 0; i < probed.count; i++)
		sessions[i] = probed.sessions[probed.count - 1 - i];
	got = verify_sessions(name, sessions, probed.count, told, &why);
	if (got < 0)
		printf("%s: %s\n", name, why.text);
	return got;
}

static void assert_good(const char *name, uint64_t files, uint64_t unsummed)
{
	struct told told;

	assert_int_equal(verify(name, &told), 0);
	if (told.damages)
		printf("%s: %s: %s\n", name, told.path, told.text);
	assert_int_equal(told.damages, 0);
	assert_int_equal(told.sum.damaged_files, 0);
	assert_int_equal(told.sum.good_files, files);
	assert_int_equal(told.sum.unsummed_files, unsummed);
	assert_true(told.progresses >= told.sessions);
}

static uint64_t names_of_files(void)
{
	char line[32] = "";
	FILE *list;

	run("find tree -type f | wc -l >count");
	list = fopen(in_dir("count"), "re");
	assert_non_null(list);
	assert_non_null(fgets(line, sizeof line, list));
	fclose(list);
	return strtoull(line, NULL, 10);
}

static void test_good_discs(void **state)
{
	uint64_t files, empty = 0;
	char line[32] = "";
	FILE *list;

	NEED("xorriso");
	NEED("genisoimage");
	make_tree();
	files = names_of_files();
	run("find tree -type f -empty | wc -l >count");
	list = fopen(in_dir("count"), "re");
	assert_non_null(fgets(line, sizeof line, list));
	fclose(list);
	empty = strtoull(line, NULL, 10);
	run("rm -f summed && xorriso -hardlinks on -acl on -xattr user -md5 on -joliet on -outdev summed "
	    "-map tree / -commit "
	    "-map tree /again -commit");
	assert_good("summed", 3 * files, 0);
	run("rm -f plain && xorriso -md5 off -outdev plain -map tree /");
	assert_good("plain", empty, files - empty);
	run("rm -f shared && xorriso -hardlinks on -acl on -xattr user -md5 on -outdev shared -map tree / "
	    "-commit -mkdir /one -- "
	    "-commit -mkdir /two -- "
	    "-commit");
	assert_good("shared", 3 * files, 0);
	run("genisoimage -quiet -R -o foreign tree");
	assert_good("foreign", empty, files - empty);
	run("genisoimage -quiet -J -o joliet tree/dir");
}

/* Filtered content, boot images that the writer changes, and their catalogue. */
static void test_special_files(void **state)
{
	struct told told;

	NEED("xorriso");
	run("mkdir -p boot && head -c 65536 /dev/zero >boot/zeroes && head -c 8192 /dev/urandom >boot/image "
	    "&& "
	    "cp boot/image boot/plain && rm -f special && "
	    "xorriso -as mkisofs -quiet -R --md5 -z -b image -c catalog -no-emul-boot -boot-load-size 4 "
	    "-boot-info-table -o special boot");
	assert_int_equal(verify("special", &told), 0);
	if (told.damages)
		printf("%s: %s\n", told.path, told.text);
	assert_int_equal(told.damages, 0);
	assert_int_equal(told.sum.good_files, 3);
	assert_int_equal(told.sum.unsummed_files, 1); /* the catalogue */
}

/* ---- damage ---- */

static uint8_t *read_image(const char *name, size_t *ret_length)
{
	int fd = open_in_dir(name, O_RDONLY);
	off_t length = lseek(fd, 0, SEEK_END);
	uint8_t *image = malloc((size_t)length);

	assert_int_equal(pread(fd, image, (size_t)length, 0), length);
	close(fd);
	*ret_length = (size_t)length;
	return image;
}

static void write_image(const char *name, const uint8_t *image, size_t length)
{
	int fd = open_in_dir(name, O_RDWR | O_CREAT | O_TRUNC);

	assert_int_equal(pwrite(fd, image, length, 0), length);
	close(fd);
}

static size_t find_text(const uint8_t *image, size_t length, const char *text)
{
	const uint8_t *at = memmem(image, length, text, strlen(text));

	assert_non_null(at);
	return (size_t)(at - image);
}

static uint8_t *make_exact(size_t *ret_length)
{
	/* whole sectors: what is behind a file's end is nobody's */
	run("rm -rf exact disc && mkdir -p exact/sub && head -c 40960 /dev/urandom >exact/one && "
	    "head -c 20480 /dev/urandom >exact/sub/two && xorriso -md5 on -joliet on -outdev disc -map exact "
	    "/");
	return read_image("disc", ret_length);
}

static size_t find_content(const char *file, const uint8_t *image, size_t length)
{
	size_t wanted;
	uint8_t *content = read_image(file, &wanted);
	const uint8_t *at = memmem(image, length, content, wanted);

	assert_non_null(at);
	free(content);
	return (size_t)(at - image);
}

/* One bit, anywhere but where nothing is recorded: between directories and files, and behind the array of
 * sums in its sector. */
static void test_every_bit_counts(void **state)
{
	unsigned rounds = getenv("DISCFS_TEST_LONG") ? 5000 : 250;
	uint64_t seed = 20240902;
	size_t length, tree, end;
	struct told told;
	uint8_t *image;

	NEED("xorriso");
	image = make_exact(&length);
	assert_good("disc", 2, 0);
	tree = find_text(image, length, "libisofs_tree_checksum_tag_v1");
	end = find_text(image, length, "libisofs_checksum_tag_v1");
	const struct {
		size_t at, length;
	} ranges[] = {
		{ (size_t)32 * SECTOR, tree + strcspn((char *)image + tree, "\n") + 1 - (size_t)32 * SECTOR },
		{ find_content("exact/one", image, length), 40960 },
		{ find_content("exact/sub/two", image, length), 20480 },
		{ end - SECTOR, (size_t)4 * 16 }, /* the session's, two files', the array's own */
		{ end, strcspn((char *)image + end, "\n") + 1 },
		{ (size_t)16 * SECTOR, (size_t)2 * SECTOR }, /* the head */
	};
	for (unsigned i = 0; i < rounds; i++) {
		size_t range = i % (sizeof ranges / sizeof *ranges);
		size_t at = ranges[range].at + random_below(&seed, ranges[range].length);
		uint8_t bit = (uint8_t)(1u << random_below(&seed, 8));
		int got;

		image[at] ^= bit;
		write_image("bad", image, length);
		got = verify("bad", &told);
		if (got == 0 && !told.damages)
			printf("byte %zu of sector %zu\n", at % SECTOR, at / SECTOR);
		assert_true(got == -EIO || got == -EMEDIUMTYPE || (got == 0 && told.damages));
		image[at] ^= bit;
	}
	free(image);
}

static void assert_damage(const uint8_t *image, size_t length, uint32_t what)
{
	struct told told;

	write_image("bad", image, length);
	assert_int_equal(verify("bad", &told), 0);
	assert_int_equal(told.damages, 1);
	assert_int_equal(told.what, what);
}

static void test_kinds_of_damage(void **state)
{
	static const struct {
		const char *text; /* what is looked for */
		int at;		  /* from there */
		uint32_t what;
	} places[] = {
		{ "libisofs_rlsb32_checksum_tag_v1", 5, DAMAGED_HEAD },
		{ "libisofs_sb_checksum_tag_v1", 5, DAMAGED_DESCRIPTORS },
		{ "libisofs_sb_checksum_tag_v1", 100, DAMAGED_DESCRIPTORS },
		{ "libisofs_sb_checksum_tag_v1", -1000, DAMAGED_DESCRIPTORS },
		{ "libisofs_tree_checksum_tag_v1", 5, DAMAGED_TREE },
		{ "libisofs_tree_checksum_tag_v1", 100, DAMAGED_TREE },
		{ "libisofs_tree_checksum_tag_v1", -1, DAMAGED_TREE },
		{ "libisofs_checksum_tag_v1", 5, DAMAGED_TAG },
		{ "libisofs_checksum_tag_v1", -2048 + 20, DAMAGED_SUMS },
	};
	struct told told;
	size_t length;
	uint8_t *image;

	NEED("xorriso");
	image = make_exact(&length);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t at = find_text(image, length, places[i].text) + (size_t)(long)places[i].at;

		image[at] ^= 1;
		assert_damage(image, length, places[i].what);
		image[at] ^= 1;
	}
	/* of files it's told which */
	image[find_text(image, length, "libisofs_checksum_tag_v1") - 2 * SECTOR] ^= 1;
	assert_damage(image, length, DAMAGED_FILE);
	assert_int_equal(verify("bad", &told), 0);
	assert_int_equal(told.how, DAMAGED_DIFFERS);
	assert_int_equal(told.lba, NO_SECTOR);
	assert_true(strcmp(told.path, "/sub/two") == 0 || strcmp(told.path, "/one") == 0);
	assert_int_equal(told.sum.damaged_files, 1);
	assert_int_equal(told.sum.good_files, 1);
	free(image);
}

static void test_cut(void **state)
{
	const struct verb_session whole = { .number = 1 };
	struct reason why = { 0 };
	struct told told;
	size_t length;
	uint8_t *image;

	NEED("xorriso");
	image = make_exact(&length);
	length = find_text(image, length, "libisofs_checksum_tag_v1") - 2 * SECTOR;
	write_image("bad", image, length);
	assert_int_equal(verify_sessions("bad", &whole, 1, &told, &why), 0);
	assert_true(told.last.imported && told.last.summed);
	assert_int_equal(told.sum.damaged_files, 1);
	assert_int_equal(told.sum.unsummed_files, 1);
	assert_int_equal(told.how, DAMAGED_CUT);
	assert_int_equal(told.lba, length / SECTOR);
	write_image("bad", image, (size_t)52 * SECTOR);
	assert_int_equal(verify_sessions("bad", &whole, 1, &told, &why), 0);
	assert_false(told.last.imported);
	assert_true(told.last.summed);
	assert_true(told.damages > 0);
	free(image);
}

/* Bytes changed at random all over: whatever comes of it, it comes soon and by itself. */
static void test_hostile(void **state)
{
	unsigned rounds = getenv("DISCFS_TEST_LONG") ? 2000 : 60;
	const struct verb_session sessions[] = { { .number = 1, .start = 32 }, { .number = 1 } };
	uint64_t seed = 20240903;
	size_t length;
	uint8_t *image;

	NEED("xorriso");
	make_tree();
	run("rm -f good && xorriso -hardlinks on -acl on -xattr user -md5 on -joliet on -outdev good -map "
	    "tree/dir /");
	image = read_image("good", &length);
	for (unsigned i = 0; i < rounds; i++) {
		uint8_t *bad = malloc(length);
		struct reason why = { 0 };
		struct told told;

		memcpy(bad, image, length);
		for (unsigned j = 0; j <= i % 24; j++)
			bad[32768 + random_below(&seed, 160 << 10)] = (uint8_t)random_next(&seed);
		write_image("bad", bad, length);
		free(bad);
		assert_int_equal(verify_sessions("bad", &sessions[i % 2], 1, &told, &why), 0);
		assert_int_equal(told.sessions, 1);
	}
	free(image);
}

/* ---- workers that lie ---- */

static struct link worker_link;

static void say(struct msg *msg)
{
	if (link_send(&worker_link, msg) < 0)
		_exit(9);
}

static void say_checked(const struct verb_checked *checked)
{
	struct msg msg = { 0 };

	put_checked(&msg, checked);
	say(&msg);
}

static void say_damaged(uint32_t session, uint32_t what, const char *path)
{
	struct verb_damaged damaged = { .session = session,
					.what = what,
					.how = DAMAGED_DIFFERS,
					.path = path,
					.path_length = strlen(path),
					.text = "bad" };
	struct msg msg = { 0 };

	put_damaged(&msg, &damaged);
	say(&msg);
}

static void say_progress(uint64_t done, uint64_t total)
{
	const struct verb_progress progress = { .done = done, .total = total, .file = "" };
	struct msg msg = { 0 };

	put_progress(&msg, &progress);
	say(&msg);
}

static void act_good(void)
{
	say_progress(1, 2);
	say_damaged(2, DAMAGED_FILE, "/a");
	say_checked(
	    &(struct verb_checked){ .session = 2, .imported = true, .damaged_files = 1, .damages = 1 });
	say_checked(&(struct verb_checked){ .session = 1, .imported = true, .good_files = 1 });
}

static void act_other_session(void)
{
	say_checked(&(struct verb_checked){ .session = 1, .imported = true });
}

static void act_damage_of_other(void)
{
	say_damaged(1, DAMAGED_FILE, "/a");
}

static void act_relative(void)
{
	say_damaged(2, DAMAGED_FILE, "a");
}

static void act_untold(void)
{
	say_checked(&(struct verb_checked){ .session = 2, .imported = true, .damages = 1 });
}

static void act_forgotten(void)
{
	say_damaged(2, DAMAGED_FILE, "/a");
	say_checked(&(struct verb_checked){ .session = 2, .imported = true, .damages = 1 });
}

static void act_unharmed(void)
{
	say_damaged(2, DAMAGED_TREE, "");
	say_checked(&(struct verb_checked){ .session = 2, .imported = true });
}

static void act_unreadable(void)
{
	say_checked(&(struct verb_checked){ .session = 2 });
}

static void act_many(void)
{
	say_checked(&(struct verb_checked){ .session = 2, .imported = true, .good_files = UINT64_MAX });
}

static void act_huge(void)
{
	say_checked(&(struct verb_checked){ .session = 2, .imported = true, .good_bytes = UINT64_MAX });
}

static void act_shared(void)
{
	say_checked(&(struct verb_checked){ .session = 2, .imported = true, .shared_files = 1 });
}

static void act_ahead(void)
{
	say_progress(3, 2);
}

static void act_endless(void)
{
	for (unsigned i = 0; i <= DAMAGES_LIMIT; i++)
		say_damaged(2, DAMAGED_FILE, "/a");
}

static void act_other_verb(void)
{
	struct msg msg = { 0 };

	put_empty(&msg, VERB_GO);
	say(&msg);
}

static void act_half(void)
{
	say_checked(&(struct verb_checked){ .session = 2, .imported = true });
}

static const struct act {
	const char *name;
	void (*run)(void);
	int err;
	const char *says;
} acts[] = {
	{ "good", act_good, 0, "" },
	{ "other-session", act_other_session, EPROTO, "malformed" },
	{ "damage-of-other", act_damage_of_other, EPROTO, "malformed" },
	{ "relative", act_relative, EPROTO, "malformed" },
	{ "untold", act_untold, EPROTO, "agree" },
	{ "forgotten", act_forgotten, EPROTO, "agree" },
	{ "unharmed", act_unharmed, EPROTO, "agree" },
	{ "unreadable", act_unreadable, EPROTO, "agree" },
	{ "many", act_many, EPROTO, "agree" },
	{ "huge", act_huge, EPROTO, "agree" },
	{ "shared", act_shared, EPROTO, "agree" },
	{ "ahead", act_ahead, EPROTO, "progress" },
	{ "endless", act_endless, EPROTO, "too many" },
	{ "other-verb", act_other_verb, EPROTO, "unexpected" },
	{ "half", act_half, EIO, "without an answer" },
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static int act(const char *name)
{
	struct msg msg;

	if (link_open(&worker_link, 3) < 0)
		return 8;
	do
		if (link_receive(&worker_link, &msg) != 1)
			return 7;
	while (msg.verb != VERB_VERIFY);
	for (size_t i = 0; i < COUNT(acts); i++)
		if (strcmp(acts[i].name, name) == 0)
			acts[i].run();
	link_flush(&worker_link);
	link_close(&worker_link);
	return 0;
}

static void test_lies(void **state)
{
	const struct verb_session sessions[] = { { .number = 2, .start = 64 }, { .number = 1, .start = 32 } };

	make_blank("blank");
	for (size_t i = 0; i < COUNT(acts); i++) {
		struct reason why = { 0 };
		struct told told;

		setenv(BEHAVIOR, acts[i].name, 1);
		assert_int_equal(verify_sessions("blank", sessions, 2, &told, &why), -acts[i].err);
		if (!strstr(why.text, acts[i].says))
			printf("%s: %s\n", acts[i].name, why.text);
		assert_non_null(strstr(why.text, acts[i].says));
	}
	unsetenv(BEHAVIOR);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),	cmocka_unit_test(test_good_discs),
		cmocka_unit_test(test_special_files),	cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_kinds_of_damage), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_hostile),		cmocka_unit_test(test_lies),
	};

	if (argc == 3 && strcmp(argv[1], "--worker") == 0)
		return getenv(BEHAVIOR) ? act(getenv(BEHAVIOR)) : worker_main(argv[2], 3);
	return cmocka_run_group_tests(tests, start, stop);
}
