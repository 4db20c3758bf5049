/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/target.h"
#include "ctl/work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Removes "//", "/." and "/x/.." from an absolute path, in place. */
static void path_tidy(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		size_t length;

		from += strspn(from, "/");
		length = strcspn(from, "/");
		if (length == 2 && from[0] == '.' && from[1] == '.') {
			while (to > path && *--to != '/')
				;
		} else if (length && !(length == 1 && from[0] == '.')) {
			*to++ = '/';
			memmove(to, from, length);
			to += length;
		}
		from += length;
	}
	*to = '\0';
}

static int path_absolute(const char *path, char *ret, size_t room)
{
	char here[PATH_MAX] = "";
	int length;

	if (path[0] != '/' && !getcwd(here, sizeof here))
		return -errno;
	length = snprintf(ret, room, "%s/%s", here, path);
	if (length < 0 || (size_t)length >= room)
		return -ENAMETOOLONG;
	path_tidy(ret);
	return 0;
}

/* The mount point itself, and no symbolic link to it. */
static bool path_is_root(const char *path, struct target *target)
{
	char real[PATH_MAX];
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && realpath(path, real) &&
	       target_look(path, target) == 0 && strcmp(real, target->root) == 0;
}

/* Splits a path, which may be of something deleted together with its directory, into the mount and the path
 * in it. */
static int path_locate(const char *path, struct target *target, char *ret_inside, size_t room)
{
	char whole[2 * PATH_MAX], above[2 * PATH_MAX], real[PATH_MAX];
	size_t length;
	int err = path_absolute(path, whole, sizeof whole);

	if (err < 0)
		return err;
	/* The last name isn't followed: of a symbolic link it's the link that is meant. */
	length = strlen(whole);
	do {
		while (length && whole[length - 1] != '/')
			length--;
		length -= length > 0;
		snprintf(above, sizeof above, "%.*s/", (int)length, whole);
	} while (length && !realpath(above, real));
	if (!length && !realpath("/", real))
		return -errno;
	err = target_look(real, target);
	if (err < 0)
		return err;
	/* Both begin with the mount point: real is it, or below it. */
	snprintf(above, sizeof above, "%s%s", real, whole + length);
	return snprintf(ret_inside, room, "%s", above + strlen(target->root) + 1) < (int)room ? 0
											      : -ENAMETOOLONG;
}

static int discard_refused(const char *what, int err)
{
	switch (err) {
	case EBUSY:
		return ctl_fail(EXIT_CODE_BUSY, "%s: a commit is under way (discfsctl wait)", what);
	case ENOENT:
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: nothing is staged there", what);
	case EACCES:
	case EPERM:
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: only the owner of the mount may control it", what);
	}
	return ctl_fail(exit_code_of_errno(err), "%s: %s", what, strerror(err));
}

static int discard_path(const char *path)
{
	AUTO_TEXT struct text line = { 0 };
	char inside[PATH_MAX];
	struct target target;
	int err = path_locate(path, &target, inside, sizeof inside);

	if (err == -ENXIO)
		return ctl_fail(EXIT_CODE_NO_DISCFS, "%s is not in a disc that discfs has mounted", path);
	if (err < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", path, strerror(-err));
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

		if (path_is_root(argv[i], &target))
			return discard_all(argv[i], yes, json);
		failed = discard_path(argv[i]);

		code = code ? code : failed;
	}
	if (json && !code)
		printf("{\"paths\":%d}\n", count);
	return code;
}
