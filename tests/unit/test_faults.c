/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault loops: the Nth write, sync, read, SQLite step, allocation of a script of operations fails, for each
 *N.
 *
 * The script runs over two stores. In one of them things fail; what succeeds there is done to the other as
 *well, where nothing fails. At any time both must show the same: so a failed operation has left everything as
 *it was. Then what was done until then must survive a flush, a crash and a remount, and whatever was flushed
 *before the fault a crash at the very moment of it.
 *
 *	test_faults                             a part of all N
 *	DISCFS_FAULTS=long test_faults          every N
 *	test_faults write:3:1:ENOSPC [again]    one of them, with the failed operation tried again or not */
#include "faulty_ops.h"

#define ACL_NAME "system.posix_acl_access"

static const struct op script[] = {
	{ op_make, OP_GROWS, "new", NULL, S_IFREG | 0644, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "new", NULL, 0, 7000 },
	{ op_make, OP_GROWS, "box", NULL, S_IFDIR | 02755, 0 },
	{ op_make, OP_GROWS, "box/sym", "some/where", S_IFLNK | 0777, 0 },
	{ op_make, OP_GROWS, "box/fifo", NULL, S_IFIFO | 0600, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "new", NULL, 7000, 3000 },
	{ op_link, OP_GROWS, "new", "box/hard", 0, 0 },
	{ op_flush, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "new", NULL, 1000, 2000 }, /* in place */
	{ op_look, 0, "new", NULL, 0, 0 },
	{ op_rename, 0, "dir/one", "box/one", 0, 0 },
	{ op_make, OP_GROWS, "over", NULL, S_IFREG | 0600, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "over", NULL, 0, 100 },
	{ op_rename, 0, "over", "dir/two", 0, 0 }, /* over a name of the base */
	{ op_rename, 0, "file", "box/one", RENAME_EXCHANGE, 0 },
	{ op_rename, 0, "dir/sub", "new", RENAME_EXCHANGE, 0 },
	{ op_make, OP_GROWS, "white", NULL, S_IFREG | 0600, 0 },
	{ op_whiteout, OP_GROWS, "white", "dir/white", 0, 0 },
	{ op_unlink, 0, "gone", NULL, 0, 0 },
	{ op_rmdir, 0, "empty", NULL, 0, 0 },
	{ op_make, OP_GROWS, "empty", NULL, S_IFDIR | 0700, 0 },
	{ op_rmdir, 0, "empty", NULL, 0, 0 },
	{ op_sync, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "big", NULL, 20000, 100 },   /* base content */
	{ op_write, OP_GROWS | OP_WRITES, "big", NULL, 19000, 30000 }, /* base and staged content */
	{ op_truncate, 0, "big", NULL, 0, 30000 },
	{ op_truncate, OP_GROWS, "big", NULL, 0, 50000 },
	{ op_punch, OP_GROWS, "big", NULL, 4096, 8192 },
	{ op_punch, OP_GROWS, "big", NULL, 24000, 1000 },
	{ op_zero, OP_GROWS, "big", NULL, 28000, 4000 },
	{ op_allocate, OP_GROWS, "big", NULL, 60000, 10000 },
	{ op_write, OP_GROWS | OP_WRITES, "big", NULL, 3000, 30000 }, /* holes, too */
	{ op_make, OP_GROWS, "copy", NULL, S_IFREG | 0644, 0 },
	{ op_copy, OP_GROWS, "big", "copy", 0, 100000 },    /* spool, disc and holes */
	{ op_copy, OP_GROWS, "dir/two", "copy", 2000, 50 }, /* into what is shared */
	{ op_write, OP_GROWS | OP_WRITES, "copy", NULL, 21000, 5000 },
	{ op_acl, OP_GROWS, "linked", ACL_NAME, 0, 0 },
	{ op_chmod, 0, "linked", NULL, 0750, 0 },
	{ op_chmod, 0, "dir", NULL, 01777, 0 },
	{ op_chown, 0, "alias", NULL, 7, 0 },
	{ op_utime, 0, "linked", NULL, 1000000, 0 },
	{ op_xattr, OP_GROWS, "big", "user.small", 0, 10 },
	{ op_xattr, OP_GROWS, "big", "user.large", 1, 6000 },
	{ op_xattr, OP_GROWS, "big", "user.small", 2, 200 },
	{ op_unxattr, 0, "big", "user.large", 0, 0 },
	{ op_look, 0, "big", NULL, 0, 0 },
	{ op_flush, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_checkpoint, 0, NULL, NULL, 0, 0 },
	{ op_make, OP_GROWS, "open", NULL, S_IFREG | 0600, 0 },
	{ op_hold, 0, "open", NULL, 0, 0 },
	{ op_write, OP_GROWS | OP_WRITES, NULL, NULL, 0, 5000 },
	{ op_unlink, 0, "open", NULL, 0, 0 },
	{ op_write, OP_GROWS | OP_WRITES, NULL, NULL, 5000, 200000 }, /* a run ends in it */
	{ op_sync, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_look, 0, "box/sym", NULL, 0, 0 },
	{ op_freeze, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "box/hard", NULL, 500, 1000 }, /* frozen bytes stay */
	{ op_make, OP_GROWS, "later", NULL, S_IFREG | 0644, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "later", NULL, 0, 9000 },
	{ op_rename, 0, "box", "moved", 0, 0 },
	{ op_unlink, 0, "alias", NULL, 0, 0 },
	{ op_flush, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_write, OP_GROWS | OP_WRITES, NULL, NULL, 100, 100 },
	{ op_publish, OP_SETTLES | OP_ENDS, NULL, NULL, 0, 0 },
	{ op_look, 0, "moved/one", NULL, 0, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "big", NULL, 0, 50 },
	{ op_release, 0, NULL, NULL, 0, 0 },
	{ op_freeze, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_chmod, 0, "later", NULL, 0400, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "later", NULL, 9000, 5000 },
	{ op_unlink, 0, "big", NULL, 0, 0 },
	{ op_copy, OP_GROWS, "later", "copy", 0, 9000 },
	{ op_truncate, 0, "copy", NULL, 0, 3000 },
	{ op_thaw, OP_SETTLES | OP_ENDS, NULL, NULL, 0, 0 },
	{ op_rename, 0, "moved/one", "new/one", RENAME_NOREPLACE, 0 },
	{ op_reopen, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_discard, OP_SETTLES, "later", NULL, 0, 0 },
	{ op_rename, 0, "moved", "dir/moved", 0, 0 },
	{ op_discard, OP_SETTLES, "box", NULL, 0, 0 }, /* by its name in the base */
	{ op_make, OP_GROWS, "last", NULL, S_IFREG | 0644, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "last", NULL, 4000, 70000 },
	{ op_sync, OP_SETTLES, NULL, NULL, 0, 0 },
	{ op_write, OP_GROWS | OP_WRITES, "last", NULL, 4000, 60000 }, /* in place */
	{ op_unlink, 0, "last", NULL, 0, 0 },
};

