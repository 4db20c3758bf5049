/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/ino_map.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_AT_FIRST 64u

void ino_map_clear(struct ino_map *map)
{
	free(map->pairs);
	*map = (struct ino_map){ 0 };
}

/* Where it is, or would be. */
static struct ino_pair *place(const struct ino_map *map, uint64_t from)
{
	uint64_t hash = from * 0x9e3779b97f4a7c15ull;
	size_t at = (size_t)(hash >> 20) & (map->room - 1);

	while (map->pairs[at].from && map->pairs[at].from != from)
		at = (at + 1) & (map->room - 1);
	return &map->pairs[at];
}

uint64_t ino_map_get(const struct ino_map *map, uint64_t from)
{
	return map->room ? place(map, from)->to : 0;
}

static int grow(struct ino_map *map)
{
	struct ino_map grown = { .room = map->room ? 2 * map->room : ROOM_AT_FIRST, .count = map->count };

	grown.pairs = calloc(grown.room, sizeof *grown.pairs);
	if (!grown.pairs)
		return -ENOMEM;
	for (size_t i = 0; i < map->room; i++)
		if (map->pairs[i].from)
			*place(&grown, map->pairs[i].from) = map->pairs[i];
	free(map->pairs);
	*map = grown;
	return 0;
}

int ino_map_add(struct ino_map *map, uint64_t from, uint64_t to)
{
	int ret = map->count * 2 >= map->room ? grow(map) : 0;

	if (ret < 0)
		return ret;
	*place(map, from) = (struct ino_pair){ from, to };
	map->count++;
	return 0;
}
