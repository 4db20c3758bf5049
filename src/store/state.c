/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/state.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define HEX_SIZE (2 * FINGERPRINT_SIZE + 1)
#define ID_BYTES 8 /* of the fingerprint, in the directory's name */

static void to_hex(const uint8_t *bytes, size_t count, char *ret)
{
	for (size_t i = 0; i < count; i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static const char known[] = "by-fingerprint", away[] = "to-file";

static void link_path(const struct state *state, const char *folder, const uint8_t *fingerprint, char *ret,
		      size_t room)
{
	char hex[HEX_SIZE];

	to_hex(fingerprint, FINGERPRINT_SIZE, hex);
	snprintf(ret, room, "%s/%s/%s", state->root, folder, hex);
}

int state_default_root(char *ret, size_t room, struct reason *why)
{
	const char *state_home = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int length;

	if (state_home && *state_home == '/')
		length = snprintf(ret, room, "%s/discfs", state_home);
	else if (geteuid() == 0)
		length = snprintf(ret, room, "/var/lib/discfs");
	else if (home && *home == '/')
		length = snprintf(ret, room, "%s/.local/state/discfs", home);
	else
		return reason_set(
		    why, ENOENT, "no place for staged work: set HOME or XDG_STATE_HOME, or use -o state=DIR");
	return (size_t)length < room
		   ? 0
		   : reason_set(why, ENAMETOOLONG, "the state directory's name is too long");
}

/* mkdir -p, for the owner only. */
static int make_dirs(const char *path, struct reason *why)
{
	char part[PATH_LIMIT];
	size_t length = strlen(path);

	if (length >= sizeof part)
		return reason_set(why, ENAMETOOLONG, "the state directory's name is too long");
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return reason_set(why, errno, "the state directory %s can't be made: %s", part,
					  strerror(errno));
	}
	return 0;
}

/* Two daemons that meet a new disc at the same moment must not both make its state. */
int state_lock_root(const char *root, struct reason *why)
{
	char path[PATH_LIMIT + 16];
	int fd;

	snprintf(path, sizeof path, "%s/lock", root);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		return reason_set(why, err, "%s can't be locked: %s", path, strerror(err));
	}
	return fd;
}

