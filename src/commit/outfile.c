/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commit/outfile.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_SUFFIX ".head"
#define HIDDEN_ROOM 16 /* bytes that a hidden name is longer */

bool outfile_has_head(const struct disc *disc)
{
	return !disc_is_sequential(&disc->probe) && disc->probe.disc.state != DISC_BLANK;
}

static int fail(int err, const char *path, const char *text, struct reason *why)
{
	return reason_set(why, err, "%.256s: %s", path, text);
}

static int fail_part(int err, const struct outfile *file, const struct outfile_part *part, const char *text,
		     struct reason *why)
{
	return reason_set(why, err, "%.256s%s: %s", file->path, part->suffix, text);
}

static bool is_below(const char *path, const char *dir)
{
	size_t length = strlen(dir);

	return length && strncmp(path, dir, length) == 0 && path[length] == '/';
}

/* By whatever way the path leads there, over links or a bind mount. The session holds what the tree holds:
 * writing it into the tree would never come to an end. */
static int check_outside(const struct outfile *file, const struct outfile_wish *wish, struct reason *why)
{
	struct stat dir, mount;

	if (!*wish->mountpoint)
		return 0;
	if (fstat(file->dir, &dir) < 0 || stat(wish->mountpoint, &mount) < 0)
		return fail(errno, wish->path, strerror(errno), why);
	return dir.st_dev == mount.st_dev
		   ? fail(EINVAL, wish->path, "the file can't be inside the disc's own mount", why)
		   : 0;
}

static int open_dir(struct outfile *file, const struct outfile_wish *wish, struct reason *why)
{
	const char *slash = strrchr(wish->path, '/');
	char dir[PATH_LIMIT];

	if (*wish->path != '/')
		return fail(EINVAL, wish->path, "the file's path must begin with a slash", why);
	if (strlen(slash + 1) + sizeof HEAD_SUFFIX + HIDDEN_ROOM > NAME_MAX ||
	    strlen(wish->path) >= PATH_LIMIT)
		return fail(ENAMETOOLONG, wish->path, strerror(ENAMETOOLONG), why);
	if (!slash[1] || strcmp(slash, "/.") == 0 || strcmp(slash, "/..") == 0)
		return fail(EISDIR, wish->path, strerror(EISDIR), why);
	snprintf(file->session.name, sizeof file->session.name, "%s", slash + 1);
	snprintf(file->head.name, sizeof file->head.name, "%s" HEAD_SUFFIX, slash + 1);
	snprintf(dir, sizeof dir, "%.*s", (int)(slash - wish->path + 1), wish->path);
	if (is_below(wish->path, wish->mountpoint))
		return fail(EINVAL, wish->path, "the file can't be inside the disc's own mount", why);
	file->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return file->dir < 0 ? fail(errno, wish->path, strerror(errno), why) : check_outside(file, wish, why);
}

/* What has the name already. */
static int check_name(const struct outfile *file, const struct outfile_part *part, const struct disc *disc,
		      struct reason *why)
{
	struct stat there, image;