#define STEPS	   (sizeof script / sizeof *script)
#define STATES_MAX (2 * STEPS)

/* What is seen before the script, and after each of its steps, when nothing fails. */
static struct text planned[STEPS + 1];

/* One run of the script with one fault. */
struct play {
	struct faulty faulty, sound;
	struct failing_order order;
	bool again;	/* an operation that failed is tried once more */
	bool unsettled; /* something failed, and nothing was flushed since */
	bool came;	/* the fault */
	bool bad;
	size_t at;
	struct text found, expected;
	/* What a crash may leave is what was seen since the last flush: as planned, then as it came. */
	size_t first_planned, end_planned;
	struct text states[2 * STEPS];
	size_t state_count;
};

static char base_dir_path[64]; /* what every run begins with */
static unsigned bad_plays;
static uint64_t calls; /* of the kind, in the last run */

static void complain(struct play *play, const char *what, int ret)
{
	play->bad = true;
	print_error("%s:%lu:%lu:%d%s, step %zu (%s): %s (%d)\n", failing_kind_name(play->order.kind),
		    play->order.first, play->order.count, play->order.err, play->again ? " again" : "",
		    play->at, play->at < STEPS && script[play->at].path ? script[play->at].path : "-", what,
		    ret);
}

/* ---- what must be seen ---- */

