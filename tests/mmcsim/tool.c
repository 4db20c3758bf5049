/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmcsim: makes drives and media, and is the hand at the drive. See README.md. */
#include "drive.h"

#pragma weak medium_kind_find
#pragma weak medium_create

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tool_drive(int argc, char **argv)
{
	return drive_create(argv[0]);
}

static int tool_new(int argc, char **argv)
{
	const struct medium_kind *kind = medium_kind_find(argv[0]);
	uint32_t sectors = 0;

	if (!kind)
		return -1;
	if (argc == 4 && strcmp(argv[2], "--sectors") == 0)
		sectors = (uint32_t)strtoul(argv[3], NULL, 0);
	return medium_create(argv[1], kind, sectors);
}

static int tool_insert(int argc, char **argv)
{
	struct drive drive;
	int r = drive_open(&drive, argv[0]);

	if (r < 0)
		return r;
	drive_lock(&drive);
	r = drive_insert(&drive, argv[1]);
	drive_unlock(&drive);
	drive_close(&drive);
	return r;
}

static const struct verb {
	const char *name, *arguments;
	int least;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "drive", "DIR/sr0", 1, tool_drive },
	{ "new", "KIND FILE [--sectors N]", 2, tool_new },
	{ "insert", "DIR/sr0 FILE", 2, tool_insert },
	{ NULL },
};

int main(int argc, char **argv)
{
	for (const struct verb *verb = verbs; argc > 1 && verb->name; verb++) {
		int r;

		if (strcmp(verb->name, argv[1]) != 0 || argc - 2 < verb->least)
			continue;
		r = verb->run(argc - 2, argv + 2);
		if (r < 0)
			fprintf(stderr, "mmcsim %s: %s\n", verb->name, strerror(-r));
		return r < 0;
	}
	for (const struct verb *verb = verbs; verb->name; verb++)
		fprintf(stderr, "mmcsim %s %s\n", verb->name, verb->arguments);
	return 1;
}
