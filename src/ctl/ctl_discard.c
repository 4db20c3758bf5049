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

static int confirm(const struct json *status)
{
	AUTO_TEXT struct text question = { 0 };

	text_add(&question, "Discard ");
	format_plural(&question, work_staged(status), "staged change");
	text_add(&question, "? What was not burned is lost.");
	return ctl_confirm("discard", "discard everything", question.failed ? "Discard all?" : question.data,
			   "nothing is discarded");
}

static int discard_all(const char *path, bool yes, bool json)
{
	AUTO_JSON struct json status = { 0 };
	struct target target;
	int code = target_find(path, &target);
	int err;

	if (!code)
		code = target_status(&target, &status);
	if (code)
		return code;
	if (!work_staged(&status)) {
		puts(json ? "{\"discarded\":0}" : "Nothing is staged");
		return EXIT_CODE_DONE;
	}
	code = yes ? EXIT_CODE_DONE : confirm(&status);
	if (code)
		return code;
	err = target_tell(&target, "discard");
	if (err < 0)
		return discard_refused(target.root, -err);
	if (json) {
		printf("{\"discarded\":%" PRIu64 "}\n", work_staged(&status));
	} else {
		AUTO_TEXT struct text line = { 0 };

		format_plural(&line, work_staged(&status), "staged change");
		printf("Discarded %s\n", line.failed ? "everything" : line.data);
	}
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
	int count, code = ctl_options(argc, argv, options, argc, &count);

	if (code)
		return code;
	if (!count)
		return discard_all(".", yes, json);
	for (int i = 1; i <= count; i++) {
		struct target target;
		int failed;

		if (inside_is_root(argv[i], &target))
			return discard_all(argv[i], yes, json);
		failed = discard_path(argv[i]);

		code = code ? code : failed;
	}
	if (json && !code)
		printf("{\"paths\":%d}\n", count);
	return code;
}
