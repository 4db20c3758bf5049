/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/target.h"

#include "model/node.h"

#include <string.h>

#define ENTRY_HEAD  5u
#define ENTRY_MOST  255u
#define PART_HEAD   2u
#define PART_WHOLE  250u  /* a longer part is split, its head counted */
#define FIRST_HALF  248u  /* bytes of a part that takes an entry of its own */
#define ENTRIES_ALL 1700u /* so that they and a name's end fit into a sector: see tree_mend.h */

struct entries {
	uint8_t *list;
	size_t count, used; /* used: of the entry that is being filled */
	size_t total;
};

static bool end_entry(struct entries *entries, size_t bytes)
{
	if (entries->count == TARGET_FIELDS || entries->total + bytes > ENTRIES_ALL)
		return false;
	entries->list[entries->count++] = (uint8_t)bytes;
	entries->total += bytes;
	return true;
}

/* bytes: of the part with its head. */
static bool add_part(struct entries *entries, size_t bytes, bool more)
{
	size_t room = ENTRY_MOST - entries->used, before = entries->used;

	if (bytes <= room) {
		entries->used += bytes;
		return true;
	}
	if (bytes <= PART_WHOLE) {
		entries->used = ENTRY_HEAD + bytes;
		return end_entry(entries, before);
	}
	if (bytes - PART_WHOLE + PART_HEAD <= room) {
		entries->used = ENTRY_HEAD + bytes - (room - PART_HEAD);
		return end_entry(entries, ENTRY_MOST);
	}
	entries->used = ENTRY_HEAD + bytes - FIRST_HALF;
	return !more && end_entry(entries, before) && end_entry(entries, ENTRY_MOST);
}

size_t target_fields(const void *target, size_t length, uint8_t ret[TARGET_FIELDS])
{
	struct entries entries = { .list = ret, .used = ENTRY_HEAD };
	const char *text = target;

	if (length == 0 || length > TARGET_STAGED_LIMIT || memchr(text, '\0', length))
		return 0;
	for (size_t at = 0; at <= length;) {
		const char *slash = at < length ? memchr(text + at, '/', length - at) : NULL;
		size_t part = slash ? (size_t)(slash - text) - at : length - at;
		bool dots = (part == 1 || part == 2) && memcmp(text + at, "..", part) == 0;

		if (part > NAME_LIMIT || !add_part(&entries, (dots ? 0 : part) + PART_HEAD, slash))
			return 0;
		at += part + 1;
		if (!slash || at == length) /* a slash at the end counts for nothing */
			break;
	}
	return end_entry(&entries, entries.used) ? entries.count : 0;
}

bool target_fits(const void *target, size_t length)
{
	uint8_t fields[TARGET_FIELDS];

	return target_fields(target, length, fields) > 0;
}

bool target_is_kept(const void *target, size_t length)
{
	const char *text = target;

	for (size_t at = 1; at < length; at++)
		if (text[at] == '/' && (at + 1 == length || text[at - 1] == '/'))
			return false;
	return true;
}
