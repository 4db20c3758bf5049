/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fd.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define SIZE_MINIMUM  (1u << 20)
#define SECTORS_LIMIT UINT32_MAX /* block addresses are 32 bits wide */

/* A random UUID (RFC 4122 4.4). */
static int make_id(char *ret, size_t room)
{
	uint8_t b[16];

	if (getrandom(b, sizeof b, 0) != sizeof b)
		return -errno;
	b[6] = (uint8_t)((b[6] & 0x0F) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
	snprintf(ret, room, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		 b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	return 0;
}

static int choose_medium(const char *name, const char *size, struct medium_mark *ret)
{
	const struct medium_profile *profile = name ? medium_find(name) : NULL;
	uint64_t bytes;

	if (!name == !size)
		return ctl_usage("create", "say either --media NAME or --size SIZE");
	if (name && !profile)
		return ctl_usage("create",
				 "there is no medium '%s': cd, dvd, dvd-dl, bd, bd-dl and bd-xl are known",
				 name);
	if (profile) {
		snprintf(ret->profile, sizeof ret->profile, "%s", profile->name);
		ret->capacity = profile->sectors;
		return EXIT_CODE_DONE;
	}
	if (text_parse_size(size, &bytes) < 0)
		return ctl_usage("create", "'%s' is no size: write 650M, 4.7GB or a number of bytes", size);
	if (bytes < SIZE_MINIMUM)
		return ctl_usage("create", "a disc has at least 1 MiB");
	if (bytes / SECTOR > SECTORS_LIMIT)
		return ctl_usage("create", "a disc has at most 8 TiB");
	snprintf(ret->profile, sizeof ret->profile, "custom");
	ret->capacity = bytes / SECTOR;
	return EXIT_CODE_DONE;
}

/* --force replaces a blank image that nobody uses; *ret_fd keeps it locked meanwhile. */
static int may_replace(const char *path, int *ret_fd)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? EXIT_CODE_DONE
				       : ctl_fail(EXIT_CODE_SYSTEM, "%s: %s", path, strerror(errno));
	if (!image_is_blank(fd))
		return ctl_fail(EXIT_CODE_SYSTEM, "%s is there and is no blank image: it is left alone",
				path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return ctl_fail(EXIT_CODE_BUSY, "%s is in use", path);
	*ret_fd = TAKE_FD(fd);
	return EXIT_CODE_DONE;
}

static int image_fill(int fd, const struct medium_mark *mark)
{
	mode_t mask = umask(0);

	umask(mask);
	if (fchmod(fd, 0666 & ~mask) < 0)
		return -errno;
	return image_reset(fd, mark);
}

/* Gives the finished file its name, atomically. */
static int image_name(const char *draft, const char *path, bool force)
{
	if (force)
		return rename(draft, path) < 0 ? -errno : 0;
	if (renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* Not all file systems know that call; a hard link is never made over an existing name either. */
	if (link(draft, path) < 0)
		return -errno;
	unlink(draft);
	return 0;
}

static int directory_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX] = ".";

	if (slash)
		snprintf(directory, sizeof directory, "%.*s/", (int)(slash - path), path);
	return fd_sync_dir(directory);
}

static int image_create(const char *path, const struct medium_mark *mark, bool force)
{
	char draft[PATH_MAX];
	AUTO_CLOSE int fd = -1;
	int err;

	if (snprintf(draft, sizeof draft, "%s.XXXXXX", path) >= (int)sizeof draft)
		return -ENAMETOOLONG;
	fd = mkostemp(draft, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = image_fill(fd, mark);
	if (!err)
		err = image_name(draft, path, force);
	if (err < 0) {
		unlink(draft);
		return err;
	}
	return directory_sync(path);
}

static void print_created(const char *path, const struct medium_mark *mark, bool json)
{
	AUTO_TEXT struct text text = { 0 };
	char size[16];

	if (json) {
		text_add(&text, "{\"file\":");
		text_add_json(&text, path, strlen(path));
		text_add(&text, ",\"profile\":\"%s\",\"capacity_sectors\":%" PRIu64 ",\"id\":\"%s\"}",
			 mark->profile, mark->capacity, mark->id);
	} else {
		text_add_escaped(&text, path, strlen(path));
		text_add(&text, " is a blank disc of %s (%" PRIu64 " sectors)",
			 text_size(size, mark->capacity * SECTOR), mark->capacity);
	}
	puts(text.failed ? "" : text.data);
}

int command_create(int argc, char **argv)
{
	const char *media = NULL, *size = NULL;
	bool force = false, json = false;
	const struct option_spec options[] = {
		{ "media", 'm', .word = &media },
		{ "size", 's', .word = &size },
		{ "force", 0, .flag = &force },
		{ "json", 0, .flag = &json },
		{ 0 },
	};
	struct medium_mark mark = { 0 };
	AUTO_CLOSE int old = -1;
	int count, err, code = ctl_options(argc, argv, options, 1, &count);

	if (!code && !count)
		code = ctl_usage("create", "the name of the FILE is missing");
	if (!code)
		code = choose_medium(media, size, &mark);
	if (!code && force)
		code = may_replace(argv[1], &old);
	if (code)
		return code;
	err = make_id(mark.id, sizeof mark.id);
	if (!err)
		err = image_create(argv[1], &mark, force);
	if (err == -EEXIST)
		return ctl_fail(EXIT_CODE_SYSTEM, "%s is there already (--force replaces a blank image)",
				argv[1]);
	if (err < 0)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't make %s: %s", argv[1], strerror(-err));
	print_created(argv[1], &mark, json);
	return EXIT_CODE_DONE;
}
