/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"
#include "commit/phases.h"
#include "control/control.h"
#include "store/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct failed {
	int64_t time;
	struct text object; /* owned */
};

struct log {
	struct text *text;
	VEC(uint64_t) unverified;  /* starts of sessions */
	VEC(struct failed) failed; /* oldest first */
	size_t told;		   /* of them */
};

static void log_clear(struct log *log)
{
	vec_each (&log->failed, failed)
		text_clear(&failed->object);
	vec_clear(&log->failed);
	vec_clear(&log->unverified);
}

static void add_word(struct text *text, const char *key, const char *value)
{
	text_add(text, ",\"%s\":", key);
	text_add_json(text, value, strlen(value));
}

static int keep_failed(void *self, const struct history *entry)
{
	struct log *log = self;
	struct failed *failed = vec_push(&log->failed);

	if (!failed)
		return -ENOMEM;
	*failed = (struct failed){ .time = entry->time };
	text_add(&failed->object, "{\"number\":null,\"time\":%" PRId64 ",\"start\":%" PRIu64, entry->time,
		 entry->start);
	text_add(&failed->object, ",\"sectors\":%" PRIu64 ",\"errno\":%d", entry->sectors, entry->err);
	add_word(&failed->object, "label", entry->label);
	add_word(&failed->object, "message", entry->message);
	text_add(&failed->object, "}");
	return failed->object.failed ? -ENOMEM : 0;
}

static int keep_unverified(void *self, const struct history *entry)
{
	struct log *log = self;
	uint64_t *start = strstr(entry->message, NOT_VERIFIED) ? vec_push(&log->unverified) : NULL;

	if (start)
		*start = entry->start;
	return 0;
}

static bool is_unverified(struct log *log, uint64_t start)
{
	vec_each (&log->unverified, known)
		if (*known == start)
			return true;
	return false;
}

static void begin_object(struct text *text)
{
	text_add(text, "%s", text->length > 1 ? ",\n" : "");
}

/* Failures up to that time. */
static void add_failed(struct log *log, int64_t until)
{
	while (log->told < log->failed.count && log->failed.items[log->told].time < until) {
		const struct text *object = &log->failed.items[log->told++].object;

		begin_object(log->text);
		text_add_bytes(log->text, object->data, object->length);
	}
}

static void add_change(struct text *text, const struct session_change *change)
{
	const struct changes_count *paths = &change->paths;

	text_add(text, ",\"added\":%" PRIu64 ",\"modified\":%" PRIu64 ",\"deleted\":%" PRIu64, paths->added,
		 paths->modified, paths->deleted);
	text_add(text, ",\"renamed\":%" PRIu64 ",\"bytes\":%" PRIu64, paths->renamed, change->bytes);
}

static int add_session(struct control *control, struct log *log, uint32_t number, bool compute)
{
	struct session_change change;
	struct verb_session session;
	struct reason why = { 0 };
	int known = pasts_find(control->pasts, number, &session);

	if (known == 0)
		known = pasts_change(control->pasts, &session, compute, &change, &why);
	if (known < 0) {
		log_error("what session %" PRIu32 " changed can't be told: %s", number, why.text);
		return known;
	}
	if (session.time)
		add_failed(log, session.time);
	begin_object(log->text);
	text_add(log->text, "{\"number\":%" PRIu32 ",\"start\":%" PRIu64 ",\"sectors\":%" PRIu64, number,
		 session.start, session.sectors);
	text_add(log->text, ",\"time\":%" PRId64, session.time);
	add_word(log->text, "label", session.label);
	if (is_unverified(log, session.start))
		text_add(log->text, ",\"verified\":false");
	if (known)
		add_change(log->text, &change);
	text_add(log->text, "}");
	return 0;
}

static int make_log(struct control *control, struct text *ret, bool compute)
{
	struct log log CLEANUP(log_clear) = { .text = ret };
	uint32_t count = pasts_count(control->pasts);
	int err;

	{
		WITH_LOCK(&control->disc->tree.lock);
		err = history_each(&control->disc->tree.db, true, keep_failed, &log);
		if (err == 0)
			err = history_each(&control->disc->tree.db, false, keep_unverified, &log);
	}
	text_add(ret, "[");
	for (uint32_t number = 1; err == 0 && number <= count; number++)
		err = add_session(control, &log, number, compute);
	add_failed(&log, INT64_MAX);
	text_add(ret, "]\n");
	return err;
}

int control_log(struct control *control, struct text *ret)
{
	return make_log(control, ret, false);
}

int control_log_stat(struct control *control, struct text *ret)
{
	return make_log(control, ret, true);
}
