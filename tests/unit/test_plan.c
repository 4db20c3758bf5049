/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a burn worker is told of the base: which names and nodes it has as they are planned. */
#include "store.h"

#include "commit/plan.h"
#include "store/restore.h"

#include <linux/fs.h>

/* dir/{one,sub/deep}, a, b, twin (twice: here and dir/twin) */
static void open_base(struct store *store)
{
	uint64_t dir, sub, twin;

	store_open(store);
	dir = base_dir(store, ROOT_INO, "dir");
	sub = base_dir(store, dir, "sub");
	base_text(store, dir, "one", "first");
	base_text(store, sub, "deep", "down here");
	base_text(store, ROOT_INO, "a", "an a");
	base_text(store, ROOT_INO, "b", "a b");
	twin = base_text(store, ROOT_INO, "twin", "twins");
	base_link(store, twin, dir, "twin");
	base_end(store);
}

struct told {
	struct text lines;
	struct {
		uint64_t ino;
		char path[64];
	} dirs[16];
	size_t count;
};

/* "dir/one N-": its name is kept, its node isn't; "< path": where the base has it; "=": a further name. */
static void tell(struct told *told, const struct verb_node *node)
{
	char path[64] = "";

	for (size_t i = 0; i < told->count; i++)
		if (told->dirs[i].ino == node->parent && node->name_length)
			snprintf(path, sizeof path, "%s%.*s", told->dirs[i].path, (int)node->name_length,
				 node->name);
	text_add(&told->lines, "%s %c%c%s%s%.*s\n", *path ? path : ".", node->name_kept ? 'N' : '-',
		 node->node_kept ? 'K' : '-', node->again ? " =" : "", node->was_length ? " < " : "",
		 (int)node->was_length, node->was_length ? node->was : "");
	if (!S_ISDIR(node->attr.mode))
		return;
	told->dirs[told->count].ino = node->attr.ino;
	snprintf(told->dirs[told->count++].path, 64, "%.60s%s", path, *path ? "/" : "");
}

static void plan_generation(struct store *store, uint32_t gen, struct told *ret)
{
	struct burn burn = { 0 };
	struct plan plan = { .gen = gen };
	struct link worker = { 0 };
	struct reason why = { 0 };
	struct msg msg;
	int fds[2];

	assert_int_equal(link_pair(fds), 0);
	assert_int_equal(link_open(&burn.child.link, fds[0]), 0);
	assert_int_equal(link_open(&worker, fds[1]), 0);
	assert_int_equal(plan_send(store->tree, &plan, &burn, &why), 0);
	assert_int_equal(link_flush(&burn.child.link), 0);
	link_close(&burn.child.link);
	while (link_receive(&worker, &msg) == 1) {
		struct verb_node node;

		if (msg.verb != VERB_NODE)
			continue;
		assert_true(get_node(&msg, &node));
		tell(ret, &node);
	}
	link_close(&worker);
}

static void assert_plan(struct store *store, uint32_t gen, const char *want)
{
	struct told told = { .count = 0 };

	plan_generation(store, gen, &told);
	assert_string_equal(told.lines.data, want);
	text_clear(&told.lines);
}

static const char all_kept[] = ". NK\n"
			       "a NK\n"
			       "b NK\n"
			       "dir NK\n"
			       "twin NK\n"
			       "dir/one NK\n"
			       "dir/sub NK\n"
			       "dir/twin NK =\n"
			       "dir/sub/deep NK\n";

static void test_nothing(void **state)
{
	struct store store;

	open_base(&store);
	assert_plan(&store, store_freeze(&store), all_kept);
	store_close(&store);
}

