/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/session_advice.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

struct listing {
	const struct verb_session *sessions;
	size_t count;
	uint32_t except;
	uint64_t limit;
};

static bool is_good(const struct listing *list, size_t at)
{
	const struct verb_session *session = &list->sessions[at];

	return at < list->count && !session->broken && session->number != list->except &&
	       (!list->limit || range_within(session->start, session->sectors, list->limit));
}

/* Good ones one behind the other. Returns the last of them. */
static size_t end_of_run(const struct listing *list, size_t at)
{
	while (at + 1 < list->count && is_good(list, at + 1))
		at++;
	return at;
}

static uint32_t add_numbers(const struct listing *list, struct text *text)
{
	uint32_t newest = 0;
	size_t last;

	for (size_t at = 0; at < list->count; at++) {
		if (!is_good(list, at))
			continue;
		last = end_of_run(list, at);
		text_add(text, "%s%" PRIu32, newest ? ", " : "", list->sessions[at].number);
		if (last > at)
			text_add(text, "%s%" PRIu32, last > at + 1 ? ".." : ", ",
				 list->sessions[last].number);
		newest = list->sessions[at = last].number;
	}
	return newest;
}

const char *session_advice(const struct verb_session *sessions, size_t count, uint32_t except, uint64_t limit,
			   char *ret, size_t room)
{
	const struct listing list = { sessions, count, except, limit };
	AUTO_TEXT struct text numbers = { 0 };
	uint32_t newest = add_numbers(&list, &numbers);
	size_t good = 0;

	ret[0] = '\0';
	if (!newest || numbers.failed)
		return ret;
	for (size_t at = 0; at < count; at++)
		good += is_good(&list, at);
	snprintf(ret, room, "session%s %s can be read: mount %s with -o session=%" PRIu32,
		 good == 1 ? "" : "s", numbers.data, good == 1 ? "it" : "the newest of them", newest);
	return ret;
}
