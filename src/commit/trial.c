/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/trial.h"

#include "model/cost.h"
#include "model/udf_ident.h"
#include "store/changes.h"
#include "store/held.h"
#include "store/staged.h"

#include <errno.h>
#include <string.h>

/* A directory that is still to be looked through. */
struct ahead {
	uint64_t ino;
	uint32_t depth; /* names on the way to it */
	bool hidden;	/* Joliet doesn't show it, nor what is in it */
};

struct child {
	uint64_t ino;
	size_t at, length; /* its name */
	uint8_t node;
	bool long_target; /* for UDF */
};

/* What is burned: equal maps are one body. */
struct body {
	uint64_t hash, size;
};

struct walk {
	struct tree *tree;
	struct trial *trial;
	uint32_t gen;
	const _Atomic bool *cancelled;
	VEC(struct ahead) ahead;
	VEC(struct child) children;
	VEC(struct body) bodies;
	struct text names;
	struct layout layout;
	struct dir_cost sum;
	uint64_t ino_limit;
	uint8_t *seen; /* a bit for each inode */
	struct {
		uint64_t ino;
		struct text path;
	} last; /* the directory whose path was asked for last */
};

void trial_clear(struct trial *trial)
{
	vec_clear(&trial->items);
	text_clear(&trial->words);
	*trial = (struct trial){ 0 };
}

static void walk_clear(struct walk *walk)
{
	vec_clear(&walk->ahead);
	vec_clear(&walk->children);
	vec_clear(&walk->bodies);
	text_clear(&walk->names);
	text_clear(&walk->last.path);
	layout_free(&walk->layout);
	free(walk->seen);
}

static uint8_t node_kind(uint32_t mode)
{
	return S_ISREG(mode)	? TRIAL_FILES
	       : S_ISDIR(mode)	? TRIAL_DIRS
	       : S_ISLNK(mode)	? TRIAL_LINKS
	       : S_ISFIFO(mode) ? TRIAL_FIFOS
	       : S_ISSOCK(mode) ? TRIAL_SOCKETS
				: TRIAL_DEVICES;
}

/* ---- items ---- */

static int add_path(struct walk *walk, uint64_t dir, const char *name, size_t length)
{
	struct text *words = &walk->trial->words;
	int ret = 0;

	if (walk->last.ino != dir || !walk->last.path.data) {
		text_clear(&walk->last.path);
		walk->last.ino = 0;
		WITH_LOCK(&walk->tree->lock);
		ret = rows_path(&walk->tree->db, dir, walk->gen, &walk->last.path);
		if (ret < 0)
			return ret;
		walk->last.ino = dir;
	}
	text_add_bytes(words, walk->last.path.data ? walk->last.path.data : "", walk->last.path.length);
	if (walk->last.path.length && length)
		text_add_bytes(words, "/", 1);
	text_add_bytes(words, name, length);
	text_add_bytes(words, "", 1);
	return 0;
}

/* The name is one of the directory's; length 0: the directory itself. words: what else there is to say. */
static int add_item(struct walk *walk, struct trial_item item, uint64_t dir, const char *name, size_t length,
		    const char *words)
{
	struct trial *trial = walk->trial;
	struct trial_item *kept;
	int ret;

	trial->counts[item.kind]++;
	if (trial->kept[item.kind] >= TRIAL_ITEMS || trial->words.length >= TRIAL_BYTES)
		return 0;
	item.path = (uint32_t)trial->words.length;
	ret = add_path(walk, dir, name, length);
	item.words = (uint32_t)trial->words.length;
	text_add_bytes(&trial->words, words, strlen(words) + 1);
	kept = vec_push(&trial->items);
	if (!kept || trial->words.failed)
		return -ENOMEM;
	*kept = item;
	trial->kept[item.kind]++;
	return ret;
}

/* ---- nodes ---- */

static uint64_t hash_map(const struct extent_map *map)
{
	uint64_t hash = 1469598103934665603ull;

	for (size_t i = 0; i < map->count; i++) {
		const struct extent *extent = &map->items[i];
		const uint64_t words[] = { extent->offset, extent->length, extent->origin, extent->kind };

		for (size_t j = 0; j < sizeof words / sizeof *words; j++)
			hash = (hash ^ words[j]) * 1099511628211ull ^ hash >> 29;
	}
	return hash;
}

