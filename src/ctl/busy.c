/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/busy.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#define NAMED	 3
#define TRIES	 10 /* a look of somebody's is over by then */
#define PAUSE_NS 100000000l

struct search {
	const char *root;
	struct stat space; /* our own mount namespace */
	unsigned found;
	struct text *who;
};

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool is_inside(const struct search *search, const char *path)
{
	size_t length = strlen(search->root);

	return strncmp(path, search->root, length) == 0 && (path[length] == '/' || !path[length]);
}

static bool link_leads_in(const struct search *search, int at, const char *name)
{
	char path[PATH_MAX];
	ssize_t length = readlinkat(at, name, path, sizeof path - 1);

	if (length < 0)
		return false;
	path[length] = '\0';
	return is_inside(search, path);
}

static bool any_file(const struct search *search, const char *pid)
{
	char name[64];
	struct dirent *entry;
	CLEANUP(cleanup_dir) DIR *dir = NULL;

	snprintf(name, sizeof name, "/proc/%.16s/fd", pid);
	dir = opendir(name);
	while (dir && (entry = readdir(dir)))
		if (link_leads_in(search, dirfd(dir), entry->d_name))
			return true;
	return false;
}

static void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static bool any_map(const struct search *search, const char *pid)
{
	AUTO_FREE char *line = NULL;
	size_t room = 0;
	char name[64];
	CLEANUP(cleanup_file) FILE *file = NULL;

	snprintf(name, sizeof name, "/proc/%.16s/maps", pid);
	file = fopen(name, "re");
	while (file && getline(&line, &room, file) > 0) {
		char *path = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (path && is_inside(search, path))
			return true;
	}
	return false;
}

/* The same name in another mount namespace is another place. */
static bool holds(const struct search *search, const char *pid)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	struct stat space;
	char name[64];

	snprintf(name, sizeof name, "/proc/%.16s/ns/mnt", pid);
	if (stat(name, &space) < 0 || space.st_ino != search->space.st_ino)
		return false;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(name, sizeof name, "/proc/%.16s/%s", pid, links[i]);
		if (link_leads_in(search, AT_FDCWD, name))
			return true;
	}
	return any_file(search, pid) || any_map(search, pid);
}

static void add_name(struct search *search, const char *pid)
{
	char path[64], name[64] = "";
	CLEANUP(cleanup_file) FILE *file = NULL;

	if (search->found++ >= NAMED)
		return;
	snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(name, sizeof name, file))
		name[strcspn(name, "\n")] = '\0';
	text_add(search->who, "%s", search->found > 1 ? ", " : "");
	text_add_escaped(search->who, name, strlen(name));
	text_add(search->who, " (%s)", pid);
}

static void find_holders(struct search *search)
{
	CLEANUP(cleanup_dir) DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (stat("/proc/self/ns/mnt", &search->space) < 0)
		return;
	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid() &&
		    holds(search, entry->d_name))
			add_name(search, entry->d_name);
	if (search->found > NAMED)
		text_add(search->who, ", and %u more", search->found - NAMED);
}

/* The first such call on a mount that nobody uses marks it, and says EAGAIN; whoever uses it takes the mark
 * away. A second one would unmount it: a mark of somebody else's goes first. */
static bool kernel_says_busy(const char *root)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int i = 0; i < TRIES; i++) {
		int use = open(root, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (use >= 0)
			close(use);
		if (umount2(root, MNT_EXPIRE | UMOUNT_NOFOLLOW) == 0 || errno != EBUSY)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

bool busy_mount(const struct target *target, struct text *ret_who)
{
	struct search search = { .root = target->root, .who = ret_who };

	if (geteuid() == 0 && !kernel_says_busy(target->root))
		return false;
	find_holders(&search);
	if (!search.found && target_has_below(target)) {
		text_add(ret_who, "something is mounted below it");
		return true;
	}
	return geteuid() == 0 || search.found > 0;
}
