/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/elsewhere.h"

#include "base/cleanup.h"
#include "ctl/mounts.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAEMON "discfs\n"

struct search {
	const char *source;
	const char *pid;
	struct target *target;
	bool found;
};

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool is_daemon(const char *pid)
{
	char path[64], name[sizeof DAEMON];
	AUTO_CLOSE int fd = -1;

	snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, name, sizeof name) == (ssize_t)strlen(DAEMON) &&
	       memcmp(name, DAEMON, strlen(DAEMON)) == 0;
}

static bool is_space_of_ours(const char *pid)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof path, "/proc/%.16s/ns/mnt", pid);
	return stat("/proc/self/ns/mnt", &ours) < 0 || stat(path, &theirs) < 0 ||
	       ours.st_ino == theirs.st_ino;
}

static void match(void *self, const struct mounts_line *line)
{
	struct search *search = self;
	struct target *target = search->target;

	if (!line->discfs || strcmp(mounts_source(line), search->source) != 0)
		return;
	search->found = (size_t)snprintf(target->root, sizeof target->root, "/proc/%s/root%s", search->pid,
					 line->point) < sizeof target->root;
	target->owner = line->uid;
	target->elsewhere = (pid_t)atoi(search->pid);
}

bool elsewhere_find(const char *source, struct target *ret)
{
	CLEANUP(cleanup_dir) DIR *dir = opendir("/proc");
	struct search search = { .source = source, .target = ret };
	struct dirent *entry;
	char table[64];

	while (dir && !search.found && (entry = readdir(dir))) {
		search.pid = entry->d_name;
		if (!isdigit((unsigned char)*search.pid) || !is_daemon(search.pid) ||
		    is_space_of_ours(search.pid))
			continue;
		snprintf(table, sizeof table, "/proc/%.16s/mountinfo", search.pid);
		mounts_each(table, match, &search);
	}
	return search.found;
}
