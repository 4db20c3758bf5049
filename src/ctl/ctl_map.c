/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/colour.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/place.h"
#include "ctl/show.h"
#include "ctl/treat.h"
#include "model/disc_map.h"
#include "proc/probe.h"
#include "wire/map_json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 12 /* of sessions; older ones are summed up */

/* What stands for each kind; sessions take turns. */
struct look_of {
	const char *utf8, *ascii;
	enum colour colour;
	const char *name;
};
static const struct look_of looks[MAP_KINDS] = {
	[MAP_BETWEEN] = { "\u254C", "-", COLOUR_PLAIN, "between" },
	[MAP_STAGED] = { "\u2592", "+", COLOUR_YELLOW, "staged" },
	[MAP_KEPT] = { "\u254C", "x", COLOUR_PLAIN, "in reserve" },
	[MAP_FREE] = { "\u00B7", ".", COLOUR_DIM, "free" },
};
static const struct look_of sessions_look[2] = {
	{ "\u2588", "#", COLOUR_BLUE, "session" },
	{ "\u2593", "=", COLOUR_CYAN, "session" },
};

struct parts {
	VEC(struct map_part) items;
	uint64_t sectors;
};

static void parts_clear(struct parts *parts)
{
	vec_clear(&parts->items);
}

static int take_parts(const struct json *map, struct parts *ret)
{
	int count = (int)json_count(map, "$.parts");

	for (int i = 0; i < count; i++) {
		struct map_part *part = vec_push(&ret->items);
		AUTO_FREE char *word = json_string(map, "$.parts[%d].kind", i);

		if (!part || !word)
			return ctl_fail(EXIT_CODE_SYSTEM, "no memory for the map");
		*part = (struct map_part){ .kind = MAP_BETWEEN,
					   .start = (uint64_t)json_int(map, "$.parts[%d].start", i),
					   .sectors = (uint64_t)json_int(map, "$.parts[%d].sectors", i),
					   .session = (size_t)json_int(map, "$.parts[%d].number", i) };
		for (int kind = 0; kind < MAP_KINDS; kind++)
			if (strcmp(word, map_kind_word((enum map_kind)kind)) == 0)
				part->kind = (enum map_kind)kind;
		ret->sectors += part->sectors;
	}
	return EXIT_CODE_DONE;
}

static bool is_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static const struct look_of *look_of(const struct map_part *part)
{
	return part->kind == MAP_SESSION ? &sessions_look[part->session % 2] : &looks[part->kind];
}

static const char *sign_of(const struct map_part *part, bool utf8)
{
	return utf8 ? look_of(part)->utf8 : look_of(part)->ascii;
}

static int print_bar(struct parts *parts, bool utf8)
{
	size_t count = parts->items.count;
	AUTO_FREE uint64_t *sizes = calloc(count + 1, sizeof *sizes);
	AUTO_FREE unsigned *cells = calloc(count + 1, sizeof *cells);
	unsigned width = (unsigned)format_terminal_width() - 3;

	if (!sizes || !cells)
		return ctl_fail(EXIT_CODE_SYSTEM, "no memory for the map");
	for (size_t i = 0; i < count; i++)
		sizes[i] = map_shown_sectors(&parts->items.items[i]);
	map_share_cells(sizes, count, width, cells);
	fputs(utf8 ? "\u2595" : "[", stdout);
	for (size_t i = 0; i < count; i++) {
		const struct map_part *part = &parts->items.items[i];

		colour_begin(look_of(part)->colour);
		for (unsigned cell = 0; cell < cells[i]; cell++)
			fputs(sign_of(part, utf8), stdout);
		colour_end(look_of(part)->colour);
	}
	puts(utf8 ? "\u258F" : "]");
	return EXIT_CODE_DONE;
}

static void print_row(const struct parts *parts, const struct map_part *part, const char *name,
		      const char *more, bool utf8)
{
	char size[FORMAT_ROOM];

	putchar(' ');
	colour_begin(look_of(part)->colour);
	fputs(sign_of(part, utf8), stdout);
	colour_end(look_of(part)->colour);
	printf(" %-16s  %8s  %5.1f %%", name, format_sectors(size, part->sectors),
	       parts->sectors ? 100.0 * (double)part->sectors / (double)parts->sectors : 0);
	if (more && more[0]) {
		fputs("  ", stdout);
		format_print_name(more);
	}
	putchar('\n');
}

