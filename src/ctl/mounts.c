/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/mounts.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define SOURCE_PREFIX "discfs:"

/* Copies a word up to a space, with \ooo turned back into bytes. Returns what follows the word. */
static const char *word_copy(const char *from, char *ret, size_t room)
{
	size_t at = 0;

	for (; *from && *from != ' ' && *from != '\n'; from++) {
		unsigned value;

		if (at + 1 >= room)
			continue;
		if (from[0] == '\\' && sscanf(from + 1, "%3o", &value) == 1) {
			ret[at++] = (char)value;
			from += 3;
		} else {
			ret[at++] = *from;
		}
	}
	ret[at] = '\0';
	return *from == ' ' ? from + 1 : from;
}

/* "rw,user_id=1000,group_id=1000,…" */
static void owner_parse(const char *options, struct mounts_line *ret)
{
	static const char user[] = ",user_id=", group[] = ",group_id=";
	const char *uid = strstr(options, user), *gid = strstr(options, group);

	ret->uid = uid ? (uid_t)strtoul(uid + sizeof user - 1, NULL, 10) : 0;
	ret->gid = gid ? (gid_t)strtoul(gid + sizeof group - 1, NULL, 10) : 0;
}

/* "36 35 98:0 /root /mnt rw,noatime master:1 - type source options" */
static bool line_parse(const char *line, struct mounts_line *ret)
{
	const char *dash = strstr(line, " - ");
	unsigned major, minor;

	if (!dash || sscanf(line, "%*s %*s %u:%u", &major, &minor) != 2)
		return false;
	ret->device = makedev(major, minor);
	for (int i = 0; i < 4; i++) {
		line = strchr(line, ' ');
		if (!line)
			return false;
		line++;
	}
	word_copy(line, ret->point, sizeof ret->point);
	line = word_copy(dash + 3, ret->type, sizeof ret->type);
	ret->discfs = strcmp(ret->type, MOUNTS_DISCFS) == 0;
	owner_parse(word_copy(line, ret->source, sizeof ret->source), ret);
	return true;
}

static void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

int mounts_each(const char *table, void (*match)(void *self, const struct mounts_line *line), void *self)
{
	CLEANUP(cleanup_file) FILE *file = fopen(table, "re");
	AUTO_FREE char *line = NULL;
	struct mounts_line mount;
	size_t room = 0;

	if (!file)
		return -errno;
	while (getline(&line, &room, file) > 0)
		if (line_parse(line, &mount))
			match(self, &mount);
	return 0;
}

const char *mounts_source(const struct mounts_line *line)
{
	bool prefixed = line->discfs && strncmp(line->source, SOURCE_PREFIX, strlen(SOURCE_PREFIX)) == 0;

	return line->source + (prefixed ? strlen(SOURCE_PREFIX) : 0);
}
