/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/control.h"

#include "store/discard.h"

#include <errno.h>
#include <string.h>

#define COMMAND_LIMIT 4300u /* a word and a path */

int control_commit(struct control *control, const char *label)
{
	uint64_t serial;
	int ret = commit_request(control->commit, label, &serial);

	return ret < 0 ? ret : commit_wait(control->commit, serial);
}

static int command_commit(struct control *control, char *label)
{
	return control_commit(control, label);
}

static int command_commit_nowait(struct control *control, char *label)
{
	uint64_t serial;

	return commit_request(control->commit, label, &serial);
}

/* The path comes with \ooo for odd bytes, so that a line can hold any name. */
static int command_discard(struct control *control, char *path)
{
	struct progress_view view;

	if (control->disc->read_only)
		return -EROFS;
	progress_get(&control->commit->progress, &view);
	if (view.phase != PHASE_IDLE)
		return -EBUSY;
	text_unescape(path);
	return discard_staged(&control->disc->tree, path, control->caches);
}

static int command_sync(struct control *control, char *rest)
{
	return *rest ? -EINVAL : tree_sync(&control->disc->tree);
}

static const struct {
	const char *word;
	int (*run)(struct control *control, char *rest);
} commands[] = {
	{ "commit", command_commit },
	{ "commit-nowait", command_commit_nowait },
	{ "discard", command_discard },
	{ "sync", command_sync },
};

static int run_line(struct control *control, char *line)
{
	char *rest = line + strcspn(line, " ");

	while (*rest == ' ')
		*rest++ = '\0';
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(line, commands[i].word) == 0)
			return commands[i].run(control, rest);
	return -EINVAL;
}

int control_run(struct control *control, const char *lines, size_t length)
{
	const char *end = lines + length;
	int ret = 0;

	while (ret == 0 && lines < end) {
		const char *stop = memchr(lines, '\n', (size_t)(end - lines));
		size_t size = (size_t)((stop ? stop : end) - lines);
		char line[COMMAND_LIMIT];

		if (size >= sizeof line || memchr(lines, '\0', size))
			return -EINVAL;
		memcpy(line, lines, size);
		line[size] = '\0';
		lines += size + (stop != NULL);
		if (size)
			ret = run_line(control, line);
	}
	return ret;
}
