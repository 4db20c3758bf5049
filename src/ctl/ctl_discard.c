/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/inside.h"
#include "ctl/target.h"
#include "ctl/work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int discard_refused(const char *what, int err)
{
	return err == ENOENT ? ctl_fail(EXIT_CODE_SYSTEM, "%s: nothing is staged there", what)
			     : inside_refused(what, err);
}

static int discard_path(const char *path)
{
	AUTO_TEXT struct text line = { 0 };
	char inside[PATH_MAX];
	struct target target;
	int err, code = inside_find(path, &target, inside, sizeof inside);

	if (code)
		return code;
	text_add(&line, "discard /");
	text_add_escaped(&line, inside, strlen(inside));
	err = line.failed ? -ENOMEM : target_tell(&target, line.data);
	return err < 0 ? discard_refused(path, -err) : EXIT_CODE_DONE;
}

/* Litter goes with all else, and is counted where nothing else is. */
static uint64_t discardable(const struct json *status)
{
	uint64_t staged = work_staged(status);

	return staged ? staged : (uint64_t)json_int(status, "$.staged.litter");
}

static int confirm(const struct json *status)
{
	AUTO_TEXT struct text question = { 0 };

	text_add(&question, "Discard ");
	format_plural(&question, discardable(status), "staged change");
	text_add(&question, "? What was not burned is lost.");
	return ctl_confirm("discard", "discard everything", question.failed ? "Discard all?" : question.data,
			   "nothing is discarded");
}

enum telling { TELL_NOTHING, TELL_PLAIN, TELL_JSON };

static void tell_done(enum telling telling, uint64_t count)
{
	AUTO_TEXT struct text line = { 0 };

	format_plural(&line, count, "staged change");
	if (telling == TELL_JSON)
		printf("{\"discarded\":%" PRIu64 "}\n", count);
	else if (telling == TELL_PLAIN && !count)
		puts("Nothing is staged");
	else if (telling == TELL_PLAIN)
		printf("Discarded %s\n", line.failed ? "everything" : line.data);
}

static int discard_all(const char *path, bool yes, enum telling telling)
{
	AUTO_JSON struct json status = { 0 };
	struct target target;
	int code = target_find(path, &target);
	int err;

	if (!code)
		code = target_status(&target, &status);
	if (code)
		return code;
	if (discardable(&status)) {
		code = yes ? EXIT_CODE_DONE : confirm(&status);
		if (code)
			return code;
		err = target_tell(&target, "discard");
		if (err < 0)
			return discard_refused(target.root, -err);
	}
	tell_done(telling, discardable(&status));
	return EXIT_CODE_DONE;
}

int command_discard(int argc, char **argv)
{
	bool yes = false, json = false;
	const struct option_spec options[] = {
		{ "yes", 'y', .flag = &yes },
		{ "json", 0, .flag = &json },
		{ 0 },
	};
	struct target target;
	int count, code = ctl_options(argc, argv, options, argc, &count);

	if (code)
		return code;
	if (count < 2 && (!count || inside_is_root(argv[1], &target)))
		return discard_all(count ? argv[1] : ".", yes, json ? TELL_JSON : TELL_PLAIN);
	for (int i = 1; i <= count; i++) {
		int failed = inside_is_root(argv[i], &target) ? discard_all(argv[i], yes, TELL_NOTHING)
							      : discard_path(argv[i]);

		code = code ? code : failed;
	}
	if (json && !code)
		printf("{\"paths\":%d}\n", count);
	return code;
}
