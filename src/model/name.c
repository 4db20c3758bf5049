/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ISO_FILE_CHARS	30u  /* name and extension without the dot */
#define JOLIET_CHARS	103u /* the same, and a directory's */
#define EXTENSION_LEAST 3u   /* a long one isn't cut below that */
#define DIGITS_MOST	7u
#define LANGUAGE_TAGS	0xe0000u

/* ---- characters ---- */

/* The character that begins there, as glibc's iconv decodes UTF-8: it knows five and six bytes still. Returns
 * its bytes, 0: none does, and -1 when the bytes end within it. */
static int decode(const unsigned char *at, size_t left, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000 };
	unsigned count = at[0] < 0x80	? 1
			 : at[0] < 0xc2 ? 0
			 : at[0] < 0xe0 ? 2
			 : at[0] < 0xf0 ? 3
			 : at[0] < 0xf8 ? 4
			 : at[0] < 0xfc ? 5
			 : at[0] < 0xfe ? 6
					: 0;

	*ret = count == 1 ? at[0] : at[0] & (0x7fu >> count);
	for (unsigned i = 1; i < count; i++) {
		if (i >= left)
			return -1;
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*ret = *ret << 6 | (at[i] & 0x3fu);
	}
	if (count == 0 || *ret < least[count] || (*ret & 0xfffff800) == 0xd800)
		return 0;
	return (int)count;
}

