/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Thousands of random operations on the merged tree against a model, over commits, failed commits, remounts
 * discards, and restores of what an older session had. A failure is repeated by its seed: test_tree_random
 * SEED. */
#include "tree_model.h"

#include "store/changes.h"
#include "store/past.h"
#include "store/restore.h"

#define SEEDS	  12u
#define STEPS	  700u
#define SIZE_MAX_ 20000u
#define NODES	  70u

struct play {
	struct store store;
	struct model now, base, frozen;
	uint64_t random;
	uint32_t gen;	    /* frozen; 0 = none */
	VEC(uint64_t) dead; /* inodes that the kernel still knows */
	struct tree *past;  /* of a session: as the base was once */
	struct model was;
	bool is_base; /* still */
	unsigned done[16];
};

static uint64_t pick_dir(struct play *play)
{
	uint64_t dir = ROOT_INO;
	size_t seen = 0;

	vec_each (&play->now.nodes, node)
		if (S_ISDIR(node->mode) && random_below(&play->random, ++seen) == 0)
			dir = node->ino;
	return dir;
}

static struct model_node *pick_file(struct play *play)
{
	struct model_node *file = NULL;
	size_t seen = 0;

	vec_each (&play->now.nodes, node)
		if (S_ISREG(node->mode) && random_below(&play->random, ++seen) == 0)
			file = node;
	return file;
}

static struct model_node *pick_node(struct play *play)
{
	return &play->now.nodes.items[random_below(&play->random, play->now.nodes.count)];
}

static void pick_name(struct play *play, char *ret)
{
	ret[0] = (char)('a' + random_below(&play->random, 6));
	ret[1] = '\0';
}

/* A name that is there mostly. */
static void pick_place(struct play *play, uint64_t *ret_dir, char *ret_name)
{
	*ret_dir = pick_dir(play);
	pick_name(play, ret_name);
	if (play->now.names.count && random_below(&play->random, 4)) {
		const struct model_name *name =
		    &play->now.names.items[random_below(&play->random, play->now.names.count)];

		*ret_dir = name->parent;
		memcpy(ret_name, name->name, sizeof name->name);
	}
}

static void forget_some(struct play *play)
{
	for (size_t i = 0; i < play->dead.count;) {
		if (random_below(&play->random, 3)) {
			i++;
			continue;
		}
		tree_forget(play->store.tree, play->dead.items[i]);
		play->dead.items[i] = play->dead.items[--play->dead.count];
	}
}

static void drop_name(struct play *play, struct model_name *name)
{
	uint64_t ino = name->ino;

	if (model_remove(&play->now, name))
		*vec_push(&play->dead) = ino;
}

static void do_create(struct play *play)
{
	static const uint32_t modes[] = { S_IFREG | 0644, S_IFREG | 0600, S_IFDIR | 0755, S_IFLNK | 0777,
					  S_IFIFO | 0600 };
	struct tree_new new = { .mode = modes[random_below(&play->random, 5)], .uid = 1, .gid = 1 };
	uint64_t dir = pick_dir(play);
	struct node_attr attr;
	char name[4];
	int ret;

	if (play->now.nodes.count > NODES)
		return;
	pick_name(play, name);
	if (S_ISLNK(new.mode)) {
		new.target = "t";
		new.target_length = 1;
	}
	ret = tree_create(play->store.tree, dir, name, 1, &new, &attr, NULL);
	assert_int_equal(ret, model_find(&play->now, dir, name) ? -EEXIST : 0);
	if (ret < 0)
		return;
	model_add_node(&play->now, attr.ino, new.mode);
	play->now.nodes.items[play->now.nodes.count - 1].size = new.target_length;
	model_add_name(&play->now, dir, name, attr.ino);
}

static void do_link(struct play *play)
{
	struct model_node *node = pick_node(play);
	uint64_t dir = pick_dir(play);
	struct node_attr attr;
	char name[4];
	int want = 0, ret;

	pick_name(play, name);
	if (model_find(&play->now, dir, name))
		want = -EEXIST;
	else if (S_ISDIR(node->mode))
		want = -EPERM;
	ret = tree_link(play->store.tree, node->ino, dir, name, 1, &attr);
	assert_int_equal(ret, want);
	if (ret == 0)
		model_add_name(&play->now, dir, name, node->ino);
}

