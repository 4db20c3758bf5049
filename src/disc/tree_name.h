/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name in a directory record of ISO 9660, for messages: as Rock Ridge's NM has it in the record itself,
 * else as Joliet or the plain tree do. No I/O. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TREE_NAME_ROOM 256u

/* record: whole and checked. Never empty. */
void tree_name(const uint8_t *record, bool joliet, char ret[TREE_NAME_ROOM]);