static int count_body(struct walk *walk, const struct node *node)
{
	struct body *body;

	if (extent_map_is_on_disc(&node->map, node->attr.size)) {
		walk->trial->referenced += node->attr.size;
		return 0;
	}
	body = vec_push(&walk->bodies);
	if (!body)
		return -ENOMEM;
	*body = (struct body){ hash_map(&node->map), node->attr.size };
	return 0;
}

static int by_body(const void *left, const void *right)
{
	const struct body *a = left, *b = right;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return (a->hash > b->hash) - (a->hash < b->hash);
}

static void sum_bodies(struct walk *walk)
{
	const struct body *bodies = walk->bodies.items;

	if (walk->bodies.count)
		qsort(walk->bodies.items, walk->bodies.count, sizeof *bodies, by_body);
	for (size_t i = 0; i < walk->bodies.count; i++)
		if (i == 0 || by_body(&bodies[i - 1], &bodies[i]) != 0)
			walk->trial->new_bytes += bodies[i].size;
}

/* Of one time: 0: it's kept, 1: but for its fraction, 2: it isn't. */
static int time_loss(int64_t ns)
{
	int64_t lost = ns - node_time_on_disc(ns);

	return lost == 0 ? 0 : lost > 0 && lost < NS_PER_SEC ? 1 : 2;
}

static int worst_time(const struct node_attr *attr)
{
	int worst = time_loss(attr->mtime_ns), next = time_loss(attr->atime_ns);

	worst = next > worst ? next : worst;
	next = time_loss(attr->ctime_ns);
	return next > worst ? next : worst;
}

/* Whoever keeps the seconds in 32 bits shows another time; after 2155 no disc has it anyway. */
static bool time_wraps(int64_t ns)
{
	int64_t seconds = node_time_on_disc(ns) / NS_PER_SEC;

	return seconds != (int32_t)seconds;
}

/* What is told once of a node, however many names it has. */
static int count_node(struct walk *walk, const struct node *node, uint64_t dir, const char *name,
		      size_t length)
{
	struct trial_item item = { .node = node_kind(node->attr.mode) };
	int times = worst_time(&node->attr);
	int ret = 0;

	walk->trial->all[item.node]++;
	walk->trial->fractions += times == 1;
	walk->trial->beyond_2038 += time_wraps(node->attr.mtime_ns) || time_wraps(node->attr.atime_ns) ||
				    time_wraps(node->attr.ctime_ns);
	walk->trial->attributed += node->xattrs.length > 0;
	if (times == 2) {
		item.kind = TRIAL_TIMES;
		ret = add_item(walk, item, dir, name, length, "");
	}
	if (ret == 0 && S_ISLNK(node->attr.mode) && !target_fits(node->target.data, node->target.length)) {
		item.kind = TRIAL_TARGET;
		ret = add_item(walk, item, dir, name, length, "");
	}
	if (ret == 0 && S_ISLNK(node->attr.mode) && !target_is_kept(node->target.data, node->target.length)) {
		item.kind = TRIAL_SLASHES;
		ret = add_item(walk, item, dir, name, length, "");
	}
	if (ret == 0 && node->xattrs.length > XATTR_SET_LIMIT) {
		item.kind = TRIAL_ATTRIBUTES;
		ret = add_item(walk, item, dir, name, length, "");
	}
	if (ret == 0 && node->lost.count) {
		item.kind = TRIAL_LOST;
		ret = add_item(walk, item, dir, name, length, "");
	}
	return ret == 0 && S_ISREG(node->attr.mode) ? count_body(walk, node) : ret;
}

/* ---- names ---- */

static int left_out(struct walk *walk, const struct child *child, uint64_t dir)
{
	return add_item(walk, (struct trial_item){ .kind = TRIAL_LEFT_OUT, .node = child->node }, dir,
			walk->names.data + child->at, child->length, "");
}

static bool is_in_joliet(const struct walk *walk, size_t index)
{
	const struct child *child = &walk->children.items[index];
	uint16_t units[NAME_JOLIET_MOST + 1];

	return walk->layout.entries.items[index].facts.in_joliet &&
	       name_to_joliet(walk->names.data + child->at, child->length, child->node == TRIAL_DIRS, units);
}

