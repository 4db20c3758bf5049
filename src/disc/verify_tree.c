/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/verify_tree.h"

#include "disc/verify_tags.h"
#include "disc/volume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define FIRST_DESCRIPTOR 16u /* of a session, ECMA-119 6.7.1 */

/* Where the session's own descriptors lead nowhere, their copy may. */
static int open_import(struct checking *checking)
{
	const struct source *source = checking->verify->source;
	int got = iso_import_open_damaged(&checking->import, source, checking->start, &checking->failed);
	struct reason second = { 0 };

	if (got == 0 || !checking->head || (got != -EIO && got != -EMEDIUMTYPE))
		return got;
	iso_import_close(&checking->import);
	return iso_import_open_damaged(&checking->import, source, 0, &second) < 0 ? got : 0;
}

int verify_tree_import(struct checking *checking)
{
	int got = open_import(checking);

	if (got < 0)
		return got == -EIO || got == -EMEDIUMTYPE
			   ? 0
			   : reason_set(checking->why, -got, "%s", checking->failed.text);
	checking->result.imported = true;
	checking->has_sums = own_sums_place(checking->import.image, &checking->sums);
	return 0;
}

static int check_sums(struct checking *checking, const struct verify_tags *tags)
{
	uint32_t start, array;
	char md5[MD5_LENGTH];

	if (!checking->has_sums)
		return 0;
	if (iso_image_get_session_md5(checking->import.image, &start, &array, md5, 0) != ISO_SUCCESS)
		return checking_tell(checking, DAMAGED_SUMS, DAMAGED_DIFFERS, checking->sums.array,
				     "damaged: files can only be read, not compared");
	return tags->expected ? verify_tags_end(tags, &checking->sums, checking->why) : 0;
}

/* Without sums that agree, the directories themselves must show that they're whole: those of all trees. */
static int check_dirs(struct checking *checking)
{
	int got = 0;

	for (int tree = 0; tree < TREES && got == 0; tree++) {
		struct tree_faults *faults = &checking->import.faults[tree];

		vec_each (&faults->items, fault) {
			if (got == 0)
				got = checking_tell(checking, DAMAGED_TREE,
						    fault->unreadable ? DAMAGED_UNREADABLE : DAMAGED_DIFFERS,
						    fault->lba, fault->text);
		}
	}
	return got;
}

/* What importing met, and no sum tells of. */
static int check_import(struct checking *checking)
{
	const struct iso_medium *medium = &checking->import.medium;
	char text[DAMAGE_TEXT];

	if (checking->tree_told)
		return 0;
	if (checking->failed.err && checking->result.imported) /* by their copy in the head */
		return checking_tell(checking, DAMAGED_DESCRIPTORS, DAMAGED_DIFFERS,
				     checking->start + FIRST_DESCRIPTOR, checking->failed.text);
	if (checking->failed.err)
		return checking_tell(checking, DAMAGED_TREE, DAMAGED_DIFFERS, NO_SECTOR,
				     checking->failed.text);
	if (checking->import.refused.err)
		return checking_tell(checking, DAMAGED_TREE, DAMAGED_DIFFERS, NO_SECTOR,
				     checking->import.refused.text);
	if (checking->result.imported && !checking->result.summed) {
		int got = check_dirs(checking);

		if (got < 0 || checking->tree_told)
			return got;
	}
	if (!medium->holes || (checking->has_sums && medium->first_hole >= checking->sums.array))
		return 0;
	snprintf(text, sizeof text, "can't be read at sector %" PRIu64, medium->first_hole);
	return checking_tell(checking, DAMAGED_TREE, DAMAGED_UNREADABLE, medium->first_hole, text);
}

/* A bridge whose descriptors differ from their copies isn't known by them: its sums tell where they count
 * from. */
uint64_t verify_tree_start(const struct checking *checking)
{
	bool bridged = checking->has_sums && checking->sums.start == volume_behind_front(checking->own_start);

	return bridged ? checking->sums.start : checking->start;
}

int verify_tree_check(struct checking *checking)
{
	const uint64_t start = verify_tree_start(checking);
	struct verify_tags tags = { .source = checking->verify->source,
				    .start = start,
				    .expected = checking->has_sums && checking->sums.start == start,
				    .damaged = checking_damaged,
				    .self = checking };
	int got = checking->head ? verify_tags_head(&tags, checking->why) : 0;

	if (got == 0)
		got = verify_tags_session(&tags, checking->why);
	if (got < 0)
		return got;
	checking->result.summed = got > 0;
	got = check_sums(checking, &tags);
	return got < 0 ? got : check_import(checking);
}

/* The descriptors that readers look for, before a bridge's own part, have no sum: they must be there. */
int verify_tree_front(struct checking *checking)
{
	struct reason failed = { 0 };
	struct volume volume;
	uint64_t lba = checking->own_start + 16;
	int got = checking->own_start == verify_tree_start(checking)
		      ? 1
		      : volume_read(checking->verify->source, checking->own_start, &volume, &failed);

	if (got > 0)
		return 0;
	return checking_tell(checking, DAMAGED_DESCRIPTORS,
			     got == -EIO ? DAMAGED_UNREADABLE : DAMAGED_DIFFERS, lba,
			     got == -EIO ? "can't be read" : "not as they were recorded");
}

/* Sessions on overwriteable media form a chain from sector 32 on. */
int verify_tree_chain(struct checking *checking)
{
	struct reason failed = { 0 };
	struct volume volume;
	int got;

	if (!checking->verify->chain || checking->own_start <= HEAD_SECTORS)
		return 0;
	got = volume_read(checking->verify->source, HEAD_SECTORS, &volume, &failed);
	if (got == 0)
		return 0;
	return checking_tell(
	    checking, DAMAGED_DESCRIPTORS, got == -EIO ? DAMAGED_UNREADABLE : DAMAGED_DIFFERS,
	    HEAD_SECTORS + 16,
	    "the session at sector 32 doesn't lead to this one: older sessions can't be found");
}
