/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/progress.h"
#include "ctl/format.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BAR_WIDTH 20
#define FIRST_S	  10
#define EVERY_S	  60

/* -1: unknown. */
static int percent_of(const struct progress_look *look)
{
	if (!look->total)
		return -1;
	return look->done < look->total ? (int)((double)look->done * 100 / (double)look->total) : 100;
}

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void progress_start(struct progress *progress, bool quiet)
{
	const char *term = getenv("TERM"), *every = getenv("DISCFSCTL_PROGRESS");
	bool told = every && isdigit((unsigned char)every[0]);

	*progress = (struct progress){ .quiet = quiet, .every_s = told ? atoi(every) : EVERY_S };
	progress->next_s = now_s() + (told ? progress->every_s : FIRST_S);
	progress->terminal = isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

/* Cuts after so many characters (not bytes) of UTF-8. */
static void cut_at_width(struct text *text, int width)
{
	int count = 0;

	for (size_t i = 0; i < text->length; i++) {
		if (((unsigned char)text->data[i] & 0xC0) == 0x80)
			continue;
		if (count++ < width)
			continue;
		text->length = i;
		text->data[i] = '\0';
	}
}

static void add_numbers(struct text *line, const struct progress_look *look)
{
	char done[FORMAT_ROOM], total[FORMAT_ROOM], rate[FORMAT_ROOM], left[FORMAT_ROOM];

	if (look->total && look->sectors)
		text_add(line, "  %s/%s sectors", format_count(done, look->done),
			 format_count(total, look->total));
	if (look->rate > 0)
		text_add(line, "  %s/s", text_size(rate, (uint64_t)look->rate));
	if (look->eta >= 0 && look->total)
		text_add(line, "  %s left", format_duration(left, look->eta));
}

static void draw_bar(struct progress *progress, const struct progress_look *look)
{
	AUTO_TEXT struct text line = { 0 };
	int percent = percent_of(look);

	text_add(&line, "%-10s ", look->phase);
	if (percent >= 0) {
		text_add(&line, "[");
		for (int i = 0; i < BAR_WIDTH; i++)
			text_add(&line, "%s", i < percent * BAR_WIDTH / 100 ? "#" : ".");
		text_add(&line, "] %3d%%", percent);
	}
	add_numbers(&line, look);
	if (look->file && look->file[0]) {
		text_add(&line, "  ");
		text_add_escaped(&line, look->file, strlen(look->file));
	}
	if (line.failed)
		return;
	cut_at_width(&line, format_terminal_width() - 1);
	printf("\r%s\033[K", line.data);
	fflush(stdout);
	progress->drawn = true;
}

static void print_line(struct progress *progress, const struct progress_look *look)
{
	AUTO_TEXT struct text line = { 0 };
	int percent = percent_of(look);

	if (now_s() < progress->next_s)
		return;
	progress->next_s = now_s() + progress->every_s;
	text_add(&line, "%s", look->phase);
	if (percent >= 0)
		text_add(&line, " %d%%", percent);
	add_numbers(&line, look);
	if (!line.failed)
		puts(line.data);
	fflush(stdout);
}

void progress_show(struct progress *progress, const struct progress_look *look)
{
	if (progress->quiet || !look->phase)
		return;
	if (progress->terminal)
		draw_bar(progress, look);
	else
		print_line(progress, look);
}

void progress_show_status(struct progress *progress, const struct json *status)
{
	AUTO_FREE char *phase = json_string(status, "$.work.phase");
	AUTO_FREE char *file = json_string(status, "$.work.file");
	struct progress_look look = {
		.phase = phase,
		.file = file,
		.done = (uint64_t)json_int(status, "$.work.done_sectors"),
		.total = (uint64_t)json_int(status, "$.work.total_sectors"),
		.sectors = true,
		.rate = json_int(status, "$.work.rate_bps"),
	};

	look.eta = look.rate > 0 ? json_int(status, "$.work.eta_s") : -1;
	progress_show(progress, &look);
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stdout);
	fflush(stdout);
	progress->drawn = false;
}