static void test_names(void **state)
{
	struct store store;
	uint32_t gen;

	open_base(&store);
	store_rename(&store, "b", "a", 0); /* over an old one */
	store_rename(&store, "dir/one", "dir/won", 0);
	store_link(&store, "twin", "triplet");
	store_mkdir(&store, "new");
	store_put(&store, "new/file", "new");
	gen = store_freeze(&store);
	store_unlink(&store, "twin"); /* the next generation is none of the plan's business */
	assert_plan(&store, gen,
		    ". N-\n"
		    "a --\n"
		    "dir N-\n"
		    "new --\n"
		    "triplet --\n"
		    "twin N- =\n"
		    "new/file --\n"
		    "dir/sub NK\n"
		    "dir/twin N- =\n"
		    "dir/won --\n"
		    "dir/sub/deep NK\n");
	store_publish(&store, gen);
	gen = store_freeze(&store);
	assert_plan(&store, gen,
		    ". N-\n"
		    "a NK\n"
		    "dir NK\n"
		    "new NK\n"
		    "triplet N-\n"
		    "new/file NK\n"
		    "dir/sub NK\n"
		    "dir/twin N- =\n"
		    "dir/won NK\n"
		    "dir/sub/deep NK\n");
	store_close(&store);
}

/* What a renamed directory holds is as it was: the worker must find it. */
static void test_directories(void **state)
{
	struct store store;
	uint32_t gen;

	open_base(&store);
	store_mkdir(&store, "new");
	store_rename(&store, "dir/sub", "new/under", 0);
	store_rename(&store, "dir", "old", 0);
	gen = store_freeze(&store);
	assert_plan(&store, gen,
		    ". N-\n"
		    "a NK\n"
		    "b NK\n"
		    "new --\n"
		    "old -- < dir\n"
		    "twin NK\n"
		    "old/one NK\n"
		    "old/twin NK =\n"
		    "new/under -- < dir/sub\n"
		    "new/under/deep NK\n");
	store_publish(&store, gen);
	assert_plan(&store, store_freeze(&store),
		    ". NK\n"
		    "a NK\n"
		    "b NK\n"
		    "new NK\n"
		    "old NK\n"
		    "twin NK\n"
		    "old/one NK\n"
		    "old/twin NK =\n"
		    "new/under NK\n"
		    "new/under/deep NK\n");
	store_close(&store);
}

/* What is thrown away leaves no trace. */
static void test_discard(void **state)
{
	struct store store;

	open_base(&store);
	store_rename(&store, "b", "a", 0);
	store_rename(&store, "dir/sub", "sub", 0);
	store_chmod(&store, "dir/one", 0600);
	store_unlink(&store, "dir/twin");
	assert_int_equal(discard_staged(store.tree, "", NULL), 0);
	store_put(&store, "dir/one", "another");
	store_chmod(&store, "twin", 0600);
	assert_int_equal(discard_staged(store.tree, "dir/one", NULL), 0);
	assert_plan(&store, store_freeze(&store),
		    ". NK\n"
		    "a NK\n"
		    "b NK\n"
		    "dir NK\n"
		    "twin N-\n"
		    "dir/one NK\n"
		    "dir/sub NK\n"
		    "dir/twin N- =\n"
		    "dir/sub/deep NK\n");
	store_close(&store);
}

/* The base again as an older session: what came back by its content isn't what the newest one has. */
static void test_restore(void **state)
{
	struct store store, past;
	uint32_t gen;

	open_base(&store);
	open_base(&past);
	store_put(&store, "a", "changed");
	store_unlink(&store, "dir/one");
	gen = store_freeze(&store);
	store_publish(&store, gen);
	store_await_tick(); /* else the directory's time is the base's again, and so is its node */
	assert_int_equal(restore_staged(store.tree, past.tree, "a", NULL), 0);
	assert_int_equal(restore_staged(store.tree, past.tree, "dir/one", NULL), 0);
	assert_plan(&store, store_freeze(&store),
		    ". N-\n"
		    "a --\n"
		    "b NK\n"
		    "dir N-\n"
		    "twin NK\n"
		    "dir/one --\n"
		    "dir/sub NK\n"
		    "dir/twin NK =\n"
		    "dir/sub/deep NK\n");
	store_close(&past);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),	    cmocka_unit_test(test_names),
		cmocka_unit_test(test_directories), cmocka_unit_test(test_discard),
		cmocka_unit_test(test_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
