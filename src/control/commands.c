/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/control.h"

#include "base/log.h"
#include "proc/drive.h"
#include "store/discard.h"
#include "store/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLOSE_LOOKS   25u   /* half a second */
#define COMMAND_LIMIT 9000u /* a word and a path, and room for \ooo in it */

int control_commit(struct control *control, const struct commit_wish *wish)
{
	uint64_t serial;
	int ret = commit_request(control->commit, wish, &serial);

	return ret < 0 ? ret : commit_wait(control->commit, serial);
}

/* An absolute path, with \ooo for spaces and odd bytes. */
static int take_path(struct commit_wish *wish, char *path)
{
	text_unescape(path);
	if (*path != '/' || strlen(path) >= sizeof wish->to)
		return -EINVAL;
	strcpy(wish->to, path);
	return 0;
}

static int take_id(struct commit_wish *wish, const char *word)
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";

	if (!*word || strlen(word) > COMMIT_ID_LIMIT || word[strspn(word, allowed)])
		return -EINVAL;
	strcpy(wish->id, word);
	return 0;
}

/* The words before a label. */
static int take_wish(void *self, char *word)
{
	struct commit_wish *wish = self;
	const struct {
		const char *name;
		bool *flag;
	} flags[] = { { "--finalize", &wish->finalize },  { "--simulate", &wish->simulate },
		      { "--dry-run", &wish->dry_run },	  { "--stream", &wish->stream },
		      { "--damaged", &wish->damaged },	  { "--force", &wish->force },
		      { "--no-verify", &wish->no_verify } };
	static const char speed[] = "--speed=", to[] = "--to=", id[] = "--id=";
	const char *digits = word + sizeof speed - 1;

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (strcmp(word, flags[i].name) == 0) {
			*flags[i].flag = true;
			return 0;
		}
	if (strncmp(word, id, sizeof id - 1) == 0)
		return take_id(wish, word + sizeof id - 1);
	if (strncmp(word, to, sizeof to - 1) == 0)
		return take_path(wish, word + sizeof to - 1);
	if (strncmp(word, speed, sizeof speed - 1) != 0 || !*digits || strlen(digits) > 7 ||
	    strspn(digits, "0123456789") != strlen(digits))
		return -EINVAL;
	wish->speed_kbps = (uint32_t)strtoul(digits, NULL, 10);
	return 0;
}

int control_options(char **rest, control_take_fn *take, void *self)
{
	int ret = 0;

	while (ret == 0 && strncmp(*rest, "--", 2) == 0) {
		char *word = strsep(rest, " ");

		*rest = *rest ? *rest : word + strlen(word);
		if (strcmp(word, "--") == 0)
			break;
		ret = take(self, word);
	}
	return ret;
}

/* "[--finalize] [--simulate] [--dry-run] [--stream] [--speed=KBPS] [--to=FILE] [--force] [--damaged]
 * [--no-verify] [--id=WORD] [--] [label]" */
static int parse_wish(char *rest, struct commit_wish *wish)
{
	int ret;

	*wish = (struct commit_wish){ 0 };
	ret = control_options(&rest, take_wish, wish);
	if (ret < 0 || strlen(rest) > LABEL_LIMIT)
		return -EINVAL;
	strcpy(wish->label, rest);
	return 0;
}

static int command_commit(struct control *control, char *rest)
{
	struct commit_wish wish;
	int ret = parse_wish(rest, &wish);

	return ret < 0 ? ret : control_commit(control, &wish);
}

static int command_commit_nowait(struct control *control, char *rest)
{
	struct commit_wish wish;
	uint64_t serial;
	int ret = parse_wish(rest, &wish);

	return ret < 0 ? ret : commit_request(control->commit, &wish, &serial);
}

/* What is staged can be changed as a whole now? */
static int check_idle(const struct control *control)
{
	struct progress_view view;

	if (control->disc->read_only)
		return -EROFS;
	progress_get(&control->commit->progress, &view);
	return view.phase == PHASE_IDLE ? 0 : -EBUSY;
}