static void print_session(const struct parts *parts, const struct json *map, int at, bool utf8)
{
	AUTO_FREE char *label = json_string(map, "$.parts[%d].label", at);
	char name[48], date[FORMAT_ROOM];
	AUTO_TEXT struct text more = { 0 };

	snprintf(name, sizeof name, "session %" PRId64, json_int(map, "$.parts[%d].number", at));
	text_add(&more, "%s  %s", format_time(date, json_int(map, "$.parts[%d].time", at)),
		 label ? label : "");
	print_row(parts, &parts->items.items[at], name, more.data, utf8);
}

static void print_sum(struct parts *parts, enum map_kind kind, bool utf8)
{
	struct map_part sum = { .kind = kind };

	vec_each (&parts->items, part)
		if (part->kind == kind)
			sum.sectors += map_shown_sectors(part);
	if (sum.sectors)
		print_row(parts, &sum, looks[kind].name, NULL, utf8);
}

static void print_legend(struct parts *parts, const struct json *map, bool utf8)
{
	struct map_part older = { .kind = MAP_SESSION };
	int shown = 0, hidden = 0;
	char name[48];

	for (int at = (int)parts->items.count - 1; at >= 0; at--) {
		const struct map_part *part = &parts->items.items[at];

		if (part->kind != MAP_SESSION)
			continue;
		if (shown < ROWS) {
			shown++;
			print_session(parts, map, at, utf8);
		} else {
			hidden++;
			older.sectors += part->sectors;
		}
	}
	snprintf(name, sizeof name, "%d older", hidden);
	if (hidden)
		print_row(parts, &older, name, NULL, utf8);
	print_sum(parts, MAP_STAGED, utf8);
	print_sum(parts, MAP_FREE, utf8);
	print_sum(parts, MAP_BETWEEN, utf8);
	print_sum(parts, MAP_KEPT, utf8);
}

static int print_map(const struct json *map)
{
	CLEANUP(parts_clear) struct parts parts = { 0 };
	AUTO_FREE char *source = json_string(map, "$.source");
	AUTO_FREE char *profile = json_string(map, "$.profile");
	char size[FORMAT_ROOM];
	bool utf8 = is_utf8();
	int code = take_parts(map, &parts);

	if (code)
		return code;
	format_print_name(source);
	printf(": %s, %s\n", show_medium_title(profile), format_sectors(size, parts.sectors));
	code = print_bar(&parts, utf8);
	if (!code)
		print_legend(&parts, map, utf8);
	return code;
}

/* What isn't mounted has nothing staged, as far as can be seen. */
static int make_map(const struct place *place, struct text *ret)
{
	CLEANUP(probe_clear) struct probe probe = { 0 };
	CLEANUP(disc_map_clear) struct disc_map map = { 0 };
	AUTO_CLOSE int fd = open(place->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct reason why = { 0 };
	struct map_facts facts;
	int err;

	if (fd < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", place->path, strerror(errno));
	err = probe_run(fd, place->path, NULL, &probe, &why);
	if (err < 0)
		return treat_failed(place->path, -err, &why);
	facts = (struct map_facts){ .capacity = probe.disc.capacity,
				    .recorded = probe.disc.recorded,
				    .next = probe.disc.nwa,
				    .free = probe.is_drive && !probe.facts.drive.overwriteable
						? probe.facts.drive.free
						: UINT64_MAX,
				    .appendable = probe.disc.state != DISC_CLOSED };
	if (map_of_sessions(&map, probe.sessions.items, probe.sessions.count, &facts) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "no memory for the map");
	map_document(&map,
		     &(struct map_title){ .source = place->path,
					  .label = probe.sessions.count
						       ? probe.sessions.items[probe.sessions.count - 1].label
						       : "",
					  .disc = &probe.disc },
		     probe.sessions.items, ret);
	return EXIT_CODE_DONE;
}

int command_map(int argc, char **argv)
{
	bool json = false;
	const struct option_spec options[] = { { "json", 0, .flag = &json }, { 0 } };
	AUTO_TEXT struct text text = { 0 };
	AUTO_JSON struct json map = { 0 };
	struct place place;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = place_find("map", count ? argv[1] : NULL, true, &place);
	if (!code && place.mounted && !place.discfs && place.is_drive)
		code = place_is_mounted(&place);
	if (!code)
		code = place.discfs ? target_read(&place.mount, "map.json", &text) : make_map(&place, &text);
	if (code)
		return code;
	if (text.failed || json_open(&map, text.data, text.length) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "no memory for the map");
	if (json)
		return fputs(text.data, stdout) < 0 ? EXIT_CODE_SYSTEM : EXIT_CODE_DONE;
	return print_map(&map);
}
