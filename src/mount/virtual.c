/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount/ops.h"

#include "mount/past.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#define SESSIONS_NAME	"sessions"
#define SESSIONS_LISTED 1u

/* VIRTUAL_BASE is the directory, what follows are the rows of control_files; then the sessions (past.h). */
static const struct control_file *file_of(fuse_ino_t ino)
{
	return &control_files[ino - VIRTUAL_BASE - 1];
}

static bool is_directory(fuse_ino_t ino)
{
	return ino == VIRTUAL_BASE || ino == SESSIONS_INO;
}

static void fill_stat(fuse_req_t req, fuse_ino_t ino, struct stat *ret)
{
	const struct mount *mount = mount_of(req);
	bool directory = is_directory(ino);
	mode_t bits = directory || !file_of(ino)->content ? 0 : S_IRUSR;

	*ret = (struct stat){
		.st_ino = ino,
		.st_mode = directory ? S_IFDIR | S_IRUSR | S_IXUSR : S_IFREG | bits,
		.st_nlink = directory ? 2 : 1,
		.st_uid = mount->owner,
		.st_gid = getgid(),
		.st_blksize = SECTOR,
	};
	if (!directory && file_of(ino)->command)
		ret->st_mode |= S_IWUSR;
	clock_gettime(CLOCK_REALTIME, &ret->st_mtim);
	ret->st_atim = ret->st_ctim = ret->st_mtim;
}

void virtual_reply(fuse_req_t req, fuse_ino_t ino)
{
	struct fuse_entry_param entry = { .generation = 1, .ino = ino, .entry_timeout = ATTR_TIMEOUT };

	fill_stat(req, ino, &entry.attr);
	fuse_reply_entry(req, &entry);
}

bool virtual_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_ino_t ino = 0;

	if (parent == SESSIONS_INO || is_past(parent)) {
		past_lookup(req, parent, name);
		return true;
	}
	if (parent == ROOT_INO && strcmp(name, CONTROL_DIR) == 0)
		ino = VIRTUAL_BASE;
	if (parent == VIRTUAL_BASE && strcmp(name, SESSIONS_NAME) == 0)
		ino = SESSIONS_INO;
	for (size_t i = 0; parent == VIRTUAL_BASE && control_files[i].name; i++)
		if (strcmp(name, control_files[i].name) == 0)
			ino = VIRTUAL_BASE + 1 + i;
	if (ino)
		virtual_reply(req, ino);
	return ino != 0;
}

int virtual_list(tree_entry_fn *entry, void *self)
{
	int ret = entry(self, SESSIONS_NAME, strlen(SESSIONS_NAME), SESSIONS_LISTED, DT_DIR);

	for (size_t i = 0; ret == 0 && control_files[i].name; i++)
		ret = entry(self, control_files[i].name, strlen(control_files[i].name),
			    SESSIONS_LISTED + 1 + i, DT_REG);
	return ret;
}

fuse_ino_t virtual_listed(uint64_t number)
{
	return number == SESSIONS_LISTED ? SESSIONS_INO : VIRTUAL_BASE + number - SESSIONS_LISTED;
}

void virtual_getattr(fuse_req_t req, fuse_ino_t ino)
{
	struct stat st;

	if (is_past(ino)) {
		past_getattr(req, ino);
		return;
	}
	fill_stat(req, ino, &st);
	fuse_reply_attr(req, &st, 0);
}

static void free_content(struct text *content)
{
	if (content)
		text_clear(content);
	free(content);
}

/* What is read is made when the file is opened: one open, one consistent answer. */
void virtual_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct control_file *file = file_of(ino);
	struct text *content = calloc(1, sizeof *content);
	int ret = content ? 0 : -ENOMEM;

	if (is_past(ino)) {
		free(content);
		past_open_file(req, ino, fi);
		return;
	}
	if (ret == 0 && !may_control(req))
		ret = -EACCES;
	if (ret == 0 && file->content)
		ret = file->content(&mount_of(req)->control, content);
	if (ret < 0) {
		free_content(content);
		reply_err(req, ret);
		return;
	}
	fi->fh = (uintptr_t)content;
	fi->direct_io = 1;
	if (fuse_reply_open(req, fi) == -ENOENT)
		free_content(content); /* the caller was interrupted: no release will come */
}

static struct text *content_of(const struct fuse_file_info *fi)
{
	return (struct text *)(uintptr_t)fi->fh;
}

void virtual_release(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi)
{
	if (is_past(ino)) {
		past_release(req, ino, fi);
		return;
	}
	free_content(content_of(fi));
	reply_err(req, 0);
}

void virtual_read(fuse_req_t req, size_t size, off_t offset, const struct fuse_file_info *fi)
{
	const struct text *content = content_of(fi);
	size_t at = (size_t)min_u64((uint64_t)offset, content->length);
	size_t length = (size_t)min_u64(size, content->length - at);
	char *copy AUTO_FREE = malloc(length + 1);

	if (!copy) {
		reply_err(req, -ENOMEM);
		return;
	}
	/* Nothing of the content may be touched behind the reply: the release may be under way already. */
	if (length)
		memcpy(copy, content->data + at, length);
	fuse_reply_buf(req, copy, length);
}

void virtual_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size)
{
	const struct control_file *file = is_past(ino) ? NULL : file_of(ino);
	int ret = !file		  ? -EROFS
		  : file->command ? file->command(&mount_of(req)->control, data, size)
				  : -EACCES;

	if (ret < 0)
		reply_err(req, ret);
	else
		fuse_reply_write(req, size);
}
