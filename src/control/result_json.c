/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/result_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void json_key(struct text *text, const char *key, const char *value)
{
	text_add(text, ",\"%s\":", key);
	text_add_json(text, value, strlen(value));
}

/* Where a session went instead of to the disc. */
static void json_file(const struct commit_result *result, struct text *text)
{
	char head[PATH_LIMIT + sizeof ".head"];

	if (!result->file[0])
		return;
	json_key(text, "file", result->file);
	snprintf(head, sizeof head, "%s.head", result->file);
	if (result->has_head)
		json_key(text, "head_file", head);
	else
		text_add(text, ",\"head_file\":null");
	json_key(text, "burn", result->burn);
}

void result_to_json(const struct commit_result *result, struct text *text)
{
	if (result->serial == 0) {
		text_add(text, "null");
		return;
	}
	text_add(text, "{\"op\":\"%s\",\"serial\":%" PRIu64, result->op, result->serial);
	json_key(text, "id", result->id);
	text_add(text, ",\"errno\":%d,\"exit\":%d", result->err, result->exit_code);
	json_key(text, "message", result->message);
	text_add(text, ",\"verified\":%s", result->verified ? "true" : "false");
	text_add(text,
		 ",\"session\":%" PRIu64 ",\"start\":%" PRIu64 ",\"sectors\":%" PRIu64
		 ",\"saved_files\":%" PRIu64 ",\"saved_sectors\":%" PRIu64 ",\"carried_files\":%" PRIu64
		 ",\"worker_kib\":%" PRIu64 ",\"seconds\":%.3f",
		 result->session, result->start, result->sectors, result->saved_files, result->saved_sectors,
		 result->carried_files, result->worker_kib, result->seconds);
	text_add(text, ",\"anchor_stale\":%s", result->anchor_stale ? "true" : "false");
	if (result->no_udf[0])
		json_key(text, "no_udf", result->no_udf);
	else
		text_add(text, ",\"no_udf\":null");
	json_file(result, text);
	text_add(text, "}");
}
