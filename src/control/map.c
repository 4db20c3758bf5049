/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/map.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CENTRE	   220.0
#define OUTER	   196.0 /* of what can hold data, as 58 mm of a disc's 60 */
#define INNER	   80.0	 /* 24 mm */
#define LEAST	   2.5
#define NUMBERED   15.0 /* rings at least that thick bear their number */
#define WEDGES	   16
#define ROWS	   9u /* of the legend, for sessions */
#define LEGEND_X   470.0
#define LEGEND_Y   128.0
#define ROW_HEIGHT 24.0

/* Colours are classes, so that a dark page gets others. Renderers that don't know media queries draw the
 * light ones. */
static const char style[] =
    "<style>\n"
    "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu "
    "Sans',sans-serif;font-size:14px;fill:#1f2933}\n"
    ".page{fill:#ffffff}\n.title{font-size:24px;font-weight:600}\n.soft{fill:#66727f}\n"
    ".number{font-size:12px;font-weight:600;fill:#ffffff;text-anchor:middle}\n.right{text-anchor:end}\n"
    ".rim{fill:#dfe4ea}\n.edge{fill:none;stroke:#b4bec9;stroke-width:1}\n.hub{fill:#f3f5f8}\n"
    ".c0{fill:#2166c4}\n.c1{fill:#1b9aaa}\n.c2{fill:#5b4bc4}\n.c3{fill:#2f8f5b}\n"
    ".between{fill:#9aa7b4}\n.staged{fill:#f08c1d}\n.kept{fill:#c9d1d9}\n.free{fill:#edf1f5}\n"
    ".sheen{fill:#ffffff}\n.swatch{stroke:#9aa7b4;stroke-width:.6}\n.line{stroke:#ffffff;stroke-width:.8;"
    "fill:none}\n"
    "@media (prefers-color-scheme:dark){\n"
    "text{fill:#e4e9ef}\n.page{fill:#14181d}\n.soft{fill:#98a5b3}\n.number{fill:#ffffff}\n"
    ".rim{fill:#39424d}\n.edge{stroke:#55616e}\n.hub{fill:#1d232a}\n"
    ".c0{fill:#4d8ff0}\n.c1{fill:#2fb8c6}\n.c2{fill:#8b7cf0}\n.c3{fill:#4cbb80}\n"
    ".between{fill:#5f6c7a}\n.staged{fill:#ffa23e}\n.kept{fill:#3d4752}\n.free{fill:#262d35}\n"
    ".sheen{opacity:.6}\n.swatch{stroke:#55616e}\n.line{stroke:#14181d}\n}\n"
    "</style>\n";

/* Characters that XML can't have become a replacement; text_add_json does the same for bytes that are no
 * UTF-8, so its words are taken. */
static void add_words(struct text *text, const char *words)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	struct text clean AUTO_TEXT = { 0 };
	const char *at, *end;

	text_add_json(&clean, words, strlen(words));
	end = clean.failed ? NULL : clean.data + clean.length - 1; /* the closing quote */
	for (at = clean.data + 1; end && at < end; at++) {
		if (at[0] == '\\' && at[1] == 'u') {
			text_add(text, replacement);
			at += 5;
		} else if (strncmp(at, "\xEF\xBF\xBE", 3) == 0 || strncmp(at, "\xEF\xBF\xBF", 3) == 0) {
			text_add(text, replacement);
			at += 2;
		} else {
			at += at[0] == '\\';
			if (*at == '&' || *at == '<' || *at == '>' || *at == '"')
				text_add(text, "&#%d;", *at);
			else
				text_add_bytes(text, at, 1);
		}
	}
}

static const char *class_of(const struct map_part *part, char ret[8])
{
	if (part->kind != MAP_SESSION)
		return map_kind_word(part->kind);
	ret[0] = 'c';
	ret[1] = (char)('0' + part->session % 4);
	ret[2] = '\0';
	return ret;
}

static void add_name(const struct map_picture *picture, const struct map_part *part, struct text *text)
{
	static const char *const names[MAP_KINDS] = { [MAP_BETWEEN] = "Between sessions",
						      [MAP_STAGED] = "Staged, not burned yet",
						      [MAP_KEPT] = "In reserve",
						      [MAP_FREE] = "Free" };

	if (part->kind == MAP_KEPT && !picture->appendable)
		text_add(text, "Closed: stays empty");
	else if (part->kind != MAP_SESSION)
		text_add(text, "%s", names[part->kind]);
	else
		text_add(text, "Session %" PRIu32, picture->sessions[part->session].number);
}

