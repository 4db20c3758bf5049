/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/changes.h"

#include "store/boot.h"
#include "store/held.h"
#include "store/rows.h"
#include "store/staged.h"

#include <errno.h>
#include <string.h>

struct found {
	char kind;
	char *path, *old; /* owned */
};

struct collect {
	struct tree *tree;
	struct staged_names names; /* selected: litter */
	struct held held;
	VEC(uint64_t) modified;
	VEC(struct found) found;
	struct changes_count count;
	bool want_paths;
	uint32_t upto; /* what later generations say doesn't count */
	struct {
		uint64_t parent;
		uint32_t gen;
		struct text path;
	} last; /* the parent whose path was asked for last: neighbours share it */
};

static void collect_clear(struct collect *collect)
{
	vec_each (&collect->found, found) {
		free(found->path);
		free(found->old);
	}
	vec_clear(&collect->found);
	staged_names_clear(&collect->names);
	held_clear(&collect->held);
	vec_clear(&collect->modified);
	text_clear(&collect->last.path);
}

static int collect_node(void *self, struct node *node, uint32_t gen)
{
	struct collect *collect = self;
	struct node base CLEANUP(node_clear) = { 0 };
	uint32_t base_gen;
	uint64_t *modified;
	int found = 0;

	if (gen > collect->upto)
		return 0;
	if (gen < min_u64(collect->tree->gen,
			  collect->upto)) /* a frozen row: what the next generation says counts */
		found = rows_node_above(&collect->tree->db, node->attr.ino, gen);
	if (found || node->attr.nlink == 0)
		return found < 0 ? found : 0;
	found = rows_node_get(&collect->tree->db, node->attr.ino, 0, &base, &base_gen);
	if (found <= 0 || !staged_is_modified(&base, node))
		return found < 0 ? found : 0;
	modified = vec_push(&collect->modified);
	if (!modified)
		return -ENOMEM;
	*modified = node->attr.ino;
	return 0;
}

/* The path of a name; asked for neighbours one after another, so the parent's is kept. */
static int name_path(struct collect *collect, const struct staged_name *name, uint32_t gen, char **ret)
{
	struct text path = { 0 };
	int err = 0;

	if (collect->last.parent != name->parent || collect->last.gen != gen || !collect->last.path.data) {
		collect->last.parent = 0;
		text_clear(&collect->last.path);
		err = rows_path(&collect->tree->db, name->parent, gen, &collect->last.path);
		if (err == -ENOENT) /* its directory went too, with a line of its own */
			err = rows_path(&collect->tree->db, name->parent, 0, &collect->last.path);
		if (err < 0)
			return err;
		collect->last.parent = name->parent;
		collect->last.gen = gen;
	}
	text_add_bytes(&path, collect->last.path.data ? collect->last.path.data : "",
		       collect->last.path.length);
	if (path.length)
		text_add_bytes(&path, "/", 1);
	text_add_bytes(&path, staged_name_bytes(&collect->names, name), name->length);
	if (path.failed) {
		text_clear(&path);
		return -ENOMEM;
	}
	*ret = path.data;
	return 0;
}

static int add_found(struct collect *collect, char kind, char *path, char *old)
{
	struct found *found = vec_push(&collect->found);

	if (!found) {
		free(path);
		free(old);
		return -ENOMEM;
	}
	*found = (struct found){ .kind = kind, .path = path, .old = old };
	return 0;
}

static int by_base(const void *a, const void *b)
{
	const struct staged_name *left = a, *right = b;

	if (left->base != right->base)
		return left->base > right->base ? 1 : -1;
	return (left->at > right->at) - (left->at < right->at);
}

/* The names that the base's inodes lost, sorted by inode, so that a rename finds where it came from. */
struct names_by_ino {
	VEC(struct staged_name) list;
};

/* The first of an inode's. */
static const struct staged_name *find_ino(const struct names_by_ino *names, uint64_t ino)
{
	size_t low = 0, high = names->list.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->list.items[middle].base < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return low < names->list.count && names->list.items[low].base == ino ? &names->list.items[low] : NULL;
}

