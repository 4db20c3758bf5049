/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH 5

/* Few names, so that they collide often. */
static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "dir", "sub", "file.txt", "A" };
static const char *const odd_names[] = {
	"two words", "new\nline", "\xff\xfe not UTF-8", "Gr\303\266\303\237e", ".hidden", "back\\slash*?",
	"-rf",	     "x;1"
};

void pick_name(struct model *model, char *ret)
{
	uint64_t draw = below(model, 200);

	if (draw < 188) {
		strcpy(ret, names[below(model, sizeof names / sizeof *names)]);
	} else if (draw < 195) {
		strcpy(ret, odd_names[below(model, sizeof odd_names / sizeof *odd_names)]);
	} else {
		/* as long as a name may be; seldom longer */
		size_t length = draw < 199 ? 255 - below(model, 2) : 256;

		memset(ret, 'L', length);
		ret[0] = (char)('0' + below(model, 3));
		ret[length] = '\0';
	}
}

void known_clear(struct model *model)
{
	for (size_t i = 0; i < model->known.count; i++)
		free(model->known.items[i].path);
	model->known.count = 0;
}

void known_add(struct model *model, const char *path, unsigned type)
{
	struct known *known = &model->known;

	if (strlen(path) > PATH_ROOM / 2)
		return;
	if (known->count == known->room) {
		known->room = known->room * 2 + 64;
		known->items = realloc(known->items, known->room * sizeof *known->items);
		if (!known->items)
			abort();
	}
	known->items[known->count++] = (struct known_path){ strdup(path), type };
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void refresh_below(struct model *model, const char *dir)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, NULL, by_name);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char path[2 * PATH_ROOM];
		struct stat st;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			snprintf(path, sizeof path, "%s%s%s", strcmp(dir, ".") ? dir : "",
				 strcmp(dir, ".") ? "/" : "", name);
			if (strlen(path) < PATH_ROOM && lstat(path, &st) == 0) {
				known_add(model, path, st.st_mode & S_IFMT);
				if (S_ISDIR(st.st_mode))
					refresh_below(model, path);
			}
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void known_refresh(struct model *model)
{
	known_clear(model);
	if (fchdir(model->side[1].top) < 0)
		give_up(model, "B is gone");
	refresh_below(model, ".");
}

static unsigned depth_of(const char *path)
{
	unsigned depth = 1;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* A few draws for one of that type, or else any. */
static const struct known_path *draw(struct model *model, unsigned type)
{
	const struct known_path *item = NULL;

	if (model->known.count == 0)
		return NULL;
	for (unsigned i = 0; i < 12; i++) {
		item = &model->known.items[below(model, model->known.count)];
		if (type == 0 || item->type == type)
			break;
	}
	return item;
}

void pick_type(struct model *model, unsigned type, char *ret)
{
	const struct known_path *item = draw(model, type);

	if (item)
		strcpy(ret, item->path);
	else
		pick_name(model, ret);
}

void pick_any(struct model *model, char *ret)
{
	pick_type(model, 0, ret);
}

void pick_file(struct model *model, char *ret)
{
	pick_type(model, S_IFREG, ret);
}

void pick_dir(struct model *model, char *ret)
{
	strcpy(ret, ".");
	if (!one_in(model, 4))
		pick_type(model, S_IFDIR, ret);
	if (depth_of(ret) > DEPTH)
		strcpy(ret, ".");
}

void pick_place(struct model *model, char *ret)
{
	char dir[PATH_ROOM], name[PATH_ROOM];

	pick_dir(model, dir);
	pick_name(model, name);
	if (strcmp(dir, ".") == 0)
		strcpy(ret, name);
	else if (snprintf(ret, PATH_ROOM, "%.1500s/%.300s", dir, name) < 0)
		abort();
}

/* Spelled in another way, or wrong. Nothing leads above the top: no symlink has "." or ".." in it (see
 * ops_name.c), so what is before "/.." is below the top. */
static void bend(struct model *model, char *path)
{
	char bent[PATH_ROOM + 512], name[PATH_ROOM];

	pick_name(model, name);
	switch (below(model, 4)) {
	case 0:
		snprintf(bent, sizeof bent, "%s/", path);
		break;
	case 1:
		snprintf(bent, sizeof bent, "./%s", path);
		break;
	case 2:
		snprintf(bent, sizeof bent, "%s/../%.300s", path, name);
		break;
	default:
		snprintf(bent, sizeof bent, "%s/%.300s", path, name);
	}
	if (strlen(bent) < PATH_ROOM)
		strcpy(path, bent);
}

void pick_path(struct model *model, char *ret)
{
	uint64_t draw = below(model, 100);

	if (draw < 72)
		pick_any(model, ret);
	else
		pick_place(model, ret);
	if (draw >= 96 && strcmp(ret, ".") != 0)
		bend(model, ret);
}

unsigned pick_slot(struct model *model, unsigned type)
{
	unsigned slot = 0;

	for (unsigned i = 0; i < 8; i++) {
		slot = (unsigned)below(model, SLOTS);
		if (model->slot_type[slot] == type)
			break;
	}
	return slot;
}