static void add_day(const struct map_picture *picture, const struct map_part *part, struct text *text)
{
	time_t when = part->kind == MAP_SESSION ? picture->sessions[part->session].time : 0;
	char day[32];
	struct tm parts;

	if (when && localtime_r(&when, &parts) && strftime(day, sizeof day, "%Y-%m-%d", &parts))
		text_add(text, "%s", day);
}

/* A ring is a path of two circles, the inner one left out. */
static void draw_ring(const struct map_picture *picture, const struct map_part *part, double inner,
		      double outer, struct text *text)
{
	char class[8], size[16];

	text_add(text, "<path class=\"%s\" fill-rule=\"evenodd\" d=\"", class_of(part, class));
	for (int i = 0; i < 2; i++) {
		double radius = i ? inner : outer;

		text_add(text, "M%.2f %.2fa%.2f %.2f 0 1 0 %.2f 0a%.2f %.2f 0 1 0 %.2f 0z", CENTRE - radius,
			 CENTRE, radius, radius, 2 * radius, radius, radius, -2 * radius);
	}
	text_add(text, "\"><title>");
	add_name(picture, part, text);
	text_add(text, ": %s</title></path>\n", text_size(size, part->sectors * SECTOR));
	text_add(text, "<circle class=\"line\" cx=\"%.0f\" cy=\"%.0f\" r=\"%.2f\"/>\n", CENTRE, CENTRE,
		 outer);
}

static void draw_number(const struct map_picture *picture, const struct map_part *part, double inner,
			double outer, struct text *text)
{
	if (part->kind == MAP_SESSION && outer - inner >= NUMBERED)
		text_add(text, "<text class=\"number\" x=\"%.0f\" y=\"%.2f\">%" PRIu32 "</text>\n", CENTRE,
			 CENTRE - (inner + outer) / 2 + 4.3, picture->sessions[part->session].number);
}

static void draw_wedge(struct text *text, double from, double to, double opacity)
{
	text_add(
	    text,
	    "<path fill-opacity=\"%.3f\" d=\"M%.2f %.2fA%.0f %.0f 0 0 1 %.2f %.2fL%.2f %.2fA%.0f %.0f 0 0 0 "
	    "%.2f %.2fz\"/>\n",
	    opacity, CENTRE + OUTER * cos(from), CENTRE + OUTER * sin(from), OUTER, OUTER,
	    CENTRE + OUTER * cos(to), CENTRE + OUTER * sin(to), CENTRE + INNER * cos(to),
	    CENTRE + INNER * sin(to), INNER, INNER, CENTRE + INNER * cos(from), CENTRE + INNER * sin(from));
}

/* The light that a disc throws back: two pairs of fans that fade to their sides. */
static void draw_sheen(struct text *text)
{
	static const struct {
		double middle, width, opacity;
	} fans[] = { { 42, 46, .22 }, { 222, 46, .22 }, { 112, 24, .12 }, { 292, 24, .12 } };

	text_add(text, "<g class=\"sheen\">\n");
	for (size_t i = 0; i < sizeof fans / sizeof *fans; i++)
		for (int wedge = 0; wedge < WEDGES; wedge++) {
			double step = fans[i].width / WEDGES;
			double from = fans[i].middle - fans[i].width / 2 + wedge * step;
			double across = sin(M_PI * (wedge + .5) / WEDGES);

			draw_wedge(text, from * M_PI / 180, (from + step) * M_PI / 180,
				   fans[i].opacity * across * across);
		}
	text_add(text, "</g>\n");
}

static void draw_hub(struct text *text)
{
	static const struct {
		const char *class;
		double radius;
	} circles[] = { { "hub", INNER }, { "edge", INNER }, { "edge", 56 },
			{ "edge", 52 },	  { "page", 26 },    { "edge", 26 } };

	for (size_t i = 0; i < sizeof circles / sizeof *circles; i++)
		text_add(text, "<circle class=\"%s\" cx=\"%.0f\" cy=\"%.0f\" r=\"%.0f\"/>\n",
			 circles[i].class, CENTRE, CENTRE, circles[i].radius);
}

