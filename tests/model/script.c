/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An operation as a line: name user slot other n0 n1 n2 n3 path path2, with odd bytes as %XX and nothing as
 * "-". */
#include "model.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void path_print(FILE *file, const char *path)
{
	for (size_t run; *path; path += run) {
		for (run = 1; path[run] == *path; run++)
			;
		if (run < 10)
			run = 1;
		if (run > 1)
			fprintf(file, "%%*%zu*", run);
		if (isalnum((unsigned char)*path) || strchr("/._", *path))
			fputc(*path, file);
		else
			fprintf(file, "%%%02x", (unsigned char)*path);
	}
}

static void print_word(FILE *file, const char *path)
{
	fputc(' ', file);
	if (*path)
		path_print(file, path);
	else
		fputc('-', file);
}

void op_print(FILE *file, const struct op *op)
{
	fprintf(file, "%s %u %u %u", op->kind->name, op->user, op->slot, op->other);
	for (unsigned i = 0; i < NUMBERS; i++)
		fprintf(file, " %" PRId64, op->n[i]);
	print_word(file, op->path);
	print_word(file, op->path2);
	fputc('\n', file);
}

static void read_path(const char *word, char *ret)
{
	size_t length = 0;

	if (strcmp(word, "-") == 0)
		word = "";
	for (; *word; word++) {
		unsigned byte, run = 1;
		int skip = 0;

		if (sscanf(word, "%%*%u*%n", &run, &skip) == 1)
			word += skip;
		byte = (unsigned char)*word;
		if (byte == '%' && sscanf(word + 1, "%2x", &byte) == 1)
			word += 2;
		for (; run && length + 1 < PATH_ROOM; run--)
			ret[length++] = (char)byte;
	}
	ret[length] = '\0';
}

bool op_read(FILE *file, struct op *ret)
{
	static char line[8 * PATH_ROOM], name[32], path[3 * PATH_ROOM], path2[3 * PATH_ROOM];

	while (fgets(line, sizeof line, file)) {
		*ret = (struct op){ 0 };
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line,
			   "%31s %u %u %u %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %6143s %6143s",
			   name, &ret->user, &ret->slot, &ret->other, &ret->n[0], &ret->n[1], &ret->n[2],
			   &ret->n[3], path, path2) != 10 ||
		    ret->slot >= SLOTS || ret->other >= SLOTS || !(ret->kind = kind_find(name))) {
			fprintf(stderr, "model: not an operation: %s", line);
			exit(2);
		}
		read_path(path, ret->path);
		read_path(path2, ret->path2);
		return true;
	}
	return false;
}
