/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table from one inode number to another. No number is 0. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ino_pair {
	uint64_t from, to;
};

struct ino_map {
	struct ino_pair *pairs; /* open addressing; from 0: free */
	size_t count, room;	/* room: a power of 2 */
};

void ino_map_clear(struct ino_map *map);
/* 0: it isn't there. */
uint64_t ino_map_get(const struct ino_map *map, uint64_t from);
/* Adds one that isn't there yet. 0 or -ENOMEM. */
int ino_map_add(struct ino_map *map, uint64_t from, uint64_t to);
