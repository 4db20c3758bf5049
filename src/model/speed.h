/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Speeds as people say them: 4x, which is another rate on each kind of medium, or kB/s. */
#pragma once

#include <stdint.h>

/* word: "8x", "2.4x", or a number of kB/s (1000 bytes a second, as drives count). medium: a name of medium.h,
 * of an image or a real one. 0; -EINVAL: no speed, or none that any drive has; -EMEDIUMTYPE: a factor where
 * the medium has no single speed. */
int speed_parse(const char *word, const char *medium, uint32_t *ret_kbps);
