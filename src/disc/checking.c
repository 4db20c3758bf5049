/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disc/checking.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PROGRESS_MS 200

void checking_clear(struct checking *checking)
{
	vec_clear(&checking->entries);
	vec_clear(&checking->fresh);
	udf_files_clear(&checking->files);
	iso_import_close(&checking->import);
}

int checking_damaged(void *self, struct verb_damaged *damaged)
{
	struct checking *checking = (struct checking *)self;
	struct verify *verify = checking->verify;

	damaged->session = checking->session->number;
	checking->tree_told |= damaged->what == DAMAGED_TREE || damaged->what == DAMAGED_DESCRIPTORS;
	if (damaged->how != DAMAGED_DIFFERS)
		checking->lost = damaged->lba;
	checking->result.damages++;
	return verify->told++ < DAMAGES_LIMIT ? verify->sink->damaged(verify->self, damaged) : 0;
}

int checking_tell(struct checking *checking, uint32_t what, uint32_t how, uint64_t lba, const char *text)
{
	struct verb_damaged damaged = { .what = what, .how = how, .lba = lba };

	snprintf(damaged.text, sizeof damaged.text, "%.*s", (int)sizeof damaged.text - 1, text);
	return checking_damaged(checking, &damaged);
}

static char *path_of(const struct entry *entry)
{
	return entry->file ? strdup(entry->file->path) : iso_tree_get_node_path(entry->node);
}

int checking_tell_file(struct checking *checking, const struct entry *entry, uint32_t how, uint64_t lba)
{
	struct verb_damaged damaged = { .what = DAMAGED_FILE, .how = how, .lba = lba };
	AUTO_FREE char *path = path_of(entry);

	if (!path)
		return reason_set(checking->why, ENOMEM, "out of memory");
	damaged.path = path;
	damaged.path_length = strlen(path);
	if (how == DAMAGED_DIFFERS)
		snprintf(damaged.text, sizeof damaged.text, "its content isn't what was recorded");
	else if (how == DAMAGED_CUT)
		snprintf(damaged.text, sizeof damaged.text, "cut off: the medium ends before sector %" PRIu64,
			 lba);
	else
		snprintf(damaged.text, sizeof damaged.text, "can't be read at sector %" PRIu64, lba);
	return checking_damaged(checking, &damaged);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The first one at once, since the look at a large tree takes a while. */
int checking_progress(void *self, uint64_t sectors)
{
	struct checking *checking = (struct checking *)self;
	AUTO_FREE char *path = NULL;
	uint64_t now = now_ms();

	checking->progress.done += sectors;
	if (checking->told_ms && now - checking->told_ms < PROGRESS_MS)
		return 0;
	checking->told_ms = now;
	path = checking->at ? path_of(checking->at) : NULL;
	checking->progress.file = path ? path : "";
	checking->progress.file_length = path ? strlen(path) : 0;
	return checking->verify->sink->progress(checking->verify->self, &checking->progress);
}