static int judge_label(struct walk *walk, const struct label *label, uint64_t dir)
{
	const struct child *child = &walk->children.items[label->entry];
	const char *name = walk->names.data + child->at;
	unsigned why = name_joliet_changes(name, child->length, label->is_dir);
	struct trial_item item = { .kind = TRIAL_CHANGED, .node = child->node };
	char shown[3 * NAME_JOLIET_MOST + 1];

	walk->trial->beyond += (why & NAME_BEYOND) != 0;
	item.why = (uint8_t)((why & ~(unsigned)NAME_BEYOND) | (label->clashed ? NAME_NUMBERED : 0));
	if (!item.why)
		return 0;
	name_of_joliet(walk->layout.joliet.units.items + label->at, label->length, shown);
	return add_item(walk, item, dir, name, child->length, shown);
}

static int judge_joliet(struct walk *walk, const struct ahead *dir)
{
	struct layout *layout = &walk->layout;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < walk->children.count; i++)
		if (dir->hidden || !is_in_joliet(walk, i))
			ret = left_out(walk, &walk->children.items[i], dir->ino);
	for (size_t i = 0; ret == 0 && !dir->hidden && i < layout->joliet.list.count; i++)
		ret = judge_label(walk, &layout->joliet.list.items[i], dir->ino);
	return ret;
}

/* Returns how UDF shows a name, in UTF-8. */
static const char *show_ident(const uint8_t *ident, size_t length, char ret[3 * UDF_IDENT_MOST + 1])
{
	uint16_t units[UDF_IDENT_MOST];
	size_t count = 0, size = ident[0] / 8;

	for (size_t at = 1; at + size <= length; at += size)
		units[count++] = size == 1 ? ident[at] : (uint16_t)(ident[at] << 8 | ident[at + 1]);
	name_of_joliet(units, count, ret);
	return ret;
}

static int judge_ident(struct walk *walk, const struct child *child, uint64_t dir)
{
	struct trial_item item = { .kind = TRIAL_UDF_CHANGED, .node = child->node };
	const char *name = walk->names.data + child->at;
	char shown[3 * UDF_IDENT_MOST + 1];
	uint8_t ident[UDF_IDENT_MOST];
	bool changed, bytes;
	size_t length;

	if (child->long_target ||
	    (child->node != TRIAL_FILES && child->node != TRIAL_DIRS && !walk->trial->formats.udf_links)) {
		item.kind = TRIAL_UDF_LEFT_OUT;
		return add_item(walk, item, dir, name, child->length, "");
	}
	length = udf_ident_component(name, child->length, ident, &bytes);
	item.why = (uint8_t)((length == 0 ? NAME_CUT : 0) | (bytes ? NAME_BYTES : 0));
	length = udf_ident(name, child->length, 0, ident, &changed);
	return changed ? add_item(walk, item, dir, name, child->length, show_ident(ident, length, shown)) : 0;
}

static int judge_length(struct walk *walk, const struct child *child, uint64_t dir)
{
	struct trial_item item = { .kind = TRIAL_LONG, .node = child->node };

	return child->length < NAME_LINUX_CUT
		   ? 0
		   : add_item(walk, item, dir, walk->names.data + child->at, child->length, "");
}

static int judge_names(struct walk *walk, const struct ahead *dir)
{
	const struct session_formats *formats = &walk->trial->formats;
	struct layout *layout = &walk->layout;
	int ret = formats->joliet ? judge_joliet(walk, dir) : 0;

	for (size_t i = 0; ret == 0 && i < walk->children.count; i++)
		ret = judge_length(walk, &walk->children.items[i], dir->ino);
	for (size_t i = 0; ret == 0 && formats->udf && i < walk->children.count; i++)
		ret = judge_ident(walk, &walk->children.items[i], dir->ino);
	for (size_t i = 0; i < layout->iso.list.count; i++) {
		const struct label *label = &layout->iso.list.items[i];
		const struct child *child = &walk->children.items[label->entry];

		walk->trial->iso_changed +=
		    name_iso_changes(walk->names.data + child->at, child->length,
				     layout->iso.units.items + label->at, label->length, label->is_dir);
	}
	return ret;
}

/* ---- directories ---- */

static int keep_child(void *self, const char *name, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	struct walk *walk = self;
	struct child *child = vec_push(&walk->children);

	if (!child)
		return -ENOMEM;
	*child = (struct child){ ino, walk->names.length, length, node_kind(type << 12), false };
	text_add_bytes(&walk->names, name, length);
	return walk->names.failed ? -ENOMEM : 0;
}

