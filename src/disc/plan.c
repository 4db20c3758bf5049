/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/plan.h"

#include "model/target.h"
#include "model/xattr_set.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PLAN_CAP UINT32_C(0x0fffffff)

void plan_clear(struct plan *plan)
{
	vec_each (&plan->nodes, at)
		node_clear(&at->node);
	vec_each (&plan->names, at) {
		free(at->name);
		free(at->was);
	}
	vec_clear(&plan->nodes);
	vec_clear(&plan->names);
	vec_clear(&plan->boots);
	free(plan->by_ino.slots);
	plan->by_ino.slots = NULL;
	plan->by_ino.room = 0;
}

static size_t slot_of(const struct plan *plan, uint64_t ino)
{
	size_t mask = plan->by_ino.room - 1;
	size_t slot = (size_t)(ino * 0x9e3779b97f4a7c15ull >> 20) & mask;

	while (plan->by_ino.slots[slot] &&
	       plan->nodes.items[plan->by_ino.slots[slot] - 1].node.attr.ino != ino)
		slot = (slot + 1) & mask;
	return slot;
}

static struct plan_node *find_ino(const struct plan *plan, uint64_t ino)
{
	uint32_t found = plan->by_ino.room ? plan->by_ino.slots[slot_of(plan, ino)] : 0;

	return found ? &plan->nodes.items[found - 1] : NULL;
}

static int grow_table(struct plan *plan)
{
	size_t room = plan->by_ino.room ? plan->by_ino.room * 2 : 1024;
	uint32_t *slots = calloc(room, sizeof *slots);

	if (!slots)
		return -ENOMEM;
	free(plan->by_ino.slots);
	plan->by_ino.slots = slots;
	plan->by_ino.room = room;
	for (size_t i = 0; i < plan->nodes.count; i++)
		slots[slot_of(plan, plan->nodes.items[i].node.attr.ino)] = (uint32_t)i + 1;
	return 0;
}

static struct plan_node *push_node(struct plan *plan, const struct verb_node *from, struct reason *why)
{
	struct plan_node *at;

	if (plan->nodes.count >= PLAN_CAP ||
	    (2 * (plan->nodes.count + 1) > plan->by_ino.room && grow_table(plan) < 0)) {
		reason_set(why, ENOMEM, "out of memory: the plan is too large");
		return NULL;
	}
	at = vec_push(&plan->nodes);
	if (!at) {
		reason_set(why, ENOMEM, "out of memory");
		return NULL;
	}
	*at = (struct plan_node){ .node.attr = from->attr, .first_name = NO_NAME, .kept = from->node_kept };
	plan->by_ino.slots[slot_of(plan, from->attr.ino)] = (uint32_t)plan->nodes.count;
	if (blob_set(&at->node.target, from->target, from->target_length) < 0 ||
	    blob_set(&at->node.zf, from->zf, from->zf_length) < 0 ||
	    blob_set(&at->node.md5, from->md5, from->md5 ? MD5_LENGTH : 0) < 0) {
		reason_set(why, ENOMEM, "out of memory");
		return NULL;
	}
	return at;
}

