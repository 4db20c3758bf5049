/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/inside.h"
#include "ctl/work.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_SOUGHT 20000u

/* Looks through a session's tree for a file of that name: it was somewhere else then. */
struct seek {
	const char *name;
	size_t above;  /* length of the session's own path */
	unsigned left; /* names to look at before it's given up */
	char found[PATH_MAX];
};
static struct seek seek; /* nftw hands nothing over */

static int seek_step(const char *path, const struct stat *st, int type, struct FTW *where)
{
	if (where->level && strcmp(path + where->base, seek.name) == 0) {
		snprintf(seek.found, sizeof seek.found, "%s", path + seek.above + 1);
		return 1;
	}
	return seek.left-- == 0;
}

static int not_there(const struct target *target, const char *session, const char *what)
{
	const char *slash = strrchr(what, '/');
	char top[PATH_MAX + 64];

	snprintf(top, sizeof top, "%s/.discfs/sessions/%s", target->root, session);
	seek = (struct seek){ .name = slash ? slash + 1 : what, .above = strlen(top), .left = NAMES_SOUGHT };
	if (!seek.name[0] || nftw(top, seek_step, 16, FTW_PHYS) != 1 || !seek.found[0])
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: session %s has nothing there", what, session);
	return ctl_fail(
	    EXIT_CODE_SYSTEM,
	    "%s: session %s has nothing there, but it has %s: restore that, or copy it from %s/%s", what,
	    session, seek.found, top, seek.found);
}

static int restore_refused(const struct target *target, const char *session, const char *what, int err)
{
	switch (err) {
	case ENOMEDIUM:
		return ctl_fail(EXIT_CODE_NO_MEDIUM,
				"session %s wasn't looked at while the disc was here, so nothing is known of "
				"it now: mount the disc itself",
				session);
	case ENXIO:
		return ctl_fail(EXIT_CODE_SYSTEM, "the disc has no session %s (discfsctl log)", session);
	case ENOENT:
		return not_there(target, session, what);
	case ENOTDIR:
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: something else is in the way of its directory", what);
	case EROFS:
		return ctl_fail(EXIT_CODE_NOT_APPENDABLE, "%s: the disc is read-only", what);
	case EIO:
		return ctl_fail(EXIT_CODE_SYSTEM, "session %s can't be read: see the log", session);
	}
	return inside_refused(what, err);
}

static int tell(const struct target *target, const char *session, const char *inside, const char *what)
{
	AUTO_TEXT struct text line = { 0 };
	int err;

	text_add(&line, "restore %s", session);
	if (inside) {
		text_add(&line, " /");
		text_add_escaped(&line, inside, strlen(inside));
	}
	err = line.failed ? -ENOMEM : target_tell(target, line.data);
	return err < 0 ? restore_refused(target, session, what, -err) : EXIT_CODE_DONE;
}

static int restore_path(const char *session, const char *path)
{
	char inside[PATH_MAX];
	struct target target;
	int code = inside_find(path, &target, inside, sizeof inside);

	return code ? code : tell(&target, session, inside, path);
}

static int confirm(const char *session, const struct json *status)
{
	AUTO_TEXT struct text question = { 0 };

	text_add(&question, "Restore all of session %s? ", session);
	format_plural(&question, work_staged(status), "staged change");
	text_add(&question, " is lost where it isn't the same.");
	return ctl_confirm("restore", "restore everything", question.failed ? "Restore all?" : question.data,
			   "nothing is restored");
}

static int restore_all(const char *session, const char *path, bool yes)
{
	AUTO_JSON struct json status = { 0 };
	struct target target;
	int code = target_find(path, &target);

	if (!code)
		code = target_status(&target, &status);
	if (!code && !yes && work_staged(&status))
		code = confirm(session, &status);
	return code ? code : tell(&target, session, NULL, target.root);
}

int command_restore(int argc, char **argv)
{
	bool yes = false, json = false;
	const struct option_spec options[] = {
		{ "yes", 'y', .flag = &yes },
		{ "json", 0, .flag = &json },
		{ 0 },
	};
	int count, code = ctl_options(argc, argv, options, argc, &count);
	const char *session = argv[1];

	if (code)
		return code;
	if (!count || !session[0] || strlen(session) > 4 || session[0] == '0' ||
	    strspn(session, "0123456789") != strlen(session))
		return ctl_usage("restore", "say which session: its number (discfsctl log lists them)");
	if (count == 1)
		code = restore_all(session, ".", yes);
	for (int i = 2; i <= count; i++) {
		struct target target;
		int failed = inside_is_root(argv[i], &target) ? restore_all(session, argv[i], yes)
							      : restore_path(session, argv[i]);

		code = code ? code : failed;
	}
	if (json && !code)
		printf("{\"session\":%s,\"paths\":%d}\n", session, count - 1);
	return code;
}
