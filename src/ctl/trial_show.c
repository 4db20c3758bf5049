/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/trial_show.h"

#include "base/exit_code.h"

#include <stdio.h>
#include <string.h>

#define ITEMS_SHOWN 5u

/* Lines that begin with a blank are items of the line before them. */
static void print_lines(const char *text, bool all)
{
	unsigned items = 0, hidden = 0;

	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		bool is_item = line[0] == ' ';

		items = is_item ? items + 1 : 0;
		if (!is_item && hidden) {
			printf("  … and %u more lines (--verbose)\n", hidden);
			hidden = 0;
		}
		if (is_item && items > ITEMS_SHOWN && !all)
			hidden++;
		else
			printf("%.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
	if (hidden)
		printf("  … and %u more lines (--verbose)\n", hidden);
}

int trial_show(const struct target *target, bool all)
{
	AUTO_TEXT struct text text = { 0 };
	int code = target_read(target, "trial", &text);
	const char *rest = text.data ? strchr(text.data, '\n') : NULL;

	if (!code && rest)
		print_lines(rest + 1, all);
	return code;
}

int trial_show_json(const struct target *target, const char *last)
{
	AUTO_TEXT struct text text = { 0 };
	int code = target_read(target, "trial.json", &text);
	size_t length = strlen(last);

	if (code)
		return code;
	if (length && last[length - 1] == '}')
		printf("%.*s,\"trial\":%s}\n", (int)(length - 1), last, text.data ? text.data : "null");
	else
		puts(last);
	return EXIT_CODE_DONE;
}
