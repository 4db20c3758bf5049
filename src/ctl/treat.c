/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/treat.h"

#include "ctl/ctl.h"
#include "ctl/progress.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_S 5 /* before that, a guess of the time left is none */

struct showing {
	struct progress progress;
	const char *verb;
	int64_t start_s;
};

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* What a drive does to a disc can't be stopped, and whoever looks on should see its end. */
static void on_interrupt(int signal)
{
	static const char note[] = "\nThe drive can't be stopped: it goes on to the end.\n";
	ssize_t written = write(STDERR_FILENO, note, sizeof note - 1);

	(void)written;
}

static void show_step(void *self, uint64_t done, uint64_t total)
{
	struct showing *showing = (struct showing *)self;
	int64_t passed = now_s() - showing->start_s;
	struct progress_look look = { .phase = showing->verb, .done = done, .total = total, .eta = -1 };

	if (passed >= SETTLE_S && done && done <= total)
		look.eta = (int64_t)((double)passed * (double)(total - done) / (double)done);
	progress_show(&showing->progress, &look);
}

int treat_failed(const char *path, int err, const struct reason *why)
{
	int code = err == EIO || err == ETIMEDOUT ? EXIT_CODE_SYSTEM : (int)exit_code_of_errno(err);

	if (strncmp(why->text, path, strlen(path)) == 0)
		return ctl_fail(code, "%s", why->text);
	return ctl_fail(code, "%s: %s", path, why->text[0] ? why->text : strerror(err));
}

int treat_drive(const char *path, const struct verb_task *task, const char *verb, bool quiet,
		struct look *ret)
{
	const struct sigaction noting = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };
	CLEANUP(drive_facts_clear) struct drive_facts facts = { 0 };
	struct showing showing = { .verb = verb, .start_s = now_s() };
	struct verb_task looking = *task;
	struct reason why = { 0 };
	struct sigaction before;
	int err;

	*ret = (struct look){ 0 };
	looking.look = true;
	sigaction(SIGINT, &noting, &before);
	progress_start(&showing.progress, quiet);
	err = drive_run(path, &looking, show_step, &showing, &facts, &why);
	progress_end(&showing.progress);
	sigaction(SIGINT, &before, NULL);
	if (err < 0)
		return treat_failed(path, -err, &why);
	look_from_facts(path, &facts, ret);
	return EXIT_CODE_DONE;
}
