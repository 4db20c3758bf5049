/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/target.h"
#include "ctl/work.h"
#include "model/speed.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LABEL_LIMIT 32u /* bytes of a volume identifier (ECMA-119 8.4.7) */

/* The words of a command line of commit or finalize. */
struct commit_words {
	struct work_wish wish;
	const char *speed;
	const char *to;
	char path[PATH_MAX + 1];
	bool no_wait, quiet, json;
};

static int label_check(const char *command, const char *label)
{
	if (!label)
		return EXIT_CODE_DONE;
	if (!label[0] || strlen(label) > LABEL_LIMIT)
		return ctl_usage(command, "a label has 1 to %u bytes", LABEL_LIMIT);
	if (!text_is_printable(label, strlen(label)))
		return ctl_usage(command, "a label is text in UTF-8, without control characters");
	return EXIT_CODE_DONE;
}

/* Before it is known what medium it is for. */
static int speed_check(const char *command, const char *speed)
{
	uint32_t kbps;

	if (speed && speed_parse(speed, "cd", &kbps) < 0)
		return ctl_usage(command, "'%s' is no speed: write 8x, or a number of kB/s", speed);
	return EXIT_CODE_DONE;
}

/* The daemon has another working directory. */
static int to_check(const char *command, struct commit_words *words)
{
	const char *slash = words->to ? strrchr(words->to, '/') : NULL;
	AUTO_FREE char *dir = NULL, *real = NULL;
	int length;

	if (!words->to)
		return words->wish.force ? ctl_usage(command, "--force goes with --to") : EXIT_CODE_DONE;
	if (words->wish.finalize || words->wish.simulate || words->wish.stream || words->speed)
		return ctl_usage(
		    command, "--to says where the session goes instead of to the drive: nothing that tells "
			     "the drive what to do goes with it");
	dir = slash ? strndup(words->to, (size_t)(slash - words->to + 1)) : strdup(".");
	real = dir ? realpath(dir, NULL) : NULL;
	if (!real)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", words->to, strerror(errno));
	length = snprintf(words->path, sizeof words->path, "%s/%s", strcmp(real, "/") == 0 ? "" : real,
			  slash ? slash + 1 : words->to);
	if (length < 0 || (size_t)length >= sizeof words->path)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", words->to, strerror(ENAMETOOLONG));
	words->wish.to = words->path;
	return EXIT_CODE_DONE;
}

/* What 4x is depends on the medium. */
static int speed_set(const char *command, const struct json *status, struct commit_words *words)
{
	AUTO_FREE char *profile = json_string(status, "$.medium.profile");
	int err =
	    words->speed ? speed_parse(words->speed, profile ? profile : "", &words->wish.speed_kbps) : 0;

	if (err == -EMEDIUMTYPE)
		return ctl_usage(command, "what 1x is on this medium isn't known: write --speed in kB/s");
	if (err < 0)
		return ctl_usage(command, "'%s' is no speed: write 8x, or a number of kB/s", words->speed);
	return EXIT_CODE_DONE;
}

/* A drive or an image file isn't mounted yet, or its name was taken for that of its folder. */
static int target_of_argument(const char *argument, struct target *ret)
{
	AUTO_FREE char *word = text_shell_word(argument);
	struct stat st;
	char real[PATH_MAX];

	if (stat(argument, &st) < 0 || (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode)) ||
	    !realpath(argument, real) || target_look(argument, ret) == 0)
		return target_find(argument, ret);
	if (target_of_source(real, ret))
		return EXIT_CODE_DONE;
	return ctl_fail(EXIT_CODE_NO_DISCFS, "%s isn't mounted: mount it first (discfs %s DIR)", argument,
			word);
}

