/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte order, rounding, sums that can't wrap, and a byte buffer that owns its memory. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR 2048u /* bytes in a logical sector of every medium here (ECMA-119 6.1.2) */

static inline uint32_t get_le16(const void *at)
{
	const uint8_t *b = (const uint8_t *)at;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}

static inline uint32_t get_le32(const void *at)
{
	const uint8_t *b = (const uint8_t *)at;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t get_le64(const void *at)
{
	const uint8_t *b = (const uint8_t *)at;

	return get_le32(b) | (uint64_t)get_le32(b + 4) << 32;
}

static inline void put_le32(void *at, uint32_t value)
{
	uint8_t *b = (uint8_t *)at;

	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(value >> (8 * i));
}

static inline void put_be32(void *at, uint32_t value)
{
	uint8_t *b = (uint8_t *)at;

	for (int i = 0; i < 4; i++)
		b[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* unit: a power of two. */
static inline uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

static inline uint64_t sectors_of(uint64_t bytes)
{
	return bytes / SECTOR + (bytes % SECTOR != 0);
}

/* True when start + length stays within limit without wrapping. */
static inline bool range_within(uint64_t start, uint64_t length, uint64_t limit)
{
	return start <= limit && length <= limit - start;
}

/* As qsort(3) wants it. */
static inline int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Bytes with an owner; data is NULL exactly when length is 0. */
struct blob {
	uint8_t *data;
	size_t length;
};

/* Replaces what it held by a copy. Returns 0 or -ENOMEM (then unchanged). */
int blob_set(struct blob *blob, const void *data, size_t length);
void blob_clear(struct blob *blob);