static int load(struct walk *walk, uint64_t ino, struct node *ret)
{
	uint32_t gen;

	WITH_LOCK(&walk->tree->lock);
	int found = rows_node_get(&walk->tree->db, ino, walk->gen, ret, &gen);

	return found > 0 ? 0 : found < 0 ? found : -EUCLEAN;
}

static int list(struct walk *walk, uint64_t dir)
{
	walk->children.count = walk->names.length = 0;
	WITH_LOCK(&walk->tree->lock);
	return rows_name_list(&walk->tree->db, dir, walk->gen, keep_child, walk);
}

/* Returns 1: its first name. */
static int mark_seen(struct walk *walk, uint64_t ino)
{
	uint8_t bit = (uint8_t)(1u << (ino & 7));

	if (ino >= walk->ino_limit)
		return -EUCLEAN;
	if (walk->seen[ino >> 3] & bit)
		return 0;
	walk->seen[ino >> 3] |= bit;
	return 1;
}

static int take_child(struct walk *walk, struct child *child, uint64_t dir)
{
	struct node node CLEANUP(node_clear) = { 0 };
	const char *name = walk->names.data + child->at;
	struct record_facts facts;
	int first = mark_seen(walk, child->ino);
	int ret = first < 0 ? first : load(walk, child->ino, &node);

	if (ret < 0)
		return ret;
	walk->trial->names++;
	child->long_target =
	    S_ISLNK(node.attr.mode) && !udf_target_fits((const char *)node.target.data, node.target.length);
	record_facts_of(&node, &facts);
	ret = layout_add(&walk->layout, name, child->length, &facts);
	return ret == 0 && first ? count_node(walk, &node, dir, name, child->length) : ret;
}

/* In the tree's order: those that come last are pushed first. */
static int push_dirs(struct walk *walk, const struct ahead *dir)
{
	for (size_t i = walk->children.count; i-- > 0;) {
		const struct child *child = &walk->children.items[i];
		struct ahead *ahead;

		if (child->node != TRIAL_DIRS)
			continue;
		ahead = vec_push(&walk->ahead);
		if (!ahead)
			return -ENOMEM;
		*ahead = (struct ahead){ child->ino, dir->depth + 1, dir->hidden || !is_in_joliet(walk, i) };
	}
	return 0;
}

static int lay_out(struct walk *walk, const struct ahead *dir)
{
	struct node self CLEANUP(node_clear) = { 0 };
	struct record_facts facts;
	struct dir_cost cost;
	int ret = load(walk, dir->ino, &self);

	if (ret < 0)
		return ret;
	record_facts_of(&self, &facts);
	ret = dir->ino == ROOT_INO ? count_node(walk, &self, ROOT_INO, "", 0) : 0;
	if (ret == 0)
		ret = layout_cost(&walk->layout, &facts, dir->ino == ROOT_INO, &cost);
	if (ret == -EOVERFLOW)
		return add_item(walk, (struct trial_item){ .kind = TRIAL_CLASHES, .node = TRIAL_DIRS },
				dir->ino, "", 0, "");
	if (ret < 0)
		return ret;
	walk->sum.iso += cost.iso + cost.continued;
	walk->sum.joliet += cost.joliet;
	walk->sum.iso_tables += cost.iso_tables;
	walk->sum.joliet_tables += cost.joliet_tables;
	walk->sum.udf += cost.udf;
	walk->sum.udf_linkless += cost.udf_linkless;
	return judge_names(walk, dir);
}

static int take_dir(struct walk *walk, const struct ahead *dir)
{
	int ret = list(walk, dir->ino);

	layout_clear(&walk->layout);
	for (size_t i = 0; ret == 0 && i < walk->children.count; i++)
		ret = atomic_load(walk->cancelled) ? -ECANCELED
						   : take_child(walk, &walk->children.items[i], dir->ino);
	if (ret == 0 && dir->depth >= TREE_DEPTH_LIMIT)
		ret = add_item(walk, (struct trial_item){ .kind = TRIAL_DEPTH, .node = TRIAL_DIRS }, dir->ino,
			       "", 0, "");
	if (ret == 0)
		ret = lay_out(walk, dir);
	return ret < 0 ? ret : push_dirs(walk, dir);
}