/* The path comes with \ooo for odd bytes, so that a line can hold any name. */
static int command_discard(struct control *control, char *path)
{
	int ret = check_idle(control);

	if (ret < 0)
		return ret;
	text_unescape(path);
	return discard_staged(&control->disc->tree, path, control->caches);
}

/* "NUMBER [path]", the path as above. */
static int command_restore(struct control *control, char *rest)
{
	size_t digits = strspn(rest, "0123456789");
	char *path = rest + digits + strspn(rest + digits, " ");
	struct reason why = { 0 };
	struct past *past;
	int ret = check_idle(control);

	if (digits == 0 || digits > 4 || (*path && path == rest + digits))
		return -EINVAL;
	if (ret == 0)
		ret = pasts_hold(control->pasts, (uint32_t)strtoul(rest, NULL, 10), true, &past, &why);
	if (ret < 0) {
		if (why.err && why.err != ENOENT)
			log_error("%s", why.text);
		return ret == -ENOENT ? -ENXIO : ret;
	}
	text_unescape(path);
	ret = restore_staged(&control->disc->tree, &past->tree, path, control->caches);
	pasts_release(control->pasts, past);
	return ret;
}

static int command_sync(struct control *control, char *rest)
{
	return *rest ? -EINVAL : tree_sync(&control->disc->tree);
}

static int command_cancel(struct control *control, char *rest)
{
	return *rest ? -EINVAL : commit_cancel(control->commit);
}

/* The kernel tells of a close behind whatever else it has to tell: cp and then eject finds nothing open. */
static bool stays_busy(const struct control_end *end)
{
	const struct timespec moment = { .tv_nsec = 20000000 };

	for (unsigned i = 0; i < CLOSE_LOOKS && end->is_busy(end->self); i++)
		nanosleep(&moment, NULL);
	return end->is_busy(end->self);
}

/* What is staged stays staged; a commit=unmount isn't done: nobody asked for a burn. */
static int command_eject(struct control *control, char *rest)
{
	const struct verb_task task = { .op = DRIVE_EJECT };
	CLEANUP(drive_facts_clear) struct drive_facts facts = { 0 };
	struct disc *disc = control->disc;
	struct reason why = { 0 };
	struct progress_view view;
	int ret;

	if (*rest || !control->end)
		return -EINVAL;
	progress_get(&control->commit->progress, &view);
	if (view.phase != PHASE_IDLE || stays_busy(control->end))
		return -EBUSY;
	ret = disc->tree.read_only ? 0 : tree_sync(&disc->tree);
	if (ret == 0 && disc->is_drive && !disc->offline)
		ret = drive_run(disc->path, &task, NULL, NULL, &facts, &why);
	if (ret < 0) {
		log_error("%s isn't ejected: %s", disc->path, why.err ? why.text : strerror(-ret));
		return ret;
	}
	control->end->begin(control->end->self);
	return 0;
}

/* Who asks unmounts next, and says what that means for a mount that commits then. "handover": it doesn't wait
 * for the commit; "keep": nothing is to be burned; "usual": it didn't come to that. */
static int command_unmounting(struct control *control, char *rest)
{
	bool handover = strcmp(rest, "handover") == 0, keep = strcmp(rest, "keep") == 0;

	if (!handover && !keep && strcmp(rest, "usual") != 0)
		return -EINVAL;
	if (handover && !control->commit_on_unmount)
		return -EINVAL;
	if (control->disc->read_only)
		return -EROFS;
	atomic_store(&control->commit->keep, keep);
	return commit_hand_over(control->commit, handover);
}

static const struct {
	const char *word;
	int (*run)(struct control *control, char *rest);
} commands[] = {
	{ "commit", command_commit },	    { "commit-nowait", command_commit_nowait },
	{ "cancel", command_cancel },	    { "discard", command_discard },
	{ "restore", command_restore },	    { "sync", command_sync },
	{ "eject", command_eject },	    { "unmounting", command_unmounting },
	{ "boot", control_boot },	    { "boot-none", control_boot_none },
	{ "boot-keep", control_boot_keep },
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
