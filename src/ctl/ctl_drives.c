/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/look_job.h"
#include "ctl/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PATIENCE_S 100 /* a drive may need a minute to get ready */

/* How the list is shown. */
struct listing {
	bool json, verbose;
	int64_t patience_s;
	int shown;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show(struct listing *listing, const struct look *look)
{
	AUTO_TEXT struct text text = { 0 };

	if (listing->json) {
		text_add(&text, listing->shown ? ",\n " : "");
		look_to_json(look, &text);
	} else {
		look_to_line(look, &text);
		text_add(&text, "\n");
		if (listing->verbose)
			look_speeds(look, &text);
	}
	fputs(text.failed ? "" : text.data, stdout);
	fflush(stdout);
	listing->shown++;
}

static void show_silent(struct listing *listing, const char *path)
{
	struct look look = { .access = LOOK_FAILED };

	snprintf(look.path, sizeof look.path, "%s", path);
	reason_set(&look.why, ETIMEDOUT, "it didn't answer within %" PRId64 " seconds", listing->patience_s);
	show(listing, &look);
}

/* In the order of their names, each as soon as it and all before it are known. */
static void show_all(struct listing *listing, struct look_job *const *jobs, int count, int wake)
{
	struct pollfd poller = { .fd = wake, .events = POLLIN };
	int64_t end = now_ms() + listing->patience_s * 1000;
	char bytes[64];
	int at = 0;

	while (at < count) {
		int64_t left = end - now_ms();

		if (jobs[at] && atomic_load(&jobs[at]->done)) {
			show(listing, &jobs[at++]->look);
		} else if (!jobs[at] || left <= 0) {
			show_silent(listing, jobs[at] ? jobs[at]->path : "?");
			at++;
		} else if (poll(&poller, 1, (int)left) > 0) {
			while (read(wake, bytes, sizeof bytes) > 0)
				;
		}
	}
}

static int list_drives(struct listing *listing)
{
	static char names[LOOK_DRIVES_LIMIT][LOOK_PATH_ROOM];
	struct look_job *jobs[LOOK_DRIVES_LIMIT];
	int wake[2], count = look_drives(names, LOOK_DRIVES_LIMIT);

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't look at drives: %s", strerror(errno));
	for (int i = 0; i < count; i++)
		jobs[i] = look_job_start(names[i], wake[1]);
	fputs(listing->json ? "[" : "", stdout);
	show_all(listing, jobs, count, wake[0]);
	for (int i = 0; i < count; i++)
		look_job_free(jobs[i]);
	if (listing->json)
		puts("]");
	else if (!count)
		puts("There is no optical drive");
	/* The pipe stays open for those that still look. */
	return EXIT_CODE_DONE;
}

int command_drives(int argc, char **argv)
{
	struct listing listing = { .patience_s = PATIENCE_S };
	bool watch = false;
	const struct option_spec options[] = {
		{ "watch", 'w', .flag = &watch },
		{ "verbose", 'v', .flag = &listing.verbose },
		{ "timeout", 't', .number = &listing.patience_s },
		{ "json", 0, .flag = &listing.json },
		{ 0 },
	};
	int count, code = ctl_options(argc, argv, options, 0, &count);

	if (code)
		return code;
	if (listing.patience_s > 3600)
		return ctl_usage("drives", "--timeout takes up to 3600 seconds");
	return watch ? watch_drives(listing.json) : list_drives(&listing);
}
