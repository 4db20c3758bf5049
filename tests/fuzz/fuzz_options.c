/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as mount options, and as lines written to .discfs/control of a mount that takes none. */
#include "fuzz.h"

#include "control/control.h"
#include "mount/options.h"

#include <getopt.h>

static void parse(char *text)
{
	char name[] = "discfs", flag[] = "-o", source[] = "x", place[] = "/";
	char *argv[] = { name, flag, text, source, place, NULL };
	struct options options = { 0 };
	struct reason why = { 0 };

	optind = 0;
	(void)options_parse(&options, 5, argv, &why);
	options_clear(&options);
}

static void tell(const char *text, size_t length)
{
	static struct disc disc = { .read_only = true };
	static struct commit commit = { .disc = &disc, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct control control = { .disc = &disc, .commit = &commit };

	disc.tree.read_only = true;
	if (!strstr(text, "sync")) /* the one that works on a tree that is read-only */
		(void)control_run(&control, text, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	tell(text, size);
	parse(text);
	free(text);
	return 0;
}
