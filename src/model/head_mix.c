/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/head_mix.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <string.h>

#define BLOCKS 32u
#define PIECE  512u /* what any disk writes whole or not at all */

enum head_mix head_mix_of(const uint8_t *now, uint32_t unreadable, const uint8_t *before,
			  const uint8_t *after)
{
	bool old = unreadable == 0, new = unreadable == 0;

	if (unreadable == UINT32_MAX)
		return HEAD_IS_OTHER;
	for (size_t at = 0; at < (size_t)BLOCKS * SECTOR; at += PIECE) {
		bool is_old, is_new;

		if (unreadable >> at / SECTOR & 1)
			continue;
		is_old = memcmp(now + at, before + at, PIECE) == 0;
		is_new = memcmp(now + at, after + at, PIECE) == 0;
		if (!is_old && !is_new)
			return HEAD_IS_OTHER;
		old &= is_old;
		new &= is_new;
	}
	return new ? HEAD_IS_NEW : old ? HEAD_IS_OLD : HEAD_IS_TORN;
}
