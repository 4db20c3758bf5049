/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libisofs 1.5.4 makes of a symlink's target: SL entries (RRIP 1.12 4.1.3) of at most 255 bytes. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_FIELDS 12u /* SL entries of a target, at most */

/* Lengths of the entries. Returns how many; 0: it can't be recorded, since
 * - it is empty, or longer than TARGET_STAGED_LIMIT, or a part between two slashes is longer than NAME_LIMIT;
 * - a part of more than 248 bytes would have to be split between two entries, and more of the target follows:
 *   libisofs takes all of that for the part's second half;
 * - the entries come to more than a sector. Each part takes two bytes besides its name: it takes hundreds of
 *   slashes side by side. */
size_t target_fields(const void *target, size_t length, uint8_t ret[TARGET_FIELDS]);
bool target_fits(const void *target, size_t length);
/* Does it come back as it was? A slash at the end goes, and of several side by side one stays. */
bool target_is_kept(const void *target, size_t length);
