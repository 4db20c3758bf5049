/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/plan.h"

#include "base/text.h"
#include "store/rows.h"

#include <errno.h>
#include <string.h>

/* One name of the directory that is being listed; the bytes follow each other in names. */
struct child_name {
	uint64_t ino;
	uint32_t type;
	uint32_t gen; /* that gave the name */
	size_t at, length;
};

typedef VEC(struct child_name) child_list;

struct walk {
	struct tree *tree;
	struct plan *plan;
	struct burn *burn;
	struct reason *why;
	VEC(uint64_t) dirs; /* still to be listed */
	child_list children;
	struct text names;
	struct text was;    /* see verb_node */
	uint64_t ino_limit; /* no frozen inode has this number or a higher one */
	uint8_t *seen;	    /* a bit per ino: sent already */
};

static int keep_name(void *self, const char *name, size_t length, uint64_t ino, uint32_t type, uint32_t gen)
{
	struct walk *walk = self;
	struct child_name *child = vec_push(&walk->children);

	if (!child)
		return -ENOMEM;
	*child = (struct child_name){
		.ino = ino, .type = type, .gen = gen, .at = walk->names.length, .length = length
	};
	text_add_bytes(&walk->names, name, length);
	return walk->names.failed ? -ENOMEM : 0;
}

static int load_planned(struct walk *walk, uint64_t ino, struct node *ret, uint32_t *ret_gen)
{
	WITH_LOCK(&walk->tree->lock);
	int found = rows_node_get(&walk->tree->db, ino, walk->plan->gen, ret, ret_gen);

	return found > 0 ? 0 : found < 0 ? found : -EUCLEAN;
}

static int damaged(struct walk *walk, int err, uint64_t ino)
{
	return reason_set(walk->why, -err, "the staged tree can't be read at node %llu: %s",
			  (unsigned long long)ino, strerror(-err));
}

/* Where the base has what isn't under a name of the base any more. */
static int find_was(struct walk *walk, uint64_t ino, struct burn_name *name)
{
	int ret;

	walk->was.length = 0;
	WITH_LOCK(&walk->tree->lock);
	ret = rows_path(&walk->tree->db, ino, 0, &walk->was);
	if (ret == -ENOENT)
		return 0; /* it's new */
	name->was = walk->was.data;
	name->was_length = walk->was.length <= WAS_LIMIT ? walk->was.length : 0;
	return ret;
}

/* Sends one name of the node; the first comes with all that's in it. */
static int send_name(struct walk *walk, uint64_t ino, struct burn_name *name)
{
	struct node node CLEANUP(node_clear) = { 0 };
	uint8_t bit = (uint8_t)(1u << (ino & 7));
	uint32_t gen = 0;
	int ret = load_planned(walk, ino, &node, &gen);

	if (ret < 0 || ino >= walk->ino_limit)
		return damaged(walk, ret < 0 ? ret : -EUCLEAN, ino);
	name->node_kept = gen == 0;
	name->again = walk->seen[ino >> 3] & bit;
	walk->seen[ino >> 3] |= bit;
	if (!name->again)
		walk->plan->nodes++;
	if (S_ISDIR(node.attr.mode)) {
		uint64_t *dir = vec_push(&walk->dirs);

		if (!dir || name->again)
			return damaged(walk, dir ? -EUCLEAN : -ENOMEM, ino);
		*dir = ino;
	}
	if (!name->name_kept && (name->node_kept || S_ISDIR(node.attr.mode)))
		ret = find_was(walk, ino, name);
	return ret < 0 ? damaged(walk, ret, ino) : burn_node(walk->burn, &node, name, walk->why);
}

static int send_dir(struct walk *walk, uint64_t dir)
{
	int ret;

	walk->children.count = walk->names.length = 0;
	{
		WITH_LOCK(&walk->tree->lock);
		ret = rows_name_list(&walk->tree->db, dir, walk->plan->gen, keep_name, walk);
	}
	if (ret < 0)
		return damaged(walk, ret, dir);
	for (size_t i = 0; ret == 0 && i < walk->children.count; i++) {
		const struct child_name *child = &walk->children.items[i];
		struct burn_name name = { .parent = dir,
					  .name = walk->names.data + child->at,
					  .length = child->length,
					  .name_kept = child->gen == 0 };

		walk->plan->names++;
		ret = send_name(walk, child->ino, &name);
	}
	return ret;
}

static int walk_all(struct walk *walk)
{
	struct burn_name root = { .name = "", .name_kept = true };
	int ret;

	walk->ino_limit = tree_next_ino(walk->tree);
	walk->seen = calloc(walk->ino_limit / 8 + 1, 1);
	if (!walk->seen)
		return reason_set(walk->why, ENOMEM, "out of memory while planning the session");
	ret = send_name(walk, ROOT_INO, &root);
	while (ret == 0 && walk->dirs.count)
		ret = send_dir(walk, walk->dirs.items[--walk->dirs.count]);
	return ret;
}

int plan_send(struct tree *tree, struct plan *plan, struct burn *burn, struct reason *why)
{
	struct walk walk = { .tree = tree, .plan = plan, .burn = burn, .why = why };
	int ret;

	plan->names = plan->nodes = 0;
	ret = walk_all(&walk);
	vec_clear(&walk.dirs);
	vec_clear(&walk.children);
	text_clear(&walk.names);
	text_clear(&walk.was);
	free(walk.seen);
	return ret;
}