static void draw_disc(const struct map_picture *picture, struct text *text)
{
	const struct disc_map *map = picture->map;
	uint64_t *sizes AUTO_FREE = calloc(map->parts.count + 1, sizeof *sizes);
	double *radii AUTO_FREE = calloc(map->parts.count + 1, sizeof *radii);

	if (!sizes || !radii) {
		text->failed = true;
		return;
	}
	for (size_t i = 0; i < map->parts.count; i++)
		sizes[i] = map_shown_sectors(&map->parts.items[i]);
	map_share_rings(sizes, map->parts.count, INNER, OUTER, LEAST, radii);
	text_add(text, "<circle class=\"rim\" cx=\"%.0f\" cy=\"%.0f\" r=\"%.0f\"/>\n", CENTRE, CENTRE,
		 OUTER + 8);
	for (size_t i = 0; i < map->parts.count; i++)
		if (sizes[i])
			draw_ring(picture, &map->parts.items[i], i ? radii[i - 1] : INNER, radii[i], text);
	draw_sheen(text);
	for (size_t i = 0; i < map->parts.count; i++)
		draw_number(picture, &map->parts.items[i], i ? radii[i - 1] : INNER, radii[i], text);
	text_add(text, "<circle class=\"edge\" cx=\"%.0f\" cy=\"%.0f\" r=\"%.0f\"/>\n", CENTRE, CENTRE,
		 OUTER + 8);
	draw_hub(text);
}

struct legend {
	const struct map_picture *picture;
	struct text *text;
	double y;
};

static void draw_row(struct legend *legend, const struct map_part *part, size_t sessions)
{
	char class[8], size[16];

	text_add(legend->text,
		 "<rect class=\"swatch %s\" x=\"%.0f\" y=\"%.0f\" width=\"14\" height=\"14\" rx=\"3\"/><text "
		 "x=\"%.0f\" "
		 "y=\"%.0f\">",
		 class_of(part, class), LEGEND_X, legend->y - 12, LEGEND_X + 24, legend->y);
	if (sessions)
		text_add(legend->text, "%zu older sessions", sessions);
	else
		add_name(legend->picture, part, legend->text);
	text_add(legend->text, "</text><text class=\"soft\" x=\"%.0f\" y=\"%.0f\">", LEGEND_X + 120,
		 legend->y);
	if (!sessions)
		add_day(legend->picture, part, legend->text);
	text_add(legend->text, "</text><text class=\"right\" x=\"%.0f\" y=\"%.0f\">%s</text>\n",
		 LEGEND_X + 290, legend->y, text_size(size, part->sectors * SECTOR));
	legend->y += ROW_HEIGHT;
}

static size_t count_of(struct disc_map *map, enum map_kind kind, struct map_part *ret_sum)
{
	size_t count = 0;

	*ret_sum = (struct map_part){ .kind = kind };
	vec_each (&map->parts, part)
		if (part->kind == kind) {
			count += map_shown_sectors(part) > 0;
			ret_sum->sectors += map_shown_sectors(part);
		}
	return count;
}

/* The newest sessions one by one; the older ones are summed up when there are many. */
static void draw_legend(const struct map_picture *picture, struct text *text)
{
	static const enum map_kind others[] = { MAP_STAGED, MAP_FREE, MAP_BETWEEN, MAP_KEPT };
	struct legend legend = { .picture = picture, .text = text, .y = LEGEND_Y };
	struct disc_map *map = picture->map;
	struct map_part sum, older = { .kind = MAP_SESSION };
	size_t sessions = count_of(map, MAP_SESSION, &sum),
	       hidden = sessions > ROWS ? sessions - ROWS + 1 : 0, at = 0;

	for (size_t i = map->parts.count; i-- > 0;) {
		const struct map_part *part = &map->parts.items[i];

		if (part->kind != MAP_SESSION)
			continue;
		if (at++ < sessions - hidden)
			draw_row(&legend, part, 0);
		else
			older.sectors += part->sectors;
	}
	if (hidden)
		draw_row(&legend, &older, hidden);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (count_of(map, others[i], &sum))
			draw_row(&legend, &sum, 0);
}

void map_draw(const struct map_picture *picture, struct text *text)
{
	text_add(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 440\" width=\"800\" "
		       "height=\"440\" role=\"img\">\n<title>");
	add_words(text, picture->title);
	text_add(text, "</title>\n");
	text_add_bytes(text, style, sizeof style - 1);
	text_add(text, "<rect class=\"page\" width=\"800\" height=\"440\"/>\n");
	draw_disc(picture, text);
	text_add(text, "<text class=\"title\" x=\"%.0f\" y=\"62\">", LEGEND_X);
	add_words(text, picture->title);
	text_add(text, "</text>\n<text class=\"soft\" x=\"%.0f\" y=\"88\">", LEGEND_X);
	add_words(text, picture->subtitle);
	text_add(text, "</text>\n");
	draw_legend(picture, text);
	text_add(text, "</svg>\n");
}
