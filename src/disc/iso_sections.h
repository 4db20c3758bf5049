/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the files of a session lie, by the directory records that libisofs has just written for it: from
 * there another file system can refer to them. */
#pragma once

#include "disc/plan_index.h"

struct iso_section {
	uint32_t lba;
	uint32_t length; /* bytes; of all but a file's last whole sectors */
};

struct iso_sections {
	VEC(struct iso_section) list; /* those of a file one behind the other */
	uint32_t *first;	      /* by node, in list; those without have none */
	uint32_t *count;
};

/* data: blocks sectors from the medium's sector start on, which hold the session's directories and their
 * continuation areas; root: where the first of them is. Regular files' content is found, whether new or old.
 * 0; -EIO where a name of the plan isn't there, or isn't in the plan, or a file's length isn't the plan's;
 * -ENOMEM. */
int iso_sections_find(const uint8_t *data, uint32_t blocks, uint32_t start, uint32_t root,
		      uint32_t root_length, const struct plan_index *index, struct iso_sections *ret,
		      struct reason *why);
void iso_sections_clear(struct iso_sections *sections);