static void do_remove(struct play *play)
{
	bool as_dir = random_below(&play->random, 2);
	struct model_name *at;
	uint64_t dir;
	char name[4];
	int want = 0, ret;

	pick_place(play, &dir, name);
	at = model_find(&play->now, dir, name);
	if (!at)
		want = -ENOENT;
	else if (model_is_dir(&play->now, at->ino) != as_dir)
		want = as_dir ? -ENOTDIR : -EISDIR;
	else if (as_dir && !model_is_empty(&play->now, at->ino))
		want = -ENOTEMPTY;
	ret = as_dir ? tree_rmdir(play->store.tree, dir, name, strlen(name))
		     : tree_unlink(play->store.tree, dir, name, strlen(name));
	assert_int_equal(ret, want);
	if (ret == 0)
		drop_name(play, at);
}

static int want_rename(struct play *play, struct model_name *from, struct model_name *to, unsigned flags)
{
	if (!from)
		return -ENOENT;
	if ((flags & RENAME_NOREPLACE) && to)
		return -EEXIST;
	if (flags & RENAME_EXCHANGE)
		return to ? 0 : -ENOENT;
	if (!to || from->ino == to->ino)
		return 0;
	if (model_is_dir(&play->now, from->ino) != model_is_dir(&play->now, to->ino))
		return model_is_dir(&play->now, to->ino) ? -EISDIR : -ENOTDIR;
	return model_is_dir(&play->now, to->ino) && !model_is_empty(&play->now, to->ino) ? -ENOTEMPTY : 0;
}

static void model_rename(struct play *play, struct model_name *from, struct model_name *to, uint64_t dir,
			 const char *name, unsigned flags)
{
	struct model_name moved = *from;

	if (flags & RENAME_EXCHANGE) {
		from->ino = to->ino;
		to->ino = moved.ino;
		return;
	}
	if (to && to->ino == from->ino)
		return;
	/* From goes first, so that removing the replaced one can't move it. */
	from->parent = dir;
	snprintf(from->name, sizeof from->name, "%s", name);
	if (to)
		drop_name(play, to);
}

static void do_rename(struct play *play)
{
	static const unsigned all_flags[] = { 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };
	unsigned flags = all_flags[random_below(&play->random, 4)];
	struct model_name *from, *to;
	uint64_t dir, to_dir;
	char name[4], to_name[4];
	int ret;

	pick_place(play, &dir, name);
	pick_place(play, &to_dir, to_name);
	if (random_below(&play->random, 2))
		pick_name(play, to_name);
	from = model_find(&play->now, dir, name);
	to = model_find(&play->now, to_dir, to_name);
	/* The kernel itself refuses to move a directory below itself. */
	if ((from && model_is_below(&play->now, to_dir, from->ino)) ||
	    (to && model_is_below(&play->now, dir, to->ino)))
		return;
	ret = tree_rename(play->store.tree, dir, name, strlen(name), to_dir, to_name, strlen(to_name), flags);
	assert_int_equal(ret, want_rename(play, from, to, flags));
	if (ret == 0)
		model_rename(play, from, to, to_dir, to_name, flags);
}

static void do_write(struct play *play)
{
	struct model_node *node = pick_file(play);
	uint8_t data[3000];
	size_t length = 1 + random_below(&play->random, sizeof data);
	size_t offset = random_below(&play->random, SIZE_MAX_ - sizeof data);
	struct inode *inode;

	if (!node)
		return;
	if (random_below(&play->random, 3) == 0)
		offset = node->size < SIZE_MAX_ ? node->size : offset; /* append */
	memset(data, (int)random_below(&play->random, 256), length);
	assert_int_equal(tree_get(play->store.tree, node->ino, &inode), 0);
	assert_int_equal(body_write(play->store.tree, inode, data, length, offset), 0);
	tree_put(play->store.tree, inode);
	if (offset + length > node->size)
		model_resize(node, offset + length);
	memcpy(node->data + offset, data, length);
}

static void do_truncate(struct play *play)
{
	struct model_node *node = pick_file(play);
	size_t size = random_below(&play->random, 3) ? random_below(&play->random, SIZE_MAX_) : 0;
	struct inode *inode;

	if (!node)
		return;
	assert_int_equal(tree_get(play->store.tree, node->ino, &inode), 0);
	assert_int_equal(body_truncate(play->store.tree, inode, size), 0);
	tree_put(play->store.tree, inode);
	model_resize(node, size);
}