static int collect_lost(const struct collect *collect, struct names_by_ino *lost)
{
	for (size_t i = 0; i < collect->names.list.count; i++) {
		const struct staged_name *name = &collect->names.list.items[i];
		struct staged_name *kept;

		if (name->base == 0 || name->base == name->now)
			continue;
		kept = vec_push(&lost->list);
		if (!kept)
			return -ENOMEM;
		*kept = *name;
	}
	if (lost->list.count)
		qsort(lost->list.items, lost->list.count, sizeof *lost->list.items, by_base);
	return 0;
}

/* Inodes of the base that got a name which the base doesn't have for them. The field base holds the inode. */
static int collect_gained(const struct collect *collect, const struct names_by_ino *lost,
			  struct names_by_ino *gained)
{
	for (size_t i = 0; i < collect->names.list.count; i++) {
		const struct staged_name *name = &collect->names.list.items[i];
		struct staged_name *kept;

		if (name->now == 0 || name->now == name->base || name->selected || !find_ino(lost, name->now))
			continue;
		kept = vec_push(&gained->list);
		if (!kept)
			return -ENOMEM;
		*kept = *name;
		kept->base = name->now;
	}
	if (gained->list.count)
		qsort(gained->list.items, gained->list.count, sizeof *gained->list.items, by_base);
	return 0;
}

static int judge(struct collect *collect, const struct staged_name *name, const struct names_by_ino *lost,
		 const struct names_by_ino *gained)
{
	const struct staged_name *from =
	    name->now && name->now != name->base && !name->selected ? find_ino(lost, name->now) : NULL;
	char *path = NULL, *old = NULL;
	char kind;
	int ret;

	if (name->now == name->base)
		return 0;
	if (name->selected)
		kind = 'X';
	else if (from)
		kind = 'R';
	else if (name->now)
		kind = name->base && !find_ino(gained, name->base) ? 'M' : 'A';
	else
		kind = 'D';
	if (kind == 'D' && find_ino(gained, name->base) && find_ino(lost, name->base)->at == name->at)
		return 0; /* the line of the rename tells */
	*(kind == 'X'	? &collect->count.litter
	  : kind == 'R' ? &collect->count.renamed
	  : kind == 'A' ? &collect->count.added
	  : kind == 'M' ? &collect->count.modified
			: &collect->count.deleted) += 1;
	if (!collect->want_paths)
		return 0;
	ret = name_path(collect, name, name->now ? GEN_NEWEST : 0, &path);
	if (ret == 0 && from)
		ret = name_path(collect, from, 0, &old);
	if (ret < 0) {
		free(path);
		return ret;
	}
	return add_found(collect, kind, path, old);
}

/* What was frozen holds none. */
static int mark_litter(struct collect *collect)
{
	int ret = 0;

	collect->held.tree = collect->tree;
	for (size_t i = 0; ret >= 0 && collect->upto == GEN_NEWEST && i < collect->names.list.count; i++) {
		struct staged_name *name = &collect->names.list.items[i];

		if (name->now == 0 || name->now == name->base)
			continue;
		ret = held_name(&collect->held, name->parent, staged_name_bytes(&collect->names, name),
				name->length, name->base);
		name->selected = ret > 0;
	}
	return ret < 0 ? ret : 0;
}

static int judge_names(struct collect *collect)
{
	struct names_by_ino lost = { 0 }, gained = { 0 };
	int ret = mark_litter(collect);

	if (ret == 0)
		ret = collect_lost(collect, &lost);
	if (ret == 0)
		ret = collect_gained(collect, &lost, &gained);
	for (size_t i = 0; ret == 0 && i < collect->names.list.count; i++)
		ret = judge(collect, &collect->names.list.items[i], &lost, &gained);
	vec_clear(&lost.list);
	vec_clear(&gained.list);
	return ret;
}