static int commit_run(const char *command, const char *argument, struct commit_words *words)
{
	AUTO_JSON struct json status = { 0 };
	struct target target;
	int code = label_check(command, words->wish.label);

	if (!code)
		code = speed_check(command, words->speed);
	if (!code)
		code = to_check(command, words);
	if (!code)
		code = target_of_argument(argument, &target);
	if (code)
		return code;
	target_sync(&target);
	code = target_status(&target, &status);
	if (!code)
		code = speed_set(command, &status, words);
	if (code)
		return code;
	/* A disc that takes nothing more says so, also when there is nothing to be added. */
	if (!work_staged(&status) && !words->wish.finalize && !json_has(&status, "$.work") &&
	    !json_bool(&status, "$.read_only")) {
		if (words->json || !words->quiet)
			puts(words->json ? "null" : "Nothing is staged: there is nothing to commit");
		return EXIT_CODE_DONE;
	}
	return work_commit(&target, &words->wish,
			   words->json		 ? WORK_JSON
			   : words->quiet	 ? WORK_SILENT
			   : words->wish.verbose ? WORK_VERBOSE
						 : WORK_PLAIN,
			   !words->no_wait);
}

int command_commit(int argc, char **argv)
{
	struct commit_words words = { 0 };
	const struct option_spec options[] = {
		{ "label", 'l', .word = &words.wish.label },
		{ "finalize", 0, .flag = &words.wish.finalize },
		{ "simulate", 0, .flag = &words.wish.simulate },
		{ "dry-run", 'n', .flag = &words.wish.dry_run },
		{ "verbose", 'v', .flag = &words.wish.verbose },
		{ "stream-recording", 0, .flag = &words.wish.stream },
		{ "speed", 0, .word = &words.speed },
		{ "to", 0, .word = &words.to },
		{ "force", 0, .flag = &words.wish.force },
		{ "damaged", 0, .flag = &words.wish.damaged },
		{ "no-verify", 0, .flag = &words.wish.no_verify },
		{ "no-wait", 0, .flag = &words.no_wait },
		{ "quiet", 'q', .flag = &words.quiet },
		{ "json", 0, .flag = &words.json },
		{ 0 },
	};
	int count, code = ctl_options(argc, argv, options, 1, &count);

	return code ? code : commit_run(argv[0], count ? argv[1] : ".", &words);
}

int command_finalize(int argc, char **argv)
{
	struct commit_words words = { .wish.finalize = true };
	const struct option_spec options[] = {
		{ "label", 'l', .word = &words.wish.label }, { "speed", 0, .word = &words.speed },
		{ "no-wait", 0, .flag = &words.no_wait },    { "quiet", 'q', .flag = &words.quiet },
		{ "json", 0, .flag = &words.json },	     { 0 },
	};
	int count, code = ctl_options(argc, argv, options, 1, &count);

	return code ? code : commit_run(argv[0], count ? argv[1] : ".", &words);
}

/* With nothing under way the last one may be what somebody waits for: its daemon died, say, and the mount
 * that followed brought it to its end. */
static int report_last(const struct json *result)
{
	AUTO_FREE char *message = json_string(result, "$.message");

	if (json_int(result, "$.exit"))
		return work_report(result, WORK_PLAIN);
	fputs("Nothing is under way", stdout);
	if (message && message[0]) {
		fputs("; the last commit: ", stdout);
		format_print_name(message);
	}
	putchar('\n');
	return EXIT_CODE_DONE;
}

int command_wait(int argc, char **argv)
{
	struct work_watch watch = { .timeout_s = -1 };
	bool quiet = false, json = false;
	const struct option_spec options[] = {
		{ "timeout", 't', .number = &watch.timeout_s },
		{ "quiet", 'q', .flag = &quiet },
		{ "json", 0, .flag = &json },
		{ 0 },
	};
	CLEANUP(work_end_clear) struct work_end end = { 0 };
	struct target target;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	watch.quiet = quiet || json;
	if (!code)
		code = target_find(count ? argv[1] : ".", &target);
	if (!code)
		code = work_follow(&target, &watch, &end);
	if (code)
		return code;
	if (!end.was_busy && !watch.quiet)
		return report_last(&end.result);
	return work_report(&end.result, json ? WORK_JSON : quiet ? WORK_SILENT : WORK_PLAIN);
}