static void compare_told(struct play *play, const char *what)
{
	if (play->bad || strcmp(play->found.data, play->expected.data) == 0)
		return;
	complain(play, what, 0);
	print_difference(play->found.data, play->expected.data);
}

static void compare(struct play *play, const char *what)
{
	if (play->bad)
		return;
	faulty_tell_held(&play->faulty, &play->found);
	faulty_tell_held(&play->sound, &play->expected);
	compare_told(play, what);
	faulty_tell(&play->faulty, &play->found);
	faulty_tell(&play->sound, &play->expected);
	compare_told(play, what);
}

static void forget_states(struct play *play)
{
	for (size_t i = 0; i < play->state_count; i++)
		text_clear(&play->states[i]);
	play->state_count = 0;
	play->first_planned = play->end_planned;
}

static void keep_state(struct play *play)
{
	if (!play->came) {
		play->end_planned = play->at + 2;
		return;
	}
	assert_true(play->state_count < sizeof play->states / sizeof *play->states);
	faulty_tell(&play->sound, &play->states[play->state_count++]);
}

static bool is_state(const struct play *play, const char *text)
{
	for (size_t i = play->first_planned; i < play->end_planned; i++)
		if (strcmp(text, planned[i].data) == 0)
			return true;
	for (size_t i = 0; i < play->state_count; i++)
		if (strcmp(text, play->states[i].data) == 0)
			return true;
	return false;
}

/* Mounts what a crash now would leave. It must show one of the states since the last flush. */
static void crash(struct play *play, const char *what)
{
	struct text text AUTO_TEXT = { 0 };
	struct faulty copy;

	if (play->bad)
		return;
	faulty_open(&copy, play->faulty.store.dir);
	faulty_tell(&copy, &text);
	faulty_close(&copy);
	if (is_state(play, text.data))
		return;
	complain(play, what, 0);
	faulty_tell(&play->sound, &play->expected);
	print_difference(text.data, play->expected.data);
}

/* ---- a failed operation ---- */

/* Of a failed write, some bytes may be there: in its range, and nothing else may differ. The sound store gets
 * them, so that the comparison that follows sees everything else. */
static void adopt_part(struct play *play, const struct op *op)
{
	static uint8_t found[LARGEST], before[LARGEST], written[LARGEST];
	struct store *stores[2] = { &play->faulty.store, &play->sound.store };
	struct inode *inodes[2];
	int64_t size, old;

	for (int i = 0; i < 2; i++) {
		uint64_t ino = op->path ? store_ino(stores[i], op->path) : 0;

		inodes[i] = i ? play->sound.held : play->faulty.held;
		if (op->path && (!ino || tree_get(stores[i]->tree, ino, &inodes[i]) < 0))
			return;
		if (!inodes[i])
			return;
	}
	size = body_read(stores[0]->tree, inodes[0], found, sizeof found, 0);
	old = body_read(stores[1]->tree, inodes[1], before, sizeof before, 0);
	op_bytes(op, written);
	memset(before + old, 0, sizeof before - (size_t)old);
	if (size >= old && (uint64_t)size <= max_u64((uint64_t)old, op->offset + op->length)) {
		for (uint64_t i = op->offset; i < op->offset + op->length && i < (uint64_t)size; i++)
			if (found[i] != before[i] && found[i] != written[i - op->offset])
				complain(play, "a failed write left bytes that are neither old nor new",
					 (int)i);
		if ((uint64_t)size > op->offset && memcmp(found, before, (size_t)size) != 0)
			assert_int_equal(body_write(stores[1]->tree, inodes[1], found + op->offset,
						    min_u64((uint64_t)size - op->offset, op->length),
						    op->offset),
					 0);
	}
	for (int i = 0; i < 2 && op->path; i++)
		tree_put(stores[i]->tree, inodes[i]);
}

