/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/selection.h"

#include "store/rows.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

void selection_clear(struct selection *selection)
{
	staged_names_clear(&selection->names);
	vec_clear(&selection->lost);
	vec_clear(&selection->gained);
	vec_clear(&selection->children);
	vec_clear(&selection->work);
}

static int by_ino(const void *a, const void *b)
{
	const struct ino_name *left = a, *right = b;

	return (left->ino > right->ino) - (left->ino < right->ino);
}

/* Index of the first entry of an inode, or count. */
static size_t first_of(const ino_names *names, uint64_t ino)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->items[middle].ino < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return low < names->count && names->items[low].ino == ino ? low : names->count;
}

#define each_of(names, wanted, at)                                                                           \
	for (size_t at = first_of(names, wanted); at < (names)->count && (names)->items[at].ino == (wanted); \
	     at++)

static int add_ino(ino_names *names, uint64_t ino, size_t name)
{
	struct ino_name *entry = vec_push(names);

	if (!entry)
		return -ENOMEM;
	*entry = (struct ino_name){ .ino = ino, .name = name };
	return 0;
}

static int index_names(struct selection *selection)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < selection->names.list.count; i++) {
		const struct staged_name *name = &selection->names.list.items[i];

		if (name->base == name->now)
			continue;
		ret = add_ino(&selection->children, name->parent, i); /* sorted as the list is */
		if (ret == 0 && name->base)
			ret = add_ino(&selection->lost, name->base, i);
		if (ret == 0 && name->now)
			ret = add_ino(&selection->gained, name->now, i);
	}
	if (selection->lost.count)
		qsort(selection->lost.items, selection->lost.count, sizeof *selection->lost.items, by_ino);
	if (selection->gained.count)
		qsort(selection->gained.items, selection->gained.count, sizeof *selection->gained.items,
		      by_ino);
	return ret;
}

/* Follows a path down to an inode as seen up to gen. 1 = found, 0 = nothing there, or -errno. */
static int resolve(struct db *db, const char *path, size_t length, uint32_t gen, uint64_t *ret)
{
	const char *end = path + length;
	int found = 1;

	*ret = ROOT_INO;
	while (found > 0 && path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t size = (size_t)((slash ? slash : end) - path);

		if (size > 0)
			found = rows_name_get(db, *ret, path, size, gen, ret, NULL);
		path += size + (slash != NULL);
	}
	if (found <= 0)
		*ret = 0;
	return found;
}

/* Where the path leads, now and in the base; a directory may have moved since, so four places come into
 * question. */
static int find_roots(struct selection *selection, const char *path, size_t length)
{
	struct db *db = &selection->tree->db;
	const char *slash = memrchr(path, '/', length);
	size_t dir_length = slash ? (size_t)(slash - path) : 0;
	bool found = false;
	int ret = 0;

	selection->last = slash ? slash + 1 : path;
	selection->last_length = length - (size_t)(selection->last - path);
	for (int i = 0; ret >= 0 && i < 2; i++) {
		uint64_t now = 0;

		ret = resolve(db, path, dir_length, i ? 0 : GEN_NEWEST, &selection->dirs[i]);
		if (ret > 0)
			ret = rows_name_get(db, selection->dirs[i], selection->last, selection->last_length,
					    0, &selection->base_roots[i], NULL);
		if (ret >= 0)
			ret = rows_name_get(db, selection->dirs[i], selection->last, selection->last_length,
					    GEN_NEWEST, &now, NULL);
		if (i == 0)
			selection->now_root = now;
		found |= selection->base_roots[i] || now;
	}
	return ret < 0 ? ret : found ? 0 : -ENOENT;
}

/* Is a directory one of the roots, or below one, as seen up to gen? What is gone was where it was last. */
static int lies_below(struct selection *selection, uint64_t ino, uint32_t gen, uint64_t root, uint64_t other)
{
	struct db *db = &selection->tree->db;
	bool gone;

	for (unsigned depth = 0; depth < TREE_LOOP_DEPTH; depth++) {
		int found;

		if (ino == root || ino == other)
			return 1;
		if (ino == ROOT_INO)
			return 0;
		found = rows_node_parent(db, ino, gen, &ino, &gone);
		if (found <= 0)
			return found;
	}
	return -EUCLEAN;
}

static int has_dir(struct selection *selection, uint64_t ino)
{
	int ret;

	if (selection->asked == ino)
		return selection->answer;
	ret = lies_below(selection, ino, GEN_NEWEST, selection->now_root, selection->now_root);
	if (ret == 0)
		ret = lies_below(selection, ino, 0, selection->base_roots[0], selection->base_roots[1]);
	if (ret < 0)
		return ret;
	selection->asked = ino;
	selection->answer = ret;
	return ret;
}

static int has_name(void *self, uint64_t parent, const char *name, size_t length)
{
	struct selection *selection = self;

	if ((parent == selection->dirs[0] || parent == selection->dirs[1]) &&
	    length == selection->last_length && memcmp(name, selection->last, length) == 0)
		return 1;
	return has_dir(selection, parent);
}

int selection_has_node(struct selection *selection, const struct node_attr *attr)
{
	int ret;

	if (selection->all)
		return 1;
	if (S_ISDIR(attr->mode))
		return has_dir(selection, attr->ino);
	ret = rows_base_names(&selection->tree->db, attr->ino, has_name, selection);
	each_of(&selection->gained, attr->ino, at)
	{
		const struct staged_name *name =
		    &selection->names.list.items[selection->gained.items[at].name];

		if (ret == 0)
			ret = has_name(selection, name->parent, staged_name_bytes(&selection->names, name),
				       name->length);
	}
	return ret;
}