static int judge_nodes(struct collect *collect)
{
	for (size_t i = 0; i < collect->modified.count; i++) {
		struct text path = { 0 };
		int ret;

		collect->count.modified++;
		if (!collect->want_paths)
			continue;
		ret = rows_path(&collect->tree->db, collect->modified.items[i], GEN_NEWEST, &path);
		if (ret == 0 && path.length == 0)
			text_add(&path, ".");
		if (ret == 0)
			ret = add_found(collect, 'M', path.data, NULL);
		else
			text_clear(&path);
		if (ret < 0 && ret != -ENOENT)
			return ret;
	}
	return 0;
}

/* The path is the one that it has now, or had. */
static int add_boot(struct collect *collect, const struct boot_wish *wish)
{
	struct text path = { 0 };
	int ret = wish->ino ? rows_path(&collect->tree->db, wish->ino, collect->upto, &path) : 0;

	if (ret == -ENOENT) {
		text_clear(&path);
		text_add_bytes(&path, wish->path.data, wish->path.length);
		ret = 0;
	}
	text_add(&path, "%s", "");
	if (ret == 0 && !path.failed)
		return add_found(collect, 'B', path.data, NULL);
	text_clear(&path);
	return ret < 0 ? ret : -ENOMEM;
}

static int judge_boot(struct collect *collect)
{
	CLEANUP(boot_wishes_clear) struct boot_wishes wishes = { 0 };
	int ret = boot_wishes_load(&collect->tree->db, collect->upto, &wishes);

	if (ret <= 0)
		return ret;
	collect->count.boot = boot_wishes_count(&wishes);
	ret = 0;
	if (collect->want_paths && wishes.none)
		ret = add_boot(collect, &(struct boot_wish){ 0 });
	for (size_t i = 0; ret == 0 && collect->want_paths && i < BOOT_SLOTS; i++)
		if (wishes.slots[i].set)
			ret = add_boot(collect, &wishes.slots[i]);
	return ret;
}

static int collect_all(struct collect *collect)
{
	int ret;

	WITH_LOCK(&collect->tree->lock);
	/* A tree that can't be flushed can still tell of most of what is staged. */
	tree_flush_locked(collect->tree);
	ret = tree_repair(collect->tree);
	if (ret == 0)
		ret = staged_names_collect(collect->tree, collect->upto, &collect->names);
	if (ret == 0)
		ret = rows_node_staged(&collect->tree->db, collect_node, collect);
	if (ret == 0)
		ret = judge_names(collect);
	if (ret == 0)
		ret = judge_boot(collect);
	return ret < 0 ? ret : judge_nodes(collect);
}

static int by_path(const void *a, const void *b)
{
	const struct found *left = a, *right = b;
	int order = strcmp(left->path, right->path);

	return order ? order : left->kind - right->kind;
}

int changes_list(struct tree *tree, changes_fn *entry, void *self)
{
	struct collect collect CLEANUP(
	    collect_clear) = { .tree = tree, .want_paths = true, .upto = GEN_NEWEST };
	int ret = collect_all(&collect);

	if (ret < 0)
		return ret;
	if (collect.found.count)
		qsort(collect.found.items, collect.found.count, sizeof *collect.found.items, by_path);
	for (size_t i = 0; ret == 0 && i < collect.found.count; i++) {
		const struct found *found = &collect.found.items[i];

		ret = entry(self, &(struct change){ found->kind, found->path, found->old });
	}
	return ret;
}

int changes_count(struct tree *tree, struct changes_count *ret)
{
	struct collect collect CLEANUP(collect_clear) = { .tree = tree, .upto = GEN_NEWEST };
	uint64_t stamp = atomic_load(&tree->stamp);
	int err;

	{
		WITH_LOCK(&tree->account);
		if (tree->counted_at == stamp + 1) {
			*ret = tree->counted;
			return 0;
		}
	}
	err = collect_all(&collect);
	if (err < 0)
		return err;
	*ret = collect.count;
	WITH_LOCK(&tree->account);
	tree->counted = collect.count;
	tree->counted_at = stamp + 1;
	return 0;
}

int changes_count_upto(struct tree *tree, uint32_t gen, struct changes_count *ret)
{
	struct collect collect CLEANUP(collect_clear) = { .tree = tree, .upto = gen };
	int err = collect_all(&collect);

	*ret = collect.count;
	return err;
}