/* A commit whose end failed: nothing more can be staged until the next mount, which does it again. */
static void end_again(struct play *play, const struct op *op)
{
	int ret;

	faulty_let_go(&play->faulty);
	faulty_let_go(&play->sound);
	play->faulty.fails = false;
	ret = reopen(&play->faulty);
	if (ret < 0)
		complain(play, "it can't be mounted again", ret);
	if (!play->bad)
		ret = op->run(&play->faulty, op);
	if (ret < 0)
		complain(play, "the commit can't be ended", ret);
	play->faulty.fails = true;
	ret = op->run(&play->sound, op);
	assert_int_equal(ret, 0);
	play->unsettled = false;
	forget_states(play);
	keep_state(play);
}

static bool is_fault(int ret)
{
	return ret == -ENOSPC || ret == -EIO || ret == -ENOMEM;
}

static void step(struct play *play, const struct op *op);

/* The fault is over: flushing makes it good, and the operation succeeds. */
static void try_again(struct play *play, const struct op *op)
{
	int ret = tree_flush(play->faulty.store.tree);

	if (ret < 0)
		complain(play, "after the fault nothing can be flushed", ret);
	play->unsettled = false;
	play->again = false;
	step(play, op);
	play->again = true;
}

static void step_failed(struct play *play, const struct op *op, int ret)
{
	play->unsettled = true;
	failing_on(false);
	if (op->rules & OP_WRITES)
		adopt_part(play, op);
	keep_state(play);
	crash(play, "a crash at the fault");
	compare(play, "a failed operation changed something");
	if (op->rules & OP_ENDS)
		end_again(play, op);
	else if (play->again && !play->bad)
		try_again(play, op);
}

static void step(struct play *play, const struct op *op)
{
	uint64_t failed = failing_failed();
	bool was_unsettled = play->unsettled;
	int ret = op->run(&play->faulty, op), expected;
	bool struck = failing_failed() > failed;

	play->came |= struck;
	if (is_fault(ret) && (struck || (was_unsettled && (op->rules & OP_GROWS)))) {
		step_failed(play, op, ret);
		return;
	}
	play->unsettled |= struck;
	expected = op->run(&play->sound, op);
	if (ret != expected)
		complain(play, "another result than without a fault", ret);
	if ((op->rules & OP_SETTLES) && ret == 0) {
		forget_states(play);
		if (!struck)
			play->unsettled = false;
	}
	keep_state(play);
	if (play->came)
		compare(play, "another tree than without a fault");
}

/* ---- a run ---- */

static const struct op late[] = {
	{ op_make, 0, "late", NULL, S_IFREG | 0644, 0 },
	{ op_write, 0, "late", NULL, 0, 5000 },
	{ op_rename, 0, "linked", "late2", 0, 0 },
};

/* Nothing fails any more: everything can be done, and everything lasts. */
static void recover(struct play *play)
{
	struct tree *tree = play->faulty.store.tree;
	int ret = tree_flush(tree);

	if (ret == 0)
		ret = tree_sync(tree);
	if (ret < 0)
		complain(play, "after the fault nothing can be synced", ret);
	for (size_t i = 0; !play->bad && i < sizeof late / sizeof *late; i++) {
		ret = late[i].run(&play->faulty, &late[i]);
		if (ret != late[i].run(&play->sound, &late[i]))
			complain(play, "after the fault nothing can be changed", ret);
	}
	compare(play, "after the fault");
	ret = tree_sync(tree);
	if (ret < 0)
		complain(play, "after the fault nothing can be synced again", ret);
	forget_states(play);
	keep_state(play);
	crash(play, "a crash after a sync");
	if (play->bad)
		return;
	store_check(&play->faulty.store);
	faulty_let_go(&play->faulty);
	faulty_let_go(&play->sound);
	store_reopen(&play->faulty.store);
	compare(play, "a remount");
	store_check(&play->faulty.store);
}

