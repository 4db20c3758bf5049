/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/held.h"

#include "base/text.h"
#include "base/vec.h"
#include "model/litter.h"
#include "store/rows.h"

#include <errno.h>

/* Of a directory. */
enum { LITTER = 1, BACK = 2, KNOWN = 4 };

/* A directory on the way up, under its name. */
struct step {
	uint64_t ino, parent;
	size_t at, length;
};

struct way {
	VEC(struct step) steps;
	struct text names;
};

static void way_clear(struct way *way)
{
	vec_clear(&way->steps);
	text_clear(&way->names);
}

void held_clear(struct held *held)
{
	ino_map_clear(&held->dirs);
}

static int take_step(void *self, uint64_t parent, const char *name, size_t length)
{
	struct way *way = self;
	struct step *step = vec_push(&way->steps);

	if (!step)
		return -ENOMEM;
	*step = (struct step){ .parent = parent, .at = way->names.length, .length = length };
	text_add_bytes(&way->names, name, length);
	return way->names.failed ? -ENOMEM : 1;
}

/* 1, 0 or -errno. */
static int matches(struct held *held, uint64_t parent, const char *name, size_t length)
{
	const struct litter *litter = held->tree->litter;
	struct text path AUTO_TEXT = { 0 };
	int ret;

	if (litter_has_name(litter, name, length))
		return 1;
	if (!litter->paths)
		return 0;
	ret = rows_path_of_name(&held->tree->db, parent, name, length, GEN_NEWEST, &path);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret; /* its directory went */
	return litter_has_path(litter, path.data, path.length);
}

/* What holds for a directory, by what holds for the one that it's in. */
static int bits_of(struct held *held, const struct way *way, const struct step *step, int above)
{
	const char *name = way->names.data + step->at;
	uint64_t base = 0;
	int found = above & LITTER ? 1 : matches(held, step->parent, name, step->length);
	int ret = found < 0 ? found : (above & BACK) | (found ? LITTER : 0);

	if (ret <= 0 || ret & BACK)
		return ret;
	found = rows_name_get(&held->tree->db, step->parent, name, step->length, 0, &base, NULL);
	return found < 0 ? found : ret | (found ? 0 : BACK);
}

static int dir_bits(struct held *held, uint64_t dir)
{
	struct way way CLEANUP(way_clear) = { 0 };
	int bits = 0, ret = 1;

	while (dir != ROOT_INO && !(bits = (int)ino_map_get(&held->dirs, dir))) {
		ret = rows_names_of(&held->tree->db, dir, GEN_NEWEST, take_step, &way);
		if (ret <= 0)
			break; /* an error, or the directory went */
		way.steps.items[way.steps.count - 1].ino = dir;
		dir = way.steps.items[way.steps.count - 1].parent;
	}
	if (ret < 0)
		return ret;
	bits &= ~KNOWN;
	for (size_t i = way.steps.count; bits >= 0 && i-- > 0;) {
		const struct step *step = &way.steps.items[i];

		bits = bits_of(held, &way, step, bits);
		if (bits >= 0 && ino_map_add(&held->dirs, step->ino, (uint64_t)(bits | KNOWN)) < 0)
			bits = -ENOMEM;
	}
	return bits;
}

int held_name(struct held *held, uint64_t parent, const char *name, size_t length, uint64_t base)
{
	const struct litter *litter = held->tree->litter;
	int bits = litter && litter->patterns.count ? dir_bits(held, parent) : -ENOENT;

	if (bits == -ENOENT)
		return 0;
	if (bits < 0 || bits & BACK || base)
		return bits < 0 ? bits : (bits & BACK) != 0;
	return bits & LITTER ? 1 : matches(held, parent, name, length);
}