static uint16_t iso_char(uint32_t character)
{
	if (character >= 'a' && character <= 'z')
		return (uint16_t)(character - 'a' + 'A');
	if ((character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z'))
		return (uint16_t)character;
	return '_';
}

static uint16_t joliet_unit(uint32_t unit)
{
	return unit < ' ' || (unit < 0x80 && strchr("*/:;?\\", (int)unit)) ? '_' : (uint16_t)unit;
}

/* ---- whole names ---- */

/* A name in units, and where its last dot is; a dot at the very end begins no extension. */
struct raw {
	uint16_t units[255];
	size_t length;
	size_t stem, extension;
};

static void find_extension(struct raw *raw)
{
	size_t dot = raw->length;

	raw->stem = raw->length;
	raw->extension = 0;
	while (dot > 0 && raw->units[dot - 1] != '.')
		dot--;
	if (dot == 0 || dot == raw->length)
		return;
	raw->stem = dot - 1;
	raw->extension = raw->length - dot;
}

/* Stem, dot and extension, cut to so many characters without the dot: first the extension down to three, then
 * the stem. dot: there's one in any case. */
static size_t put_file(const struct raw *raw, size_t most, uint16_t (*map)(uint32_t), bool dot, uint16_t *ret)
{
	bool cut = raw->length > most + (raw->extension > 0);
	size_t stem = raw->stem, extension = raw->extension, used = 0;

	if (raw->extension && cut && extension > EXTENSION_LEAST)
		extension = stem < most - EXTENSION_LEAST ? most - stem : EXTENSION_LEAST;
	if (cut)
		stem = most - extension;
	for (size_t i = 0; i < stem; i++)
		ret[used++] = map(raw->units[i]);
	if (dot || extension)
		ret[used++] = '.';
	for (size_t i = 0; i < extension; i++)
		ret[used++] = map(raw->units[raw->stem + 1 + i]);
	return used;
}

static size_t put_dir(const struct raw *raw, size_t most, uint16_t (*map)(uint32_t), uint16_t *ret)
{
	size_t length = raw->length < most ? raw->length : most;

	for (size_t i = 0; i < length; i++)
		ret[i] = map(raw->units[i]);
	return length;
}

size_t name_to_iso(const char *name, size_t length, bool is_dir, uint16_t *ret)
{
	const unsigned char *at = (const unsigned char *)name;
	struct raw raw = { .length = 0 };

	for (size_t i = 0; i < length;) {
		uint32_t character;
		int bytes = decode(at + i, length - i, &character);

		i += bytes > 0 ? (size_t)bytes : 1;
		if (bytes > 0 && character >> 7 == LANGUAGE_TAGS >> 7)
			continue; /* glibc leaves them out */
		raw.units[raw.length++] = bytes > 0 && character < 0x80 ? (uint16_t)character : '_';
	}
	if (is_dir)
		return put_dir(&raw, NAME_ISO_MOST, iso_char, ret);
	find_extension(&raw);
	return put_file(&raw, ISO_FILE_CHARS, iso_char, true, ret);
}

static void add_utf16(struct raw *raw, uint32_t character)
{
	if (character >= 0x10000) {
		raw->units[raw->length++] = (uint16_t)(0xd800 + ((character - 0x10000) >> 10));
		character = 0xdc00 + ((character - 0x10000) & 0x3ff);
	}
	raw->units[raw->length++] = (uint16_t)character;
}

/* The first half of a pair, left alone by a cut, becomes "_". */
static void mend_split(uint16_t *unit)
{
	if ((*unit & 0xfc00) == 0xd800)
		*unit = '_';
}

/* Returns what was changed by that already. */
static unsigned read_utf16(const char *name, size_t length, struct raw *ret)
{
	const unsigned char *at = (const unsigned char *)name;
	unsigned changes = 0;

	for (size_t i = 0; i < length;) {
		uint32_t character;
		int bytes = decode(at + i, length - i, &character);

		if (bytes < 0)
			return changes | NAME_BYTES; /* libisofs drops a character that isn't complete */
		if (bytes == 0 || character > 0x10ffff) {
			character = '_';
			bytes = 1;
			changes |= NAME_BYTES;
		}
		changes |= character >= 0x10000 ? NAME_BEYOND : 0;
		add_utf16(ret, character);
		i += (size_t)bytes;
	}
	return changes;
}

unsigned name_joliet_changes(const char *name, size_t length, bool is_dir)
{
	struct raw raw = { .length = 0 };
	unsigned changes = read_utf16(name, length, &raw);

	find_extension(&raw);
	for (size_t i = 0; i < raw.length; i++)
		if (joliet_unit(raw.units[i]) != raw.units[i])
			changes |= NAME_CHARS;
	if (raw.length > JOLIET_CHARS + (!is_dir && raw.extension > 0))
		changes |= NAME_CUT;
	if (length > 1 && name[length - 1] == '.')
		changes |= NAME_DOT;
	return changes;
}

static size_t to_utf8(const uint16_t *units, size_t length, char *ret)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		uint32_t unit = units[i];

		if ((unit & 0xfc00) == 0xd800 && i + 1 < length && (units[i + 1] & 0xfc00) == 0xdc00) {
			unit = 0x10000 + ((unit & 0x3ff) << 10) + (units[++i] & 0x3ff);
			ret[used++] = (char)(0xf0 | unit >> 18);
			ret[used++] = (char)(0x80 | (unit >> 12 & 0x3f));
		} else if (unit >= 0x800) {
			ret[used++] = (char)(0xe0 | unit >> 12);
		} else if (unit >= 0x80) {
			ret[used++] = (char)(0xc0 | unit >> 6);
		}
		if (unit >= 0x800)
			ret[used++] = (char)(0x80 | (unit >> 6 & 0x3f));
		ret[used++] = (char)(unit < 0x80 ? unit : 0x80 | (unit & 0x3f));
	}
	ret[used] = '\0';
	return used;
}

size_t name_of_joliet(const uint16_t *units, size_t length, char *ret)
{
	while (length > 1 && units[length - 1] == '.')
		length--;
	return to_utf8(units, length, ret);
}

void name_label_of_joliet(const char *label, char *ret)
{
	struct raw raw = { .length = 0 };

	read_utf16(label, strlen(label), &raw);
	to_utf8(raw.units, raw.length < NAME_LABEL_MOST ? raw.length : NAME_LABEL_MOST, ret);
}

bool name_iso_changes(const char *name, size_t length, const uint16_t *units, size_t count, bool is_dir)
{
	if (!is_dir && count > 0 && units[count - 1] == '.')
		count--;
	if (count != length)
		return true;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)name[i];

		if (units[i] != (byte >= 'a' && byte <= 'z' ? byte - 'a' + 'A' : byte))
			return true;
	}
	return false;
}

size_t name_to_joliet(const char *name, size_t length, bool is_dir, uint16_t *ret)
{
	struct raw raw = { .length = 0 };
	size_t used, stem;

	read_utf16(name, length, &raw);
	if (raw.length == 0)
		return 0;
	find_extension(&raw);
	used = is_dir ? put_dir(&raw, JOLIET_CHARS, joliet_unit, ret)
		      : put_file(&raw, JOLIET_CHARS, joliet_unit, false, ret);
	for (stem = used; !is_dir && stem > 0 && ret[stem - 1] != '.'; stem--)
		;
	if (stem > 1)
		mend_split(&ret[stem - 2]);
	mend_split(&ret[used - 1]);
	return used;
}

