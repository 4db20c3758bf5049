/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/remark.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void remark(const char *words, struct commit_result *result)
{
	size_t used = strlen(result->message);

	snprintf(result->message + used, sizeof result->message - used, "; %s", words);
}

void remark_saved(const struct dedupe_saved *saved, struct commit_result *result)
{
	bool one = saved->files == 1;
	char size[16], words[160];

	result->saved_files = saved->files;
	result->saved_sectors = saved->sectors;
	if (!saved->files)
		return;
	snprintf(words, sizeof words,
		 "%" PRIu64 " %s (%s) %s on the disc already or the same as another, and %s no room",
		 saved->files, one ? "file" : "files", text_size(size, saved->sectors * SECTOR),
		 one ? "is" : "are", one ? "takes" : "take");
	remark(words, result);
}

void remark_carried(uint64_t files, struct commit_result *result)
{
	char words[120];

	result->carried_files = files;
	if (!files)
		return;
	snprintf(words, sizeof words,
		 "%" PRIu64 " old files were copied, as ISO 9660 can't refer to where they were", files);
	remark(words, result);
}

void remark_no_udf(const char *why, struct commit_result *result)
{
	char words[sizeof result->message];

	snprintf(result->no_udf, sizeof result->no_udf, "%s", why);
	if (!why[0])
		return;
	snprintf(words, sizeof words, "it gets no UDF: %.400s", why);
	remark(words, result);
}
