/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/vec.h"

#include <stdint.h>

void *vec_grow(void *items, size_t item_size, size_t count, size_t *room)
{
	size_t larger = count < 4 ? 8 : count * 2;
	void *grown;

	if (larger > SIZE_MAX / item_size)
		return NULL;
	grown = realloc(items, larger * item_size);
	if (grown)
		*room = larger;
	return grown;
}