static int walk_tree(struct walk *walk)
{
	struct ahead *root = vec_push(&walk->ahead);
	int ret = root ? 0 : -ENOMEM;

	if (root)
		*root = (struct ahead){ .ino = ROOT_INO };
	while (ret == 0 && walk->ahead.count) {
		struct ahead dir = walk->ahead.items[--walk->ahead.count];

		ret = take_dir(walk, &dir);
	}
	walk->trial->directories = layout_sectors(&walk->sum, &walk->trial->formats);
	sum_bodies(walk);
	return ret;
}

/* ---- changes ---- */

static int count_change(void *self, struct node *node, uint32_t gen)
{
	struct walk *walk = self;
	struct node base CLEANUP(node_clear) = { 0 };
	uint8_t kind = node_kind(node->attr.mode);
	uint32_t base_gen;
	int found =
	    gen == walk->gen ? rows_node_get(&walk->tree->db, node->attr.ino, 0, &base, &base_gen) : 0;

	if (found < 0 || gen != walk->gen)
		return found;
	if (!found)
		walk->trial->added[kind] += node->attr.nlink > 0;
	else if (node->attr.nlink == 0)
		walk->trial->deleted[node_kind(base.attr.mode)]++;
	else
		walk->trial->modified[kind] += staged_is_modified(&base, node);
	return 0;
}

/* ---- what stays here ---- */

static int list_litter(struct walk *walk, const struct staged_names *names, struct held *held)
{
	int ret = 0;

	for (size_t i = 0; ret >= 0 && i < names->list.count; i++) {
		const struct staged_name *name = &names->list.items[i];
		const char *bytes = staged_name_bytes(names, name);
		struct trial_item item = { .kind = TRIAL_LITTER, .node = node_kind(name->now_type << 12) };

		if (name->now == 0 || name->now == name->base)
			continue;
		{
			WITH_LOCK(&walk->tree->lock);
			ret = held_name(held, name->parent, bytes, name->length, name->base);
		}
		if (ret > 0)
			ret = add_item(walk, item, name->parent, bytes, name->length, "");
		if (ret == -ENOENT) /* moved or deleted meanwhile */
			ret = 0;
	}
	return ret < 0 ? ret : 0;
}

/* It isn't in the frozen generation. */
static int find_litter(struct walk *walk)
{
	CLEANUP(staged_names_clear) struct staged_names names = { 0 };
	struct held held CLEANUP(held_clear) = { .tree = walk->tree };
	int ret = 0;

	if (!atomic_load(&walk->tree->held_back))
		return 0;
	walk->gen = GEN_NEWEST;
	text_clear(&walk->last.path);
	{
		WITH_LOCK(&walk->tree->lock);
		ret = staged_names_collect(walk->tree, GEN_NEWEST, &names);
	}
	return ret < 0 ? ret : list_litter(walk, &names, &held);
}

int trial_make(struct tree *tree, uint32_t gen, const struct session_formats *formats,
	       const _Atomic bool *cancelled, struct trial *ret)
{
	CLEANUP(trial_clear) struct trial trial = { .formats = *formats };
	CLEANUP(walk_clear)
	struct walk walk = { .tree = tree, .trial = &trial, .gen = gen, .cancelled = cancelled };
	int got = changes_count(tree, &trial.changes);

	if (got == 0) {
		WITH_LOCK(&tree->lock);
		walk.ino_limit = tree->next_ino;
		got = rows_node_staged(&tree->db, count_change, &walk);
	}
	walk.seen = calloc(walk.ino_limit / 8 + 1, 1);
	if (!walk.seen)
		return -ENOMEM;
	if (got == 0)
		got = walk_tree(&walk);
	if (got == 0)
		got = find_litter(&walk);
	if (got < 0)
		return got;
	*ret = trial;
	trial = (struct trial){ 0 };
	return 0;
}

void trial_drop_udf(struct trial *trial)
{
	size_t kept = 0;

	for (size_t i = 0; i < trial->items.count; i++) {
		const struct trial_item *item = &trial->items.items[i];

		if (item->kind != TRIAL_UDF_CHANGED && item->kind != TRIAL_UDF_LEFT_OUT)
			trial->items.items[kept++] = *item;
	}
	trial->items.count = kept;
	trial->counts[TRIAL_UDF_CHANGED] = trial->kept[TRIAL_UDF_CHANGED] = 0;
	trial->counts[TRIAL_UDF_LEFT_OUT] = trial->kept[TRIAL_UDF_LEFT_OUT] = 0;
	trial->formats.udf = false;
}
