/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ctl.h"
#include "ctl/target.h"
#include "ctl/work.h"

#include <stdio.h>
#include <string.h>

#define LABEL_LIMIT 32u /* bytes of a volume identifier (ECMA-119 8.4.7) */

static int label_check(const char *label)
{
	if (!label)
		return EXIT_CODE_DONE;
	if (!label[0] || strlen(label) > LABEL_LIMIT)
		return ctl_usage("commit", "a label has 1 to %u bytes", LABEL_LIMIT);
	for (const char *at = label; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7F)
			return ctl_usage("commit", "a label can't have control characters");
	return EXIT_CODE_DONE;
}

int command_commit(int argc, char **argv)
{
	const char *label = NULL;
	bool no_wait = false, json = false;
	const struct option_spec options[] = {
		{ "label", 'l', .word = &label },
		{ "no-wait", 0, .flag = &no_wait },
		{ "json", 0, .flag = &json },
		{ 0 },
	};
	AUTO_JSON struct json status = { 0 };
	struct target target;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = label_check(label);
	if (!code)
		code = target_find(count ? argv[1] : ".", &target);
	if (code)
		return code;
	target_sync(&target);
	code = target_status(&target, &status);
	if (code)
		return code;
	if (!work_staged(&status) && !json_has(&status, "$.work")) {
		puts(json ? "null" : "Nothing is staged: there is nothing to commit");
		return EXIT_CODE_DONE;
	}
	return work_commit(&target, &status, label, json, !no_wait);
}

int command_wait(int argc, char **argv)
{
	struct work_watch watch = { .serial = -1, .timeout_s = -1 };
	const struct option_spec options[] = {
		{ "timeout", 't', .number = &watch.timeout_s },
		{ "json", 0, .flag = &watch.quiet },
		{ 0 },
	};
	AUTO_JSON struct json status = { 0 };
	struct target target;
	bool busy;
	int count, code = ctl_options(argc, argv, options, 1, &count);

	if (!code)
		code = target_find(count ? argv[1] : ".", &target);
	if (!code)
		code = work_follow(&target, &watch, &status, &busy);
	if (code)
		return code;
	if (!busy && !watch.quiet)
		puts("Nothing is under way");
	if (!busy && !watch.quiet && !json_int(&status, "$.last.exit"))
		return EXIT_CODE_DONE;
	return work_report(&status, watch.quiet);
}