	if (fstatat(file->dir, part->name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail_part(errno, file, part, strerror(errno), why);
	if (S_ISDIR(there.st_mode))
		return fail_part(EISDIR, file, part, strerror(EISDIR), why);
	if (!S_ISREG(there.st_mode))
		return fail_part(EINVAL, file, part, "it isn't an ordinary file", why);
	if (fstat(disc->fd, &image) == 0 && image.st_dev == there.st_dev && image.st_ino == there.st_ino)
		return fail_part(EINVAL, file, part, "it's the disc's own image", why);
	return file->replace
		   ? 0
		   : fail_part(EEXIST, file, part, "there is such a file already (--force replaces it)", why);
}

static int open_hidden(const struct outfile *file, struct outfile_part *part)
{
	for (unsigned number = 1; number < 1000; number++) {
		snprintf(part->hidden, sizeof part->hidden, ".%.*s.%u-%u", NAME_MAX - HIDDEN_ROOM, part->name,
			 (unsigned)getpid() % 100000, number);
		part->fd = openat(file->dir, part->hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (part->fd >= 0 || errno != EEXIST)
			break;
	}
	part->named = part->fd >= 0;
	return part->fd < 0 ? -errno : 0;
}

/* Without a name nothing is left behind, however the process ends. */
static int open_part(const struct outfile *file, struct outfile_part *part, struct reason *why)
{
	int ret;

	part->fd = openat(file->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (part->fd >= 0)
		return 0;
	ret = open_hidden(file, part);
	return ret < 0 ? fail_part(-ret, file, part, strerror(-ret), why) : 0;
}

int outfile_open(struct outfile *ret, const struct outfile_wish *wish, const struct disc *disc,
		 struct reason *why)
{
	int err;

	ret->replace = wish->replace;
	ret->path = wish->path;
	ret->session.suffix = "";
	ret->head.suffix = HEAD_SUFFIX;
	err = open_dir(ret, wish, why);
	if (err == 0)
		err = check_name(ret, &ret->session, disc, why);
	if (err == 0 && outfile_has_head(disc))
		err = check_name(ret, &ret->head, disc, why);
	return err < 0 ? err : open_part(ret, &ret->session, why);
}

/* A hidden name, for the rename that replaces. */
static int link_hidden(const struct outfile *file, struct outfile_part *part)
{
	char self[48];

	snprintf(self, sizeof self, "/proc/self/fd/%d", part->fd);
	for (unsigned number = 1; number < 1000; number++) {
		snprintf(part->hidden, sizeof part->hidden, ".%.*s.%u-%u", NAME_MAX - HIDDEN_ROOM, part->name,
			 (unsigned)getpid() % 100000, number);
		part->named = linkat(AT_FDCWD, self, file->dir, part->hidden, AT_SYMLINK_FOLLOW) == 0;
		if (part->named || errno != EEXIST)
			break;
	}
	return part->named ? 0 : -errno;
}

static int rename_part(const struct outfile *file, struct outfile_part *part)
{
	unsigned flags = file->replace ? 0 : RENAME_NOREPLACE;

	if (renameat2(file->dir, part->hidden, file->dir, part->name, flags) == 0)
		return 0;
	/* Not every file system can promise not to replace; it was looked for before. */
	if (errno != EINVAL || !flags || renameat(file->dir, part->hidden, file->dir, part->name) < 0)
		return -errno;
	return 0;
}

static int name_part(const struct outfile *file, struct outfile_part *part, struct reason *why)
{
	int ret = part->named ? 0 : link_hidden(file, part);

	if (ret == 0)
		ret = rename_part(file, part);
	if (ret < 0)
		return fail_part(-ret, file, part, strerror(-ret), why);
	part->named = false;
	return 0;
}

/* Written, and read back. */
static int write_head(const struct outfile *file, const struct outfile_part *part, const struct blob *head,
		      struct reason *why)
{
	uint8_t *there AUTO_FREE = malloc(head->length);
	int ret = there ? fd_pwrite_full(part->fd, head->data, head->length, 0) : -ENOMEM;

	if (ret == 0 && fsync(part->fd) < 0)
		ret = -errno;
	if (ret == 0 && (fd_pread_full(part->fd, there, head->length, 0) != (int64_t)head->length ||
			 memcmp(there, head->data, head->length) != 0))
		ret = -EIO;
	return ret < 0 ? fail_part(-ret, file, part, strerror(-ret), why) : 0;
}

/* With block 256, where that changes, and what lies between as it is on the disc: one file, that is written
 * to the image's begin. */
static int whole_head(const struct disc *disc, const struct blob *head, struct blob *ret, struct reason *why)
{
	size_t end = (size_t)(ANCHOR_BLOCK + 1) * SECTOR, between = end - SECTOR - HEAD_BYTES;
	uint8_t *data;

	if (head->length != HEAD_BYTES || !outfile_has_head(disc) || head->data[HEAD_ANCHOR] == 0)
		return blob_set(ret, head->data, head->length) < 0 ? reason_set(why, ENOMEM, "out of memory")
								   : 0;
	data = malloc(end);
	if (!data)
		return reason_set(why, ENOMEM, "out of memory");
	*ret = (struct blob){ data, end };
	memcpy(data, head->data, HEAD_BYTES);
	memcpy(data + end - SECTOR, head->data + HEAD_ANCHOR, SECTOR);
	if (fd_pread_full(disc->fd, data + HEAD_BYTES, between, HEAD_BYTES) != (int64_t)between)
		return reason_set(why, EIO, "%s: its first sectors can't be read", disc->path);
	return 0;
}

/* The file's own name last: where it is, all is there. */
int outfile_finish(struct outfile *file, const struct disc *disc, const struct blob *head, struct reason *why)
{
	bool apart = outfile_has_head(disc);
	struct outfile_part *part = apart ? &file->head : &file->session;
	struct blob whole CLEANUP(blob_clear) = { 0 };
	char dir[48];
	int ret = whole_head(disc, head, &whole, why);

	if (ret == 0 && apart)
		ret = open_part(file, part, why);
	if (ret == 0 && whole.length)
		ret = write_head(file, part, &whole, why);
	if (ret == 0 && apart)
		ret = name_part(file, part, why);
	if (ret < 0)
		return ret;
	ret = name_part(file, &file->session, why);
	if (ret < 0 && apart)
		unlinkat(file->dir, part->name, 0);
	if (ret < 0)
		return ret;
	snprintf(dir, sizeof dir, "/proc/self/fd/%d", file->dir);
	ret = fd_sync_dir(dir);
	return ret < 0 ? reason_set(why, -ret, "the file's directory can't be synced: %s", strerror(-ret))
		       : 0;
}

static void close_part(const struct outfile *file, struct outfile_part *part)
{
	if (part->named)
		unlinkat(file->dir, part->hidden, 0);
	cleanup_close(&part->fd);
	part->named = false;
}

void outfile_close(struct outfile *file)
{
	close_part(file, &file->session);
	close_part(file, &file->head);
	cleanup_close(&file->dir);
}

/* As one word of a shell. */
static void add_word(struct text *text, const char *word, const char *suffix)
{
	text_add(text, "'");
	for (const char *at = word; *at; at++)
		if (*at == '\'')
			text_add(text, "'\\''");
		else
			text_add_bytes(text, at, 1);
	text_add(text, "%s'", suffix);
}

/* An image file gets the sectors at their place, and then the head at its own. */
static void how_image(const struct disc *disc, const char *path, uint64_t start, bool apart, struct text *ret)
{
	text_add(ret, "dd conv=notrunc bs=2048 seek=%llu if=", (unsigned long long)(apart ? start : 0));
	add_word(ret, path, "");
	text_add(ret, " of=");
	add_word(ret, disc->path, "");
	if (!apart)
		return;
	text_add(ret, " && dd conv=notrunc bs=2048 if=");
	add_word(ret, path, HEAD_SUFFIX);
	text_add(ret, " of=");
	add_word(ret, disc->path, "");
}

/* Programs that find the place on the disc by themselves, and the head; tests/drive/tofile.sh tries them. */
void outfile_how(const struct disc *disc, const char *path, uint64_t start, struct text *ret)
{
	bool apart = outfile_has_head(disc), sequential = disc_is_sequential(&disc->probe);

	if (!disc->is_drive) {
		how_image(disc, path, start, apart, ret);
		return;
	}
	text_add(ret, sequential ? "cdrskin -v dev=" : "xorriso -as cdrecord -v dev=");
	add_word(ret, disc->path, "");
	text_add(ret, "%s ",
		 apart						 ? " -multi --grow_overwriteable_iso"
		 : sequential && !disc->probe.facts.drive.single ? " -multi"
								 : "");
	add_word(ret, path, "");
}
