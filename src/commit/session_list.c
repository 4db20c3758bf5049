/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/session_list.h"

#include "store/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CHAINED 32u /* a first session there leaves the head to all: see disc/sessions.c */

void session_list_clear(struct session_list *list)
{
	vec_clear(&list->all);
	*list = (struct session_list){ 0 };
}

static int add(struct session_list *list, const struct verb_session *session)
{
	struct verb_session *kept = vec_push(&list->all);

	if (!kept)
		return -ENOMEM;
	*kept = *session;
	kept->number = (uint32_t)list->all.count;
	return 0;
}

static int add_burned(void *self, const struct history *entry)
{
	struct session_list *list = self;
	struct verb_session session = { .start = entry->start,
					.sectors = entry->sectors,
					.time = entry->time,
					.formats = FORMAT_BIT(FORMAT_ROCK_RIDGE) };
	int ret = 0;

	if (list->all.count == 0 && entry->had_head && entry->start > FIRST_CHAINED)
		ret = add(list, &(struct verb_session){ .sectors = entry->start });
	snprintf(session.label, sizeof session.label, "%.*s", LABEL_LIMIT, entry->label);
	return ret < 0 ? ret : add(list, &session);
}

static int load(struct session_list *list, struct disc *disc)
{
	int ret;

	WITH_LOCK(&disc->tree.lock);
	ret = history_each(&disc->tree.db, false, add_burned, list);
	list->loaded = ret == 0;
	return ret;
}

/* What was known and lies before all that the disc tells of stays. */
static int merge(struct session_list *list, const struct verb_session *told, size_t count)
{
	size_t hidden = 0;
	int ret = 0;

	/* A chain from there has no other before it, whatever the history takes the head for. */
	while (count && told[0].start > FIRST_CHAINED && hidden < list->all.count &&
	       list->all.items[hidden].start < told[0].start)
		hidden++;
	list->all.count = list->hidden = hidden;
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = add(list, &told[i]);
	return ret;
}

static bool is_same(const struct verb_session *a, const struct verb_session *b)
{
	return a->start == b->start && a->sectors == b->sectors && a->time == b->time &&
	       a->formats == b->formats && a->copy == b->copy && strcmp(a->label, b->label) == 0;
}

/* What the history has of a session isn't what the disc tells: no label, and with its padding. */
static bool is_current(const struct session_list *list, const struct probe *probe)
{
	size_t count = probe->sessions.count;

	if (!list->loaded || !count || list->all.count != list->hidden + count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!is_same(&list->all.items[list->hidden + i], &probe->sessions.items[i]))
			return false;
	return true;
}

int session_list_update(struct session_list *list, struct disc *disc)
{
	int ret = list->loaded ? 0 : load(list, disc);

	WITH_LOCK(&disc->lock);
	if (ret < 0 || is_current(list, &disc->probe))
		return ret;
	return merge(list, disc->probe.sessions.items, disc->probe.sessions.count);
}
