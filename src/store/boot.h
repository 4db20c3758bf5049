/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is staged of the boot images of the next session (table boot): one row for each platform that gets
 * another image, or none; and one that says that nothing of what the disc has is kept.
 *
 * Rows have generations like all that is staged. They name a node, so it may be renamed; and the path at
 * which it was, since many programs replace a file by another of that name. Those of generation 0
 * are what was staged for the sessions on the disc. */
#pragma once

#include "store/tree.h"

#include "base/text.h"
#include "model/boot.h"

enum boot_slot { BOOT_SLOT_ALL, BOOT_SLOT_BIOS, BOOT_SLOT_EFI, BOOT_SLOTS };

struct boot_wish {
	bool set;
	uint64_t ino;	    /* 0: this platform gets none */
	uint32_t load_size; /* 0: boot_default_load */
	bool table;	    /* with a boot information table */
	struct text path;   /* without a leading slash, when it was staged */
};

struct boot_wishes {
	bool none; /* what the disc has isn't kept */
	struct boot_wish slots[BOOT_SLOTS];
};

uint8_t boot_slot_platform(enum boot_slot slot);

/* What is staged in generations up to gen, in an empty ret. Needs the tree's lock. 1 = something, 0 =
 * nothing, or -errno. */
int boot_wishes_load(struct db *db, uint32_t gen, struct boot_wishes *ret);
void boot_wishes_clear(struct boot_wishes *wishes);
/* How many rows of a load those are. */
unsigned boot_wishes_count(const struct boot_wishes *wishes);

/* These change what is staged, and sync it. 0 or -errno. */
int boot_stage(struct tree *tree, enum boot_slot slot, const struct boot_wish *wish);
/* No image of the base is kept, and none that was staged. */
int boot_stage_none(struct tree *tree);
/* The base's images are kept, and nothing is staged: but what is being burned. */
int boot_unstage(struct tree *tree);
/* Within the open transaction, with the tree's lock. */
int boot_discard(struct tree *tree);
int boot_discard_slot(struct tree *tree, enum boot_slot slot);

/* Which file of the base begins at that sector? Of several that share their content the one that was staged.
 * 1, 0 = none, or -errno. Looks at every file. Needs the tree's lock. */
int boot_find_file(struct db *db, uint32_t lba, uint64_t *ret_ino);