/* Returns true when the fault came. */
static bool play_one(const struct failing_order *order, bool again)
{
	struct play *play = calloc(1, sizeof *play);
	bool came;

	play->came = order->first == 0;
	play->order = *order;
	play->again = again;
	faulty_open(&play->faulty, base_dir_path);
	faulty_open(&play->sound, base_dir_path);
	play->faulty.fails = true;
	failing_below(play->faulty.store.dir);
	failing_arm(order);
	play->end_planned = 1;
	for (play->at = 0; !play->bad && play->at < STEPS; play->at++)
		step(play, &script[play->at]);
	came = failing_failed() > 0;
	play->came = true;
	calls = failing_seen();
	failing_arm(&(struct failing_order){ 0 });
	if (!play->bad)
		recover(play);
	bad_plays += play->bad;
	faulty_close(&play->faulty);
	faulty_close(&play->sound);
	forget_states(play);
	text_clear(&play->found);
	text_clear(&play->expected);
	free(play);
	return came;
}

/* ---- tests ---- */

static void make_plan(void)
{
	struct faulty sound;

	faulty_open(&sound, base_dir_path);
	faulty_tell(&sound, &planned[0]);
	for (size_t i = 0; i < STEPS; i++) {
		int ret = script[i].run(&sound, &script[i]);

		if (ret < 0) /* then it would test nothing */
			print_error("step %zu of the script: %d\n", i, ret);
		assert_int_equal(ret, 0);
		faulty_tell(&sound, &planned[i + 1]);
	}
	faulty_close(&sound);
}

static int make_base(void **state)
{
	struct store store;
	uint64_t dir, linked;
	static uint8_t data[70000];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i % 241);
	failing_skip_syncs();
	store_open(&store);
	dir = base_dir(&store, ROOT_INO, "dir");
	base_text(&store, dir, "one", "the first");
	base_file(&store, dir, "two", data, 5000);
	base_text(&store, base_dir(&store, dir, "sub"), "deep", "below");
	base_dir(&store, ROOT_INO, "empty");
	base_file(&store, ROOT_INO, "big", data, sizeof data);
	base_file(&store, ROOT_INO, "file", data, 9000);
	base_text(&store, ROOT_INO, "gone", "soon gone");
	linked = base_text(&store, ROOT_INO, "linked", "by two names");
	base_link(&store, linked, ROOT_INO, "alias");
	base_end(&store);
	tree_close(store.tree);
	free(store.disc);
	close(store.medium);
	close(store.dir_fd);
	snprintf(base_dir_path, sizeof base_dir_path, "%s", store.dir);
	make_plan();
	return 0;
}

static int remove_base(void **state)
{
	nftw(base_dir_path, store_remove_file, 8, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i <= STEPS; i++)
		text_clear(&planned[i]);
	return 0;
}

static bool is_long(void)
{
	const char *form = getenv("DISCFS_FAULTS");

	return form && strcmp(form, "long") == 0;
}

/* Every Nth call until the script runs through without it; a stride in the short form. */
static void loop(enum failing_kind kind, int err, const char *file, uint64_t count, unsigned stride)
{
	struct failing_order order = { .kind = kind, .first = 1, .count = count, .err = err };
	unsigned plays = 0;
	uint64_t limit = 0;

	snprintf(order.file, sizeof order.file, "%s", file);
	bad_plays = 0;
	if (is_long())
		stride = 1 + stride / 30; /* there are some 7,000 allocations */
	else if (!failing_has_memory())
		stride *= 3; /* a slow program */
	for (;; order.first += stride) {
		bool came = play_one(&order, plays % 2);

		if (is_long() && came)
			play_one(&order, plays % 2 == 0);
		if (!came)
			break;
		limit = order.first;
		plays++;
	}
	print_message("%s %d on %s: %u places up to %lu\n", failing_kind_name(kind), err,
		      *file ? file : "any", plays, limit);
	assert_true(plays > 1);
	assert_int_equal(bad_plays, 0);
}

static void test_without_faults(void **state)
{
	struct failing_order none = { 0 };

	bad_plays = 0;
	assert_false(play_one(&none, false));
	assert_int_equal(bad_plays, 0);
}