static void do_attr(struct play *play)
{
	struct model_node *node = pick_node(play);
	struct node_attr attr = { .mode = (uint32_t)random_below(&play->random, 01000) };
	char digits[16];

	if (S_ISLNK(node->mode))
		return;
	if (random_below(&play->random, 2)) {
		assert_int_equal(tree_set_attr(play->store.tree, node->ino, &attr, TREE_SET_MODE, &attr), 0);
		node->mode = attr.mode;
	} else if (node->xattr && random_below(&play->random, 2)) {
		assert_int_equal(tree_xattr_remove(play->store.tree, node->ino, "user.x"), 0);
		node->xattr = 0;
	} else {
		node->xattr = 1 + (int)random_below(&play->random, 99999);
		snprintf(digits, sizeof digits, "%d", node->xattr);
		assert_int_equal(
		    tree_xattr_set(play->store.tree, node->ino, "user.x", digits, strlen(digits), 0), 0);
	}
}

static void do_flush(struct play *play)
{
	assert_int_equal(tree_sync(play->store.tree), 0);
	forget_some(play);
}

/* As an importer numbers the nodes: otherwise. */
#define PAST_COPY                                                                                            \
	"INSERT INTO main.dirent SELECT iif(parent=1,1,parent+5000),name,0,ino+5000,type FROM o.dirent "     \
	"WHERE gen=0;INSERT INTO main.node SELECT iif(ino=1,1,ino+5000),0,mode,uid,gid,nlink,size,rdev,"     \
	"atime/1000000000*1000000000,mtime/1000000000*1000000000,ctime/1000000000*1000000000,"               \
	"iif(parent=1,1,parent+5000),target,xattrs,zf,md5,map,lost FROM o.node WHERE gen=0;DETACH o"

static void close_past(struct play *play)
{
	char path[96];

	if (!play->past)
		return;
	past_close(play->past);
	free(play->past);
	play->past = NULL;
	snprintf(path, sizeof path, "%s/past.db", play->store.dir);
	unlink(path);
}