bool selection_keeps_below(const struct selection *selection, uint64_t dir)
{
	each_of(&selection->children, dir, at)
	{
		if (!selection->names.list.items[selection->children.items[at].name].selected)
			return true;
	}
	return false;
}

static int select_name(struct selection *selection, size_t index)
{
	struct staged_name *name = &selection->names.list.items[index];
	size_t *work;

	if (name->selected)
		return 0;
	work = vec_push(&selection->work);
	if (!work)
		return -ENOMEM;
	*work = index;
	name->selected = true;
	return 0;
}

static int select_all_of(struct selection *selection, const ino_names *names, uint64_t ino)
{
	int ret = 0;

	each_of(names, ino, at)
	{
		if (ret == 0)
			ret = select_name(selection, names->items[at].name);
	}
	return ret;
}

/* An inode that was moved goes back altogether. */
static int select_move(struct selection *selection, uint64_t ino)
{
	int ret;

	if (first_of(&selection->lost, ino) == selection->lost.count ||
	    first_of(&selection->gained, ino) == selection->gained.count)
		return 0;
	ret = select_all_of(selection, &selection->lost, ino);
	return ret < 0 ? ret : select_all_of(selection, &selection->gained, ino);
}

static int follow_name(struct selection *selection, size_t index)
{
	struct staged_name name = selection->names.list.items[index];
	int ret;

	if (name.base == name.now)
		return 0;
	ret = select_move(selection, name.base);
	if (ret == 0)
		ret = select_move(selection, name.now);
	if (ret < 0 || !name.now || name.now_type != DT_DIR)
		return ret;
	ret = rows_node_below(&selection->tree->db, name.now, 1);
	return ret ? (ret < 0 ? ret : 0) : select_all_of(selection, &selection->children, name.now);
}

static int follow_work(struct selection *selection)
{
	int ret = 0;

	while (ret == 0 && selection->work.count)
		ret = follow_name(selection, selection->work.items[--selection->work.count]);
	return ret;
}

/* The parent of a directory once the selected names are gone. 1 = found, or -errno. */
static int parent_after(struct selection *selection, uint64_t ino, uint64_t *ret, bool *ret_gone)
{
	int found;

	each_of(&selection->lost, ino, at)
	{
		const struct staged_name *name = &selection->names.list.items[selection->lost.items[at].name];

		if (name->selected) {
			*ret = name->parent;
			*ret_gone = false;
			return 1;
		}
	}
	found = rows_node_parent(&selection->tree->db, ino, GEN_NEWEST, ret, ret_gone);
	return found ? found : -EUCLEAN;
}

/* Climbs from a directory to the root; what is gone on the way comes back, and so does what was moved into a
 * loop. */
static int make_reachable(struct selection *selection, uint64_t ino)
{
	for (unsigned depth = 0; ino != ROOT_INO; depth++) {
		bool gone = false;
		uint64_t parent = 0;
		int ret = parent_after(selection, ino, &parent, &gone);

		if (ret > 0 && depth > 3 * TREE_LOOP_DEPTH)
			ret = -EUCLEAN;
		if (ret > 0 && (gone || depth > TREE_LOOP_DEPTH)) {
			size_t before = selection->work.count;

			ret = select_all_of(selection, &selection->lost, ino);
			if (ret == 0 && selection->work.count > before) {
				depth = 0;
				continue; /* look again */
			}
			if (ret == 0 && gone)
				ret = -EUCLEAN;
		}
		if (ret < 0)
			return ret;
		ino = parent;
	}
	return 0;
}

/* Each directory that gets a name back. */
static int make_all_reachable(struct selection *selection)
{
	uint64_t last = 0;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < selection->names.list.count; i++) {
		const struct staged_name *name = &selection->names.list.items[i];

		if (!name->selected || !name->base || name->parent == last)
			continue;
		last = name->parent;
		ret = make_reachable(selection, last);
	}
	return ret;
}

static int select_path(struct selection *selection)
{
	int ret = 0;

	for (size_t i = 0; ret >= 0 && i < selection->names.list.count; i++) {
		const struct staged_name *name = &selection->names.list.items[i];

		ret = has_name(selection, name->parent, staged_name_bytes(&selection->names, name),
			       name->length);
		if (ret > 0)
			ret = select_name(selection, i);
	}
	while (ret >= 0 && selection->work.count) {
		ret = follow_work(selection);
		if (ret == 0)
			ret = make_all_reachable(selection);
	}
	return ret < 0 ? ret : 0;
}

int selection_make(struct selection *selection, struct tree *tree, const char *path)
{
	size_t length;
	int ret;

	*selection = (struct selection){ .tree = tree };
	path += strspn(path, "/");
	length = strlen(path);
	while (length && path[length - 1] == '/')
		length--;
	selection->all = length == 0;
	ret = staged_names_collect(tree, GEN_NEWEST, &selection->names);
	if (ret == 0)
		ret = index_names(selection);
	if (ret == 0 && !selection->all)
		ret = find_roots(selection, path, length);
	if (ret < 0)
		return ret;
	if (!selection->all)
		return select_path(selection);
	vec_each (&selection->names.list, name)
		name->selected = true;
	return 0;
}
