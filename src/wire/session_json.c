/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/session_json.h"

#include <inttypes.h>
#include <string.h>

static void add_formats(struct text *text, uint32_t formats)
{
	const char *comma = "";

	text_add(text, ",\"formats\":[");
	for (uint32_t at = tree_format_best(formats); at != FORMAT_AUTO; at = tree_format_next(formats, at)) {
		text_add(text, "%s\"%s\"", comma, tree_format_word(at));
		comma = ",";
	}
	text_add(text, "]");
}

static void add_session(struct text *text, const struct verb_session *session)
{
	text_add(text,
		 "{\"number\":%" PRIu32 ",\"start\":%" PRIu64 ",\"sectors\":%" PRIu64 ",\"time\":%" PRId64
		 ",\"label\":",
		 session->number, session->start, session->sectors, session->time);
	text_add_json(text, session->label, strlen(session->label));
	add_formats(text, session->formats);
	if (session->copy)
		text_add(text, ",\"copy\":%" PRIu64 ",\"copied\":%" PRIu32, session->copy, session->copied);
	text_add(text, ",\"damaged\":%s}", session->broken ? "true" : "false");
}

void sessions_to_json(const struct verb_session *sessions, size_t count, struct text *text)
{
	text_add(text, "[");
	for (size_t i = 0; i < count; i++) {
		text_add(text, "%s", i ? "," : "");
		add_session(text, &sessions[i]);
	}
	text_add(text, "]");
}
