/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/progress.h"
#include "ctl/format.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define BAR_WIDTH     20
#define DEFAULT_WIDTH 80

/* One look at the work. */
struct work {
	char *phase; /* owned */
	char *file;  /* owned, may be NULL */
	uint64_t done, total;
	int64_t rate, eta;
	int percent; /* -1: unknown */
};

static void work_clear(struct work *work)
{
	free(work->phase);
	free(work->file);
}

static void work_read(const struct json *status, struct work *ret)
{
	*ret = (struct work){
		.phase = json_string(status, "$.work.phase"),
		.file = json_string(status, "$.work.file"),
		.done = (uint64_t)json_int(status, "$.work.done_sectors"),
		.total = (uint64_t)json_int(status, "$.work.total_sectors"),
		.rate = json_int(status, "$.work.rate_bps"),
		.eta = json_int(status, "$.work.eta_s"),
		.percent = -1,
	};
	if (ret->total)
		ret->percent =
		    ret->done < ret->total ? (int)((double)ret->done * 100 / (double)ret->total) : 100;
}

void progress_start(struct progress *progress, bool quiet)
{
	const char *term = getenv("TERM");

	*progress = (struct progress){ .quiet = quiet, .tenths = -1 };
	progress->terminal = isatty(STDOUT_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

static int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : DEFAULT_WIDTH;
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

static void add_numbers(struct text *line, const struct work *work)
{
	char done[FORMAT_ROOM], total[FORMAT_ROOM], rate[FORMAT_ROOM], left[FORMAT_ROOM];

	if (work->total)
		text_add(line, "  %s/%s sectors", format_count(done, work->done),
			 format_count(total, work->total));
	if (work->rate > 0)
		text_add(line, "  %s/s", text_size(rate, (uint64_t)work->rate));
	if (work->rate > 0 && work->eta >= 0 && work->total)
		text_add(line, "  %s left", format_duration(left, work->eta));
}

static void draw_bar(struct progress *progress, const struct work *work)
{
	AUTO_TEXT struct text line = { 0 };

	text_add(&line, "%-10s ", work->phase);
	if (work->percent >= 0) {
		text_add(&line, "[");
		for (int i = 0; i < BAR_WIDTH; i++)
			text_add(&line, "%s", i < work->percent * BAR_WIDTH / 100 ? "#" : ".");
		text_add(&line, "] %3d%%", work->percent);
	}
	add_numbers(&line, work);
	if (work->file && work->file[0]) {
		text_add(&line, "  ");
		text_add_escaped(&line, work->file, strlen(work->file));
	}
	if (line.failed)
		return;
	cut_at_width(&line, terminal_width() - 1);
	printf("\r%s\033[K", line.data);
	fflush(stdout);
	progress->drawn = true;
}

/* At each change of phase and each 10 %. */
static void print_line(struct progress *progress, const struct work *work)
{
	AUTO_TEXT struct text line = { 0 };
	bool changed = strcmp(progress->phase, work->phase) != 0;
	int tenths = work->percent / 10;

	if (!changed && tenths <= progress->tenths)
		return;
	snprintf(progress->phase, sizeof progress->phase, "%s", work->phase);
	progress->tenths = tenths;
	text_add(&line, "%s", work->phase);
	if (work->percent >= 0)
		text_add(&line, " %d%%", work->percent);
	add_numbers(&line, work);
	if (!line.failed)
		puts(line.data);
	fflush(stdout);
}

void progress_show(struct progress *progress, const struct json *status)
{
	CLEANUP(work_clear) struct work work;

	work_read(status, &work);
	if (progress->quiet || !work.phase)
		return;
	if (progress->terminal)
		draw_bar(progress, &work);
	else
		print_line(progress, &work);
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stdout);
	fflush(stdout);
	progress->drawn = false;
}
