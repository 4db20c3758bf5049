/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing array of any type: struct { T *items; size_t count, room; }. */
#pragma once

#include <stddef.h>
#include <stdlib.h>

#define VEC(type)                                                                                            \
	struct {                                                                                             \
		type *items;                                                                                 \
		size_t count;                                                                                \
		size_t room;                                                                                 \
	}

void *vec_grow(void *items, size_t item_size, size_t count, size_t *room);

/* Makes room for one more and returns a pointer to it (uninitialised), or NULL; count grows by one. */
#define vec_push(vec)                                                                                        \
	({                                                                                                   \
		void *grown_ = (vec)->items;                                                                 \
		if ((vec)->count == (vec)->room)                                                             \
			grown_ = vec_grow((vec)->items, sizeof *(vec)->items, (vec)->count, &(vec)->room);   \
		if (grown_)                                                                                  \
			(vec)->items = (__typeof__((vec)->items))grown_;                                     \
		grown_ ? &(vec)->items[(vec)->count++] : NULL;                                               \
	})

#define vec_clear(vec)                                                                                       \
	({                                                                                                   \
		free((vec)->items);                                                                          \
		(vec)->items = NULL;                                                                         \
		(vec)->count = (vec)->room = 0;                                                              \
	})

#define vec_each(vec, item)                                                                                  \
	for (__typeof__((vec)->items) item = (vec)->items;                                                   \
	     (vec)->count && item < (vec)->items + (vec)->count; item++)