static int enter(struct state *state, const char *id, struct reason *why)
{
	int err;

	snprintf(state->id, sizeof state->id, "%s", id);
	snprintf(state->path, sizeof state->path, "%s/%s", state->root, id);
	state->dir_fd = open(state->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->dir_fd < 0)
		return reason_set(why, errno, "%s can't be opened: %s", state->path, strerror(errno));
	state->lock_fd = openat(state->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (state->lock_fd >= 0 && flock(state->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	err = errno;
	if (err == EWOULDBLOCK)
		return reason_set(why, EBUSY,
				  "another discfs has this disc mounted, or is still committing it (%s)",
				  state->path);
	return reason_set(why, err, "%s/lock: %s", state->path, strerror(err));
}

static void leave(struct state *state)
{
	if (state->lock_fd >= 0)
		close(state->lock_fd);
	if (state->dir_fd >= 0)
		close(state->dir_fd);
	state->lock_fd = state->dir_fd = -1;
}

/* A new directory: the beginning of the fingerprint, with a number behind where that is taken. */
static int make_new(struct state *state, const uint8_t *fingerprint, struct reason *why)
{
	char hex[2 * ID_BYTES + 1], id[48];

	to_hex(fingerprint, ID_BYTES, hex);
	for (int number = 1; number < 10000; number++) {
		char path[PATH_LIMIT + 64];

		snprintf(id, sizeof id, number > 1 ? "%s-%d" : "%s", hex, number);
		snprintf(path, sizeof path, "%s/%s", state->root, id);
		if (mkdir(path, 0700) == 0)
			break;
		if (errno != EEXIST)
			return reason_set(why, errno, "%s can't be made: %s", path, strerror(errno));
	}
	if (enter(state, id, why) < 0)
		return -why->err;
	return state_link(state, fingerprint, why);
}

/* After a power cut the link must lead to what was staged before it. */
static int sync_links(const struct state *state, const char *folder, struct reason *why)
{
	char path[PATH_LIMIT + 32];
	int ret;

	snprintf(path, sizeof path, "%s/%s", state->root, folder);
	ret = fd_sync_dir(state->root);
	if (ret == 0)
		ret = fd_sync_dir(path);
	return ret < 0 ? reason_set(why, -ret, "%s can't be synced: %s", path, strerror(-ret)) : 0;
}

static int put_link(const struct state *state, const char *folder, const uint8_t *fingerprint,
		    struct reason *why)
{
	char path[PATH_LIMIT + 128], target[64];

	link_path(state, folder, fingerprint, path, sizeof path);
	snprintf(target, sizeof target, "../%s", state->id);
	if (unlink(path) < 0 && errno != ENOENT)
		return reason_set(why, errno, "%s can't be replaced: %s", path, strerror(errno));
	if (symlink(target, path) < 0)
		return reason_set(why, errno, "%s can't be made: %s", path, strerror(errno));
	return sync_links(state, folder, why);
}

int state_link(const struct state *state, const uint8_t *fingerprint, struct reason *why)
{
	return put_link(state, known, fingerprint, why);
}

int state_link_away(const struct state *state, const uint8_t *print, struct reason *why)
{
	char path[PATH_LIMIT + 32];
	int ret;

	snprintf(path, sizeof path, "%s/%s", state->root, away);
	ret = make_dirs(path, why);
	return ret < 0 ? ret : put_link(state, away, print, why);
}

void state_unlink_away(const struct state *state, const uint8_t *print)
{
	char path[PATH_LIMIT + 128];

	link_path(state, away, print, path, sizeof path);
	unlink(path);
}

void state_unlink(const struct state *state, const uint8_t *fingerprint)
{
	char path[PATH_LIMIT + 128];

	link_path(state, known, fingerprint, path, sizeof path);
	unlink(path);
}

static bool leads_here(const struct state *state, int links, const char *name)
{
	char target[64];
	ssize_t length = readlinkat(links, name, target, sizeof target - 1);

	target[length > 0 ? length : 0] = '\0';
	return length > 3 && strcmp(target + 3, state->id) == 0;
}

/* All links of a folder that lead here, but for the one of that name. */
static int drop_links(const struct state *state, const char *folder, const char *keep)
{
	char path[PATH_LIMIT + 32];
	DIR *links;

	snprintf(path, sizeof path, "%s/%s", state->root, folder);
	links = opendir(path);
	if (!links)
		return -errno;
	for (struct dirent *entry = readdir(links); entry; entry = readdir(links))
		if (strcmp(entry->d_name, keep) != 0 && leads_here(state, dirfd(links), entry->d_name))
			unlinkat(dirfd(links), entry->d_name, 0);
	closedir(links);
	return 0;
}

int state_unlink_others(const struct state *state, const uint8_t *fingerprint)
{
	char hex[HEX_SIZE];

	to_hex(fingerprint, FINGERPRINT_SIZE, hex);
	return drop_links(state, known, hex);
}

/* A link whose directory somebody removed leads nowhere. */
static bool has_state(const struct state *state, const char *id)
{
	char path[PATH_LIMIT + 128];

	snprintf(path, sizeof path, "%s/%s", state->root, id);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

static bool read_link(const struct state *state, const char *folder, const uint8_t *fingerprint, char ret[48])
{
	char path[PATH_LIMIT + 128], target[64];
	ssize_t length;

	link_path(state, folder, fingerprint, path, sizeof path);
	length = readlink(path, target, sizeof target - 1);
	target[length > 0 ? length : 0] = '\0';
	if (length <= 3 || length - 3 >= 48)
		return false;
	memcpy(ret, target + 3, (size_t)length - 2);
	return has_state(state, ret);
}

int state_open(struct state *state, const char *root, const uint8_t *fingerprint, struct reason *why)
{
	char path[PATH_LIMIT + 128], id[48];
	int lock CLEANUP(cleanup_close) = -1;
	int ret;

	*state = (struct state){ .dir_fd = -1, .lock_fd = -1 };
	snprintf(state->root, sizeof state->root, "%s", root);
	snprintf(path, sizeof path, "%s/by-fingerprint", root);
	ret = make_dirs(path, why);
	if (ret < 0)
		return ret;
	lock = state_lock_root(state->root, why);
	if (lock < 0)
		return lock;
	if (!read_link(state, known, fingerprint, id))
		return make_new(state, fingerprint, why);
	return enter(state, id, why);
}

int state_open_away(struct state *state, const char *root, const uint8_t *print, struct reason *why)
{
	static const uint8_t none[FINGERPRINT_SIZE];
	struct reason busy = { 0 };
	char id[48];
	int ret;

	*state = (struct state){ .dir_fd = -1, .lock_fd = -1 };
	snprintf(state->root, sizeof state->root, "%s", root);
	if (memcmp(print, none, sizeof none) == 0 || !read_link(state, away, print, id))
		return 0;
	ret = enter(state, id, &busy);
	if (ret == 0)
		return 1;
	leave(state);
	return ret == -EBUSY ? 0 : reason_set(why, -ret, "%s", busy.text);
}

int state_enter(struct state *state, const char *root, const char *id, struct reason *why)
{
	*state = (struct state){ .dir_fd = -1, .lock_fd = -1 };
	snprintf(state->root, sizeof state->root, "%s", root);
	return enter(state, id, why);
}

bool state_is_known(const char *root, const uint8_t *fingerprint)
{
	struct state state = { .dir_fd = -1, .lock_fd = -1 };
	char path[PATH_LIMIT + 128];

	snprintf(state.root, sizeof state.root, "%s", root);
	link_path(&state, known, fingerprint, path, sizeof path);
	return access(path, F_OK) == 0;
}

static void switch_path(const struct state *state, const char *id, char *ret, size_t room)
{
	snprintf(ret, room, "%s/switching/%s", state->root, id);
}

int state_mark_switch(const struct state *state, struct reason *why)
{
	char path[PATH_LIMIT + 128], dir[PATH_LIMIT + 128];
	int fd, ret;

	switch_path(state, "", dir, sizeof dir);
	switch_path(state, state->id, path, sizeof path);
	ret = make_dirs(dir, why);
	if (ret < 0)
		return ret;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ret = fd < 0 ? -errno : fd_sync_dir(dir);
	if (ret == 0)
		ret = fd_sync_dir(state->root);
	if (fd >= 0)
		close(fd);
	return ret < 0 ? reason_set(why, -ret, "%s can't be made: %s", path, strerror(-ret)) : 0;
}

void state_unmark_switch(const struct state *state)
{
	char path[PATH_LIMIT + 128];

	switch_path(state, state->id, path, sizeof path);
	unlink(path);
}

int state_each_switch(const char *root, int (*each)(void *self, const char *id), void *self)
{
	char path[PATH_LIMIT + 32];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof path, "%s/switching", root);
	dir = opendir(path);
	if (!dir)
		return 0;
	for (struct dirent *entry = readdir(dir); ret == 0 && entry; entry = readdir(dir))
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < sizeof((struct state *)0)->id)
			ret = each(self, entry->d_name);
	closedir(dir);
	return ret;
}

static int found_one(void *self, const char *id)
{
	return 1;
}

bool state_any_switch(const char *root)
{
	return state_each_switch(root, found_one, NULL) > 0;
}

int state_renew(struct state *state, const uint8_t *fingerprint, struct reason *why)
{
	int lock CLEANUP(cleanup_close) = state_lock_root(state->root, why);

	leave(state);
	return lock < 0 ? lock : make_new(state, fingerprint, why);
}

int state_open_id(struct state *state, const char *root, const char *id, struct reason *why)
{
	int lock CLEANUP(cleanup_close) = state_lock_root(root, why);

	*state = (struct state){ .dir_fd = -1, .lock_fd = -1 };
	snprintf(state->root, sizeof state->root, "%s", root);
	return lock < 0 ? lock : enter(state, id, why);
}

bool state_is_taken(const char *root, const char *id)
{
	char path[PATH_LIMIT + 64];
	int fd AUTO_CLOSE = -1;

	snprintf(path, sizeof path, "%s/%s/lock", root, id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return remove(path);
}

int state_remove(const struct state *state, struct reason *why)
{
	int lock CLEANUP(cleanup_close) = state_lock_root(state->root, why);
	char spool[PATH_LIMIT];
	ssize_t length = readlinkat(state->dir_fd, "spool", spool, sizeof spool - 1);
	int ret = lock < 0 ? lock : drop_links(state, known, "");

	if (ret < 0)
		return reason_set(why, -ret, "the links in %s can't be removed: %s", state->root,
				  strerror(-ret));
	drop_links(state, away, "");
	state_unmark_switch(state);
	spool[length > 0 ? length : 0] = '\0';
	if (length > 0 && unlink(spool) < 0 && errno != ENOENT)
		return reason_set(why, errno, "%s can't be removed: %s", spool, strerror(errno));
	if (nftw(state->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0)
		return reason_set(why, errno, "%s can't be removed: %s", state->path, strerror(errno));
	return 0;
}

void state_close(struct state *state)
{
	leave(state);
}