/* The base becomes the older session. */
static void take_past(struct play *play)
{
	struct reason why = { 0 };
	char path[96], attach[128];

	close_past(play);
	play->past = calloc(1, sizeof *play->past);
	snprintf(path, sizeof path, "%s/past.db", play->store.dir);
	snprintf(attach, sizeof attach, "ATTACH '%s/overlay.db' AS o", play->store.dir);
	assert_int_equal(tree_flush(play->store.tree), 0);
	assert_int_equal(past_open(play->past, path, play->store.medium_end, &why), 0);
	assert_int_equal(sqlite3_exec(play->past->db.handle, attach, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(play->past->db.handle, PAST_COPY, NULL, NULL, NULL), SQLITE_OK);
	model_copy(&play->base, &play->was);
	play->is_base = true;
}

static void published(struct play *play)
{
	model_copy(&play->frozen, &play->base);
	play->is_base = false;
}

/* A mount that finds a frozen generation thaws it first. */
static void do_reopen(struct play *play)
{
	uint32_t gen = play->gen;

	tree_close(play->store.tree);
	if (gen == 0) {
		store_start_tree(&play->store);
	} else {
		struct reason why = { 0 };

		assert_int_equal(tree_open(play->store.tree, play->store.dir, play->store.dir_fd, 0, &why),
				 0);
		play->store.tree->disc.fd = play->store.medium;
		play->store.tree->disc.limit = play->store.medium_end;
		if (random_below(&play->random, 2)) {
			store_publish(&play->store, gen);
			published(play);
		} else {
			store_thaw(&play->store, gen);
		}
		assert_int_equal(sweep_at_start(play->store.tree, &why), 0);
		play->gen = 0;
	}
	play->dead.count = 0;
}

static void do_commit(struct play *play)
{
	if (play->gen == 0) {
		play->gen = store_freeze(&play->store);
		model_copy(&play->now, &play->frozen);
		return;
	}
	if (random_below(&play->random, 2)) {
		store_publish(&play->store, play->gen);
		published(play);
		if (random_below(&play->random, 2))
			take_past(play);
	} else {
		store_thaw(&play->store, play->gen);
	}
	play->gen = 0;
}

static void note_dead(struct play *play)
{
	vec_each (&play->now.nodes, node)
		*vec_push(&play->dead) = node->ino;
}

static void do_discard_all(struct play *play)
{
	int ret;

	if (random_below(&play->random, 3))
		return;
	ret = discard_staged(play->store.tree, "", NULL);
	assert_int_equal(ret, play->gen ? -EBUSY : 0);
	if (ret < 0)
		return;
	note_dead(play);
	model_copy(&play->base, &play->now);
}

static void model_path(struct model *model, const struct model_name *name, char *ret, size_t room)
{
	char longer[256];
	bool found = true;

	snprintf(ret, room, "%s", name->name);
	for (uint64_t dir = name->parent; found && dir != ROOT_INO;) {
		found = false;
		vec_each (&model->names, at)
			if (!found && at->ino == dir) {
				snprintf(longer, sizeof longer, "%.9s/%.240s", at->name, ret);
				snprintf(ret, room, "%.255s", longer);
				dir = at->parent;
				found = true;
			}
	}
}

static int refuse_below(void *self, const struct change *change)
{
	const char *path = self;
	size_t length = strlen(path);

	assert_false(strncmp(change->path, path, length) == 0 &&
		     (change->path[length] == '/' || change->path[length] == '\0'));
	return 0;
}

static int count_change(void *self, const struct change *change)
{
	++*(uint64_t *)self;
	return 0;
}

static void check_changes(struct play *play)
{
	struct changes_count count;
	uint64_t listed = 0;

	assert_int_equal(changes_list(play->store.tree, count_change, &listed), 0);
	assert_int_equal(changes_count(play->store.tree, &count), 0);
	assert_int_equal(count.added + count.modified + count.deleted + count.renamed, listed);
}

/* What is at the path then is what the base has there; all else must hold together, which store_check tells.
 */
static void do_discard_path(struct play *play)
{
	struct model *from = random_below(&play->random, 2) ? &play->now : &play->base;
	const struct model_name *name;
	char path[256];
	struct model_node *node;
	uint64_t base_ino;
	int ret;

	if (from->names.count == 0)
		return;
	name = &from->names.items[random_below(&play->random, from->names.count)];
	base_ino = from == &play->base ? name->ino : 0;
	model_path(from, name, path, sizeof path);
	ret = discard_staged(play->store.tree, path, NULL);
	assert_int_equal(ret, play->gen ? -EBUSY : 0);
	if (ret < 0)
		return;
	assert_int_equal(changes_list(play->store.tree, refuse_below, path), 0);
	note_dead(play);
	model_read(&play->now, &play->store);
	node = base_ino ? model_node(&play->now, base_ino) : NULL;
	if (base_ino) {
		const struct model_node *want = model_node(&play->base, base_ino);

		assert_non_null(node);
		assert_int_equal(node->mode, want->mode);
		assert_int_equal(node->size, want->size);
		assert_int_equal(node->xattr, want->xattr);
		if (node->size && S_ISREG(node->mode))
			assert_memory_equal(node->data, want->data, node->size);
		assert_non_null(model_find(&play->now, name->parent, name->name));
		assert_int_equal(model_find(&play->now, name->parent, name->name)->ino, base_ino);
	}
}

struct pairs {
	VEC(struct model_name) list; /* parent: in the session; ino: here */
};

/* What stands for what is the same everywhere. */
static void check_pair(struct pairs *pairs, uint64_t was, uint64_t now)
{
	vec_each (&pairs->list, pair)
		assert_true((pair->parent == was) == (pair->ino == now));
	*vec_push(&pairs->list) = (struct model_name){ .parent = was, .ino = now };
}

static void check_same(struct play *play, uint64_t was_ino, uint64_t now_ino, struct pairs *pairs)
{
	const struct model_node *was = model_node(&play->was, was_ino);
	const struct model_node *now = model_node(&play->now, now_ino);
	size_t extra = 0;

	assert_int_equal(was->mode, now->mode);
	assert_int_equal(was->xattr, now->xattr);
	assert_int_equal(was->size, now->size);
	if (S_ISREG(was->mode) && was->size)
		assert_memory_equal(was->data, now->data, was->size);
	check_pair(pairs, was_ino, now_ino);
	vec_each (&play->now.names, name)
		extra += name->parent == now_ino;
	vec_each (&play->was.names, name)
		if (name->parent == was_ino) {
			const struct model_name *same = model_find(&play->now, now_ino, name->name);

			assert_non_null(same);
			extra--;
			check_same(play, name->ino, same->ino, pairs);
		}
	assert_int_equal(extra, 0);
}

/* name: NULL for everything. */
static void do_restore(struct play *play, const struct model_name *name)
{
	struct changes_count count;
	struct pairs pairs = { 0 };
	uint64_t now = ROOT_INO;
	char path[256] = "";
	int ret;

	if (name)
		model_path(&play->was, name, path, sizeof path);
	ret = restore_staged(play->store.tree, play->past, path, NULL);
	if (play->gen || ret < 0) {
		/* A file may stand where a directory on the way was. */
		assert_int_equal(ret, play->gen ? -EBUSY : -ENOTDIR);
		assert_true(play->gen || (name && name->parent != ROOT_INO));
		return;
	}
	note_dead(play);
	model_read(&play->now, &play->store);
	if (name)
		now = store_ino(&play->store, path);
	check_same(play, name ? name->ino : ROOT_INO, now, &pairs);
	vec_clear(&pairs.list);
	store_check(&play->store);
	if (name || !play->is_base)
		return;
	assert_int_equal(changes_count(play->store.tree, &count), 0);
	assert_int_equal(count.added + count.modified + count.deleted + count.renamed, 0);
	model_check(&play->base, &play->store);
}

static void do_restore_path(struct play *play)
{
	if (play->was.names.count)
		do_restore(play, &play->was.names.items[random_below(&play->random, play->was.names.count)]);
}

static void do_restore_all(struct play *play)
{
	if (random_below(&play->random, 3) == 0)
		do_restore(play, NULL);
}

static const struct {
	void (*run)(struct play *play);
	unsigned weight;
} moves[] = {
	{ do_create, 22 },	{ do_link, 6 },	       { do_remove, 14 },     { do_rename, 18 },
	{ do_write, 16 },	{ do_truncate, 6 },    { do_attr, 8 },	      { do_flush, 4 },
	{ do_reopen, 2 },	{ do_commit, 3 },      { do_discard_all, 1 }, { do_discard_path, 4 },
	{ do_restore_path, 4 }, { do_restore_all, 2 },
};

static void step(struct play *play)
{
	unsigned sum = 0, at = 0;
	uint64_t draw;

	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		sum += moves[i].weight;
	draw = random_below(&play->random, sum);
	while (draw >= moves[at].weight)
		draw -= moves[at++].weight;
	moves[at].run(play);
	play->done[at]++;
}

static void fill_base(struct play *play)
{
	struct store *store = &play->store;
	uint64_t a = base_dir(store, ROOT_INO, "a"), b = base_dir(store, a, "b"), c = base_dir(store, b, "c");
	uint64_t d = base_dir(store, ROOT_INO, "d"), file;
	char data[9000];

	memset(data, 'x', sizeof data);
	base_file(store, a, "a", data, sizeof data);
	base_file(store, b, "a", data, 2048);
	base_file(store, c, "b", data, 5000);
	file = base_file(store, d, "a", data, 100);
	base_link(store, file, a, "e");
	base_link(store, file, ROOT_INO, "f");
	base_file(store, ROOT_INO, "c", data, 1);
	base_end(store);
	model_read(&play->now, store);
	model_copy(&play->now, &play->base);
	take_past(play);
}

static int first_path(void *self, const struct change *change)
{
	snprintf(self, 256, "%s", change->path);
	return 1;
}

/* Change by change until none is left, or all at once: the base is back. */
static void end_in_base(struct play *play, bool one_by_one)
{
	char path[256];

	if (play->gen)
		store_thaw(&play->store, play->gen);
	while (one_by_one && changes_list(play->store.tree, first_path, path) == 1) {
		assert_int_equal(discard_staged(play->store.tree, strcmp(path, ".") == 0 ? "" : path, NULL),
				 0);
		store_check(&play->store);
	}
	assert_int_equal(discard_staged(play->store.tree, "", NULL), 0);
	model_check(&play->base, &play->store);
	store_check(&play->store);
	check_changes(play);
	vec_each (&play->dead, ino)
		tree_forget(play->store.tree, *ino);
	assert_int_equal(tree_flush(play->store.tree), 0);
	assert_int_equal(db_int(&play->store.tree->db, QUERY_MAX_GEN), 0);
}

static void run_seed(uint64_t seed)
{
	struct play play = { .random = seed * 0x9E3779B97F4A7C15ull + 1 };

	store_open(&play.store);
	fill_base(&play);
	for (unsigned i = 0; i < STEPS; i++) {
		step(&play);
		if (i % 8 == 0 || i + 1 == STEPS)
			store_check(&play.store);
		if (i % 16 == 0 || i + 1 == STEPS)
			model_check(&play.now, &play.store);
		if (i % 32 == 0)
			check_changes(&play);
	}
	end_in_base(&play, seed % 2);
	close_past(&play);
	store_close(&play.store);
	model_clear(&play.now);
	model_clear(&play.base);
	model_clear(&play.frozen);
	model_clear(&play.was);
	vec_clear(&play.dead);
}

static uint64_t only_seed;

static void test_random(void **state)
{
	for (uint64_t seed = only_seed ? only_seed : 1; seed <= (only_seed ? only_seed : SEEDS); seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		run_seed(seed);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

	only_seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
