/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "ctl/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names of files may be in it. */
PRINTF(1, 0) static void complain(const char *fmt, va_list args)
{
	AUTO_TEXT struct text plain = { 0 };
	char *line = NULL;

	if (vasprintf(&line, fmt, args) < 0)
		return;
	text_add_visible(&plain, line, strlen(line));
	fputs(plain.failed || !plain.data ? line : plain.data, stderr);
	free(line);
}

int ctl_fail(int code, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("discfsctl: ", stderr);
	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

int ctl_usage(const char *command, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "discfsctl %s: ", command);
	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	fprintf(stderr, "\nTry: discfsctl %s --help\n", command);
	return EXIT_CODE_USAGE;
}

int ctl_confirm(const char *command, const char *what, const char *question, const char *no)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO))
		return ctl_fail(EXIT_CODE_USAGE, "%s: not at a terminal: --yes is needed to %s", command,
				what);
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return EXIT_CODE_DONE;
	return ctl_fail(EXIT_CODE_CANCELLED, "%s", no);
}

/* How many letters must be inserted, dropped or changed to make one word of the other; words over 15 letters:
 * many. */
unsigned ctl_distance(const char *a, const char *b)
{
	unsigned row[16], width = (unsigned)strlen(b);

	if (width > 15)
		return 99;
	for (unsigned j = 0; j <= width; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= width; j++) {
			unsigned above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

			best = above + 1 < best ? above + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = above;
		}
	}
	return row[width];
}

/* word: without its dashes; length: up to a '='. */
static const struct option_spec *option_find(const struct option_spec *options, const char *word,
					     size_t length)
{
	for (; options->name; options++)
		if (strlen(options->name) == length && strncmp(options->name, word, length) == 0)
			return options;
	return NULL;
}

static const struct option_spec *option_find_letter(const struct option_spec *options, char letter)
{
	for (; options->name; options++)
		if (options->letter && options->letter == letter)
			return options;
	return NULL;
}

static int option_set(const char *command, const struct option_spec *option, const char *value)
{
	char *end;

	if (option->flag) {
		*option->flag = true;
		return EXIT_CODE_DONE;
	}
	if (option->word) {
		*option->word = value;
		return EXIT_CODE_DONE;
	}
	errno = 0;
	*option->number = strtoll(value, &end, 10);
	if (!isdigit((unsigned char)value[0]) || *end || errno)
		return ctl_usage(command, "--%s takes a number, not '%s'", option->name, value);
	return EXIT_CODE_DONE;
}

static int option_unknown(const char *command, const char *word, const struct option_spec *options)
{
	const struct option_spec *nearest = NULL;
	unsigned least = 3;
	char name[16];

	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word[1] == '-' ? word + 2 : "");
	for (; name[0] && options->name; options++) {
		unsigned distance = ctl_distance(name, options->name);

		if (strncmp(name, options->name, strlen(name)) == 0)
			distance = 1;
		if (distance < least) {
			least = distance;
			nearest = options;
		}
	}
	if (nearest)
		return ctl_usage(command, "there is no option '%s'; did you mean '--%s'?", word,
				 nearest->name);
	return ctl_usage(command, "there is no option '%s'", word);
}

/* For completion: the options, with a = where they take a word. */
static void list_options(const struct option_spec *options)
{
	for (; options->name; options++) {
		const char *argument = options->flag ? "" : "=";

		printf("--%s%s\n", options->name, argument);
		if (options->letter)
			printf("-%c%s\n", options->letter, argument);
	}
	puts("--help\n-h");
}

/* One option at argv[*at], maybe with its argument behind it. */
static int option_take(int argc, char **argv, int *at, const struct option_spec *options)
{
	const char *word = argv[*at], *value = NULL;
	const struct option_spec *option;

	if (word[1] == '-') {
		size_t length = strcspn(word + 2, "=");

		option = option_find(options, word + 2, length);
		value = word[2 + length] ? word + 2 + length + 1 : NULL;
	} else {
		option = option_find_letter(options, word[1]);
		value = word[2] ? word + 2 : NULL;
	}
	if (!option)
		return option_unknown(argv[0], word, options);
	if (option->flag && value)
		return ctl_usage(argv[0], "--%s takes no argument", option->name);
	if (!option->flag && !value) {
		if (*at + 1 >= argc)
			return ctl_usage(argv[0], "--%s needs an argument", option->name);
		value = argv[++*at];
	}
	return option_set(argv[0], option, value);
}

int ctl_options(int argc, char **argv, const struct option_spec *options, int most, int *ret_count)
{
	bool only_words = false;
	int count = 0;

	if (argc == 2 && strcmp(argv[1], "--list-options") == 0) {
		list_options(options);
		exit(fflush(stdout) == 0 ? EXIT_CODE_DONE : EXIT_CODE_SYSTEM);
	}
	for (int at = 1; at < argc; at++) {
		int code = EXIT_CODE_DONE;

		if (!only_words && strcmp(argv[at], "--") == 0)
			only_words = true;
		else if (!only_words && argv[at][0] == '-' && argv[at][1])
			code = option_take(argc, argv, &at, options);
		else if (count == most)
			code = ctl_usage(argv[0], "too many arguments: '%s'", argv[at]);
		else
			argv[++count] = argv[at];
		if (code)
			return code;
	}
	*ret_count = count;
	return EXIT_CODE_DONE;
}