/* ---- names that became equal ---- */

void labels_clear(struct labels *labels)
{
	vec_clear(&labels->list);
	vec_clear(&labels->units);
}

static int add_units(struct labels *labels, const uint16_t *name, size_t length, size_t *ret)
{
	*ret = labels->units.count;
	for (size_t i = 0; i < length; i++) {
		uint16_t *unit = vec_push(&labels->units);

		if (!unit)
			return -ENOMEM;
		*unit = name[i];
	}
	return 0;
}

int labels_add(struct labels *labels, const uint16_t *name, size_t length, bool is_dir, uint32_t entry)
{
	struct label *label = vec_push(&labels->list);

	if (!label)
		return -ENOMEM;
	*label = (struct label){ .entry = entry, .length = (uint8_t)length, .is_dir = is_dir };
	return add_units(labels, name, length, &label->at);
}

static int compare_units(const uint16_t *a, size_t a_length, const uint16_t *b, size_t b_length)
{
	size_t length = a_length < b_length ? a_length : b_length;

	for (size_t i = 0; i < length; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return (a_length > b_length) - (a_length < b_length);
}

static int compare(const void *left, const void *right, void *self)
{
	const struct label *a = left, *b = right;
	const struct labels *labels = self;

	return compare_units(labels->units.items + a->at, a->length, labels->units.items + b->at, b->length);
}

static void sort(struct labels *labels)
{
	if (labels->list.count)
		qsort_r(labels->list.items, labels->list.count, sizeof *labels->list.items, compare, labels);
}

/* The names that are taken: labels by their units, open addressing. */
struct taken {
	uint32_t *slots; /* index + 1, 0 = free */
	size_t room;	 /* a power of two */
};

#define GONE UINT32_MAX

static size_t hash(const uint16_t *name, size_t length)
{
	uint64_t value = 1469598103934665603ull;

	for (size_t i = 0; i < length; i++)
		value = (value ^ name[i]) * 1099511628211ull;
	return (size_t)(value ^ value >> 32);
}

/* The slot of that name; without one: a free slot. */
static uint32_t *find(const struct taken *taken, const struct labels *labels, const uint16_t *name,
		      size_t length)
{
	size_t at = hash(name, length) & (taken->room - 1);

	for (; taken->slots[at]; at = (at + 1) & (taken->room - 1)) {
		const struct label *label;

		if (taken->slots[at] == GONE)
			continue;
		label = &labels->list.items[taken->slots[at] - 1];
		if (compare_units(labels->units.items + label->at, label->length, name, length) == 0)
			break;
	}
	return &taken->slots[at];
}

static void take(struct taken *taken, const struct labels *labels, size_t index)
{
	const struct label *label = &labels->list.items[index];
	uint32_t *slot = find(taken, labels, labels->units.items + label->at, label->length);

	if (*slot == 0)
		*slot = (uint32_t)index + 1;
}

/* Only whoever took it gives it back. */
static void give_back(struct taken *taken, const struct labels *labels, size_t index)
{
	const struct label *label = &labels->list.items[index];
	uint32_t *slot = find(taken, labels, labels->units.items + label->at, label->length);

	if (*slot == index + 1)
		*slot = GONE;
}

/* A name in two parts, between which a number goes. */
struct parts {
	uint16_t stem[NAME_JOLIET_MOST + 1], extension[NAME_JOLIET_MOST + 1];
	size_t stem_length, extension_length;
	bool dot;
};

/* Shortens a long extension, so that a number fits in; how far differs between the two trees. */
static size_t room_for_stem(const struct labels *labels, struct parts *parts, size_t digits)
{
	long most = labels->joliet ? (long)JOLIET_CHARS : (long)NAME_ISO_MOST - 1;
	long room = most - (long)parts->extension_length - (long)digits;

	if (room > 0)
		return (size_t)room;
	if (labels->joliet) {
		room = parts->stem_length > 0;
		parts->extension_length = (size_t)(most - room - (long)digits);
		return (size_t)room;
	}
	parts->extension_length = (size_t)((long)parts->extension_length + room - 1);
	return (size_t)(most - (long)parts->extension_length - (long)digits);
}

static void split(const struct labels *labels, const struct label *label, size_t digits, struct parts *ret)
{
	const uint16_t *name = labels->units.items + label->at;
	size_t dot = label->length, room;

	while (dot > 0 && name[dot - 1] != '.')
		dot--;
	ret->dot = dot > 0 && !label->is_dir;
	ret->stem_length = ret->dot ? dot - 1 : label->length;
	ret->extension_length = ret->dot ? label->length - dot : 0;
	memcpy(ret->stem, name, ret->stem_length * sizeof *name);
	memcpy(ret->extension, name + dot, ret->extension_length * sizeof *name);
	room = ret->dot ? room_for_stem(labels, ret, digits)
			: (labels->joliet ? JOLIET_CHARS : NAME_ISO_MOST) - digits;
	if (ret->stem_length > room)
		ret->stem_length = room;
}

static size_t join(const struct labels *labels, const struct parts *parts, size_t digits, unsigned number,
		   uint16_t *ret)
{
	size_t used = parts->stem_length;

	memcpy(ret, parts->stem, used * sizeof *ret);
	for (size_t i = digits; i > 0; i--, number /= 10)
		ret[used + i - 1] = (uint16_t)('0' + number % 10);
	used += digits;
	/* Joliet loses the dot of an empty extension there. */
	if (parts->dot && (!labels->joliet || parts->extension_length))
		ret[used++] = '.';
	memcpy(ret + used, parts->extension, parts->extension_length * sizeof *ret);
	return used + parts->extension_length;
}

static int rename_label(struct labels *labels, struct taken *taken, size_t index, const uint16_t *name,
			size_t length)
{
	struct label *label = &labels->list.items[index];
	int ret;

	give_back(taken, labels, index);
	labels->clashed += !label->clashed;
	label->clashed = true;
	label->length = (uint8_t)length;
	ret = add_units(labels, name, length, &label->at);
	if (ret == 0)
		take(taken, labels, index);
	return ret;
}

/* Numbers the labels from first to last with so many digits. 1: done, 0: too few digits, or -errno. What was
 * renamed by then stays so: libisofs goes on from there. */
static int number_group(struct labels *labels, struct taken *taken, size_t first, size_t last, size_t digits)
{
	uint16_t name[2 * NAME_JOLIET_MOST];
	struct parts parts;
	unsigned number = 0, limit = 1;
	size_t length;
	int ret;

	for (size_t i = 0; i < digits; i++)
		limit *= 10;
	split(labels, &labels->list.items[first], digits, &parts);
	for (size_t i = first; i <= last; i++) {
		do {
			if (number == limit)
				return 0;
			length = join(labels, &parts, digits, number++, name);
		} while (*find(taken, labels, name, length) != 0);
		ret = rename_label(labels, taken, i, name, length);
		if (ret < 0)
			return ret;
	}
	return 1;
}

static int number_all(struct labels *labels, struct taken *taken)
{
	size_t count = labels->list.count;

	for (size_t i = 0, last; i < count; i = last + 1) {
		int done = 0;

		for (last = i; last + 1 < count &&
			       compare(&labels->list.items[i], &labels->list.items[last + 1], labels) == 0;)
			last++;
		for (size_t digits = 1; last > i && done == 0; digits++)
			done =
			    digits > DIGITS_MOST ? -EOVERFLOW : number_group(labels, taken, i, last, digits);
		if (done < 0)
			return done;
	}
	return 0;
}

static bool any_equal(struct labels *labels)
{
	for (size_t i = 0; i + 1 < labels->list.count; i++)
		if (compare(&labels->list.items[i], &labels->list.items[i + 1], labels) == 0)
			return true;
	return false;
}

int labels_settle(struct labels *labels)
{
	struct taken taken = { .room = 64 };
	int ret;

	sort(labels);
	if (!any_equal(labels))
		return 0;
	while (taken.room < 8 * labels->list.count) /* names that were given back take room, too */
		taken.room *= 2;
	taken.slots = calloc(taken.room, sizeof *taken.slots);
	if (!taken.slots)
		return -ENOMEM;
	for (size_t i = 0; i < labels->list.count; i++)
		take(&taken, labels, i);
	ret = number_all(labels, &taken);
	free(taken.slots);
	sort(labels);
	return ret;
}
