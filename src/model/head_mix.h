/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks 0..31 of an overwriteable medium between two contents: what a write that was cut off leaves.
 *
 * Whatever is written there goes out in one piece, but a power cut may end it in the middle: then each sector
 * of the disk under an image file (512 bytes) is the old one or the new one, and a disc's blocks may be
 * unreadable, as many as make one block of its error correction. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum head_mix {
	HEAD_IS_OTHER, /* neither of the two, nor made of both */
	HEAD_IS_OLD,
	HEAD_IS_NEW,
	HEAD_IS_TORN
};

/* now, before, after: HEAD_BYTES each (wire/verbs.h). unreadable: bit N is set where block N can't be read;
 * if that is so of all, it's some other disc. before equal to after counts as HEAD_IS_NEW. */
enum head_mix head_mix_of(const uint8_t *now, uint32_t unreadable, const uint8_t *before,
			  const uint8_t *after);