static bool name_is_legal(const struct verb_node *from)
{
	const char *name = from->name;
	size_t length = from->name_length;

	if (length == 0 || length > NAME_LIMIT || memchr(name, '/', length) || memchr(name, '\0', length))
		return false;
	return !(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')));
}

static int push_name(struct plan *plan, const struct verb_node *from, struct plan_node *node,
		     struct reason *why)
{
	struct plan_node *parent = find_ino(plan, from->parent);
	struct plan_name *at;

	if (!parent || !S_ISDIR(parent->node.attr.mode) || parent == node)
		return reason_set(why, EINVAL, "the plan names inode %" PRIu64 " before its directory",
				  from->attr.ino);
	if (!name_is_legal(from))
		return reason_set(why, EINVAL, "the plan has a name that isn't one for inode %" PRIu64,
				  from->attr.ino);
	at = vec_push(&plan->names);
	if (!at)
		return reason_set(why, ENOMEM, "out of memory");
	*at = (struct plan_name){ .node = (uint32_t)(node - plan->nodes.items),
				  .parent = (uint32_t)(parent - plan->nodes.items),
				  .name = strndup(from->name, from->name_length),
				  .was = from->was_length ? strndup(from->was, from->was_length) : NULL,
				  .kept = from->name_kept };
	if (!at->name || (from->was_length && !at->was))
		return reason_set(why, ENOMEM, "out of memory");
	if (node->names++ == 0)
		node->first_name = (uint32_t)plan->names.count - 1;
	return 0;
}

int plan_add_node(struct plan *plan, const struct verb_node *from, struct reason *why)
{
	struct plan_node *node = find_ino(plan, from->attr.ino);
	bool is_root = plan->nodes.count == 0;

	if (is_root ? !S_ISDIR(from->attr.mode) || from->name_length || from->again : !from->again != !node)
		return reason_set(why, EINVAL, "the plan is out of order at inode %" PRIu64, from->attr.ino);
	if (from->again && S_ISDIR(node->node.attr.mode))
		return reason_set(why, EINVAL, "the plan gives directory %" PRIu64 " two names",
				  from->attr.ino);
	if (!from->again)
		node = push_node(plan, from, why);
	if (!node)
		return -why->err;
	return is_root ? 0 : push_name(plan, from, node, why);
}

static struct node *newest(const struct plan *plan, struct reason *why)
{
	if (plan->nodes.count)
		return &plan->nodes.items[plan->nodes.count - 1].node;
	reason_set(why, EINVAL, "the plan doesn't begin with its root");
	return NULL;
}

int plan_add_boot(struct plan *plan, const struct verb_boot *from, struct reason *why)
{
	struct plan_node *node = from->ino ? find_ino(plan, from->ino) : NULL;
	struct plan_boot *boot;

	if (from->ino ? !node || !S_ISREG(node->node.attr.mode) || node->node.attr.size == 0 : from->table)
		return reason_set(why, EINVAL, "the plan has no such boot image: inode %" PRIu64, from->ino);
	boot = plan->boots.count < BOOT_IMAGES_MOST ? vec_push(&plan->boots) : NULL;
	if (!boot)
		return reason_set(why, ENOMEM, "out of memory: too many boot images");
	*boot = (struct plan_boot){ .entry = from->entry, .node = NO_NAME };
	if (!node)
		return 0;
	boot->node = (uint32_t)(node - plan->nodes.items);
	node->tabled |= from->table;
	node->kept = node->kept && !from->table;
	return 0;
}

int plan_add_xattr(struct plan *plan, const struct verb_xattr *from, struct reason *why)
{
	struct node *node = newest(plan, why);
	char name[NAME_LIMIT + 1];
	int got;

	if (!node)
		return -EINVAL;
	if (from->name_length == 0 || from->name_length > NAME_LIMIT ||
	    memchr(from->name, '\0', from->name_length))
		return reason_set(why, EINVAL, "the plan has an attribute without a name");
	memcpy(name, from->name, from->name_length);
	name[from->name_length] = '\0';
	got = xattr_set_put(&node->xattrs, name, from->value, from->value_length);
	return got < 0 ? reason_set(why, -got, "attribute %s: %s", name, strerror(-got)) : 0;
}

int plan_add_extent(struct plan *plan, const struct extent *extent, struct reason *why)
{
	struct node *node = newest(plan, why);

	if (!node)
		return -EINVAL;
	if (!S_ISREG(node->attr.mode) || extent->length == 0 ||
	    !range_within(extent->offset, extent->length, node->attr.size))
		return reason_set(why, EINVAL, "the plan has an extent outside of inode %" PRIu64,
				  node->attr.ino);
	return extent_map_set(&node->map, extent) < 0 ? reason_set(why, ENOMEM, "out of memory") : 0;
}

/* Names on the way down to a node, counted as far as one more than is allowed. */
static unsigned depth_of(const struct plan *plan, uint32_t node)
{
	unsigned depth = 0;

	for (; plan->nodes.items[node].first_name != NO_NAME && depth <= TREE_DEPTH_LIMIT; depth++)
		node = plan->names.items[plan->nodes.items[node].first_name].parent;
	return depth;
}

int plan_check(const struct plan *plan, struct reason *why)
{
	char path[300];

	if (plan->nodes.count == 0)
		return reason_set(why, EINVAL, "the plan is empty");
	for (uint32_t i = 0; i < plan->nodes.count; i++) {
		const struct node *node = &plan->nodes.items[i].node;

		if (S_ISLNK(node->attr.mode) && !target_fits(node->target.data, node->target.length))
			return reason_set(why, ENAMETOOLONG,
					  "%s: the symlink's target can't be recorded: it can have %u bytes, "
					  "and %u (rarely "
					  "less: %u) between slashes",
					  plan_path(plan, i, path, sizeof path), TARGET_STAGED_LIMIT,
					  NAME_LIMIT, 248u);
		if (S_ISDIR(node->attr.mode) && depth_of(plan, i) >= TREE_DEPTH_LIMIT)
			return reason_set(why, ENAMETOOLONG,
					  "…/%s: directories can be nested %u deep on a disc",
					  plan_path(plan, i, path, sizeof path), TREE_DEPTH_LIMIT - 1);
		if (node->xattrs.length > XATTR_SET_LIMIT)
			return reason_set(
			    why, E2BIG, "%s: its extended attributes have %zu bytes, a disc can hold %u",
			    plan_path(plan, i, path, sizeof path), node->xattrs.length, XATTR_SET_LIMIT);
	}
	return 0;
}

const char *plan_path(const struct plan *plan, uint32_t node, char *ret, size_t room)
{
	uint32_t steps[TREE_DEPTH_LIMIT];
	size_t depth = 0, used = 0;

	while (plan->nodes.items[node].first_name != NO_NAME && depth < sizeof steps / sizeof steps[0]) {
		steps[depth] = plan->nodes.items[node].first_name;
		node = plan->names.items[steps[depth++]].parent;
	}
	ret[0] = '\0';
	while (depth > 0 && used < room) {
		int put = snprintf(ret + used, room - used, "%s%s", used ? "/" : "",
				   plan->names.items[steps[--depth]].name);

		used += put > 0 ? (size_t)put : room;
	}
	return ret;
}