/* A sync that has something to sync reaches the spool and the log: each time, not the first time only. */
static void test_syncs(void **state)
{
	static const char *const files[] = { "spool", "overlay.db-wal" };
	struct failing_order order = { .kind = FAILING_SYNC };
	struct op make = { op_make, 0, "", NULL, S_IFREG | 0644, 0 },
		  write = { op_write, 0, "", NULL, 0, 100 };
	struct op sync = { op_sync, 0, NULL, NULL, 0, 0 };
	struct faulty faulty;

	faulty_open(&faulty, base_dir_path);
	faulty.fails = true;
	failing_below(faulty.store.dir);
	for (int i = 0; i < 6; i++) {
		char name[16];

		snprintf(name, sizeof name, "new%d", i);
		make.path = write.path = name;
		assert_int_equal(make.run(&faulty, &make), 0);
		assert_int_equal(write.run(&faulty, &write), 0);
		snprintf(order.file, sizeof order.file, "%s", files[i % 2]);
		failing_arm(&order);
		assert_int_equal(sync.run(&faulty, &sync), 0);
		assert_int_equal(failing_seen(), 1);
		assert_true(faulty.store.tree->db.log_pages > 0); /* or it would never be emptied */
	}
	failing_arm(&(struct failing_order){ 0 });
	faulty_close(&faulty);
}

static void test_spool_full(void **state)
{
	loop(FAILING_WRITE, ENOSPC, "spool", 1, 1);
}

static void test_spool_broken(void **state)
{
	loop(FAILING_WRITE, EIO, "spool", 3, 2);
}

static void test_spool_short(void **state)
{
	loop(FAILING_WRITE, 0, "spool", 1, 1);
}

static void test_database_full(void **state)
{
	loop(FAILING_WRITE, ENOSPC, "overlay.db", 1, 3);
}

static void test_database_full_for_a_while(void **state)
{
	loop(FAILING_WRITE, ENOSPC, "overlay.db", 40, 11);
}

static void test_database_broken(void **state)
{
	loop(FAILING_WRITE, EIO, "overlay.db", 1, 7);
}

static void test_database_short(void **state)
{
	loop(FAILING_WRITE, 0, "overlay.db", 1, 8);
}

static void test_sync(void **state)
{
	loop(FAILING_SYNC, EIO, "", 1, 1);
}

static void test_sync_for_a_while(void **state)
{
	loop(FAILING_SYNC, EIO, "", 3, 1);
}

static void test_resize(void **state)
{
	loop(FAILING_RESIZE, EIO, "", 1, 1);
}

static void test_read(void **state)
{
	loop(FAILING_READ, EIO, "", 1, 5);
}

static void test_step_full(void **state)
{
	loop(FAILING_STEP, ENOSPC, "", 1, 17);
}

static void test_step_broken(void **state)
{
	loop(FAILING_STEP, EIO, "", 1, 23);
}

static void test_statement(void **state)
{
	loop(FAILING_STATEMENT, ENOSPC, "", 1, 19);
}

static void test_memory(void **state)
{
	if (!failing_has_memory()) {
		print_message("SKIP: memory can't be made to fail here\n");
		skip();
	}
	loop(FAILING_MEMORY, ENOMEM, "", 1, 97);
}

static int play_argument(char **words)
{
	struct failing_order order;

	if (!failing_order_parse(words[1], &order)) {
		fprintf(stderr, "%s is no order\n", words[1]);
		return 2;
	}
	make_base(NULL);
	printf("it %s", play_one(&order, words[2] != NULL) ? "came" : "didn't come");
	printf("; %lu calls\n", calls);
	remove_base(NULL);
	return bad_plays > 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_faults),
		cmocka_unit_test(test_syncs),
		cmocka_unit_test(test_spool_full),
		cmocka_unit_test(test_spool_broken),
		cmocka_unit_test(test_spool_short),
		cmocka_unit_test(test_database_full),
		cmocka_unit_test(test_database_full_for_a_while),
		cmocka_unit_test(test_database_broken),
		cmocka_unit_test(test_database_short),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_sync_for_a_while),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_step_full),
		cmocka_unit_test(test_step_broken),
		cmocka_unit_test(test_statement),
		cmocka_unit_test(test_memory),
	};

	if (argc > 1)
		return play_argument(argv);
	return cmocka_run_group_tests(tests, make_base, remove_base);
}
