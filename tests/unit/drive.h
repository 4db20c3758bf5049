/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drives one worker of the real kind in a forked process, and keeps what it says. */
#pragma once

#include "base/vec.h"
#include "model/xattr_set.h"
#include "wire/link.h"
#include "wire/verbs.h"
#include "worker/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

struct drive_name {
	uint64_t ino;
	uint64_t parent;
	char *name;
};

struct drive_tree {
	VEC(struct node) nodes; /* by ino - 1 */
	VEC(struct drive_name) names;
	struct verb_imported imported;
	unsigned warnings;
	char warning[480]; /* the newest */
};

struct drive {
	struct link link;
	pid_t pid;
	struct reason why; /* FAILED, or what went wrong here */
};

static inline void drive_start(struct drive *drive, const char *role, const struct verb_job *job, int medium,
			       int spool)
{
	struct msg msg = { 0 };
	int fds[2], with[2] = { medium, spool };

	memset(drive, 0, sizeof *drive);
	if (link_pair(fds) < 0)
		abort();
	drive->pid = fork();
	if (drive->pid == 0) {
		close(fds[0]);
		_exit(worker_main(role, fds[1]));
	}
	close(fds[1]);
	if (link_open(&drive->link, fds[0]) < 0)
		abort();
	drive->link.timeout_ms = 300000;
	put_job(&msg, job);
	if (link_send_fds(&drive->link, &msg, with, spool >= 0 ? 2 : 1) < 0)
		abort();
}

/* 1 = a message, 0 = end or FAILED. */
static inline int drive_next(struct drive *drive, struct msg *msg, struct drive_tree *tree)
{
	for (;;) {
		struct verb_failed failed;
		char text[480];
		int got = link_receive(&drive->link, msg);

		if (got <= 0) {
			reason_set(&drive->why, EIO, "the worker went away");
			return 0;
		}
		if (get_failed(msg, &failed)) {
			reason_set(&drive->why, (int)failed.err, "%s", failed.text);
			return 0;
		}
		msg->at = 0;
		msg->bad = false;
		if (msg->verb == VERB_LOST) {
			enum loss loss;

			assert_true(get_lost(msg, &loss, text, sizeof text));
			continue;
		}
		if (!get_warning(msg, text, sizeof text)) {
			msg->at = 0;
			msg->bad = false;
			return 1;
		}
		if (tree) {
			tree->warnings++;
			memcpy(tree->warning, text, sizeof text);
		}
	}
}

/* Closes and waits: the exit status as waitpid tells it. */
static inline int drive_end(struct drive *drive)
{
	int status = 0;

	link_close(&drive->link);
	waitpid(drive->pid, &status, 0);
	return status;
}

static inline void drive_tree_clear(struct drive_tree *tree)
{
	vec_each (&tree->nodes, node)
		node_clear(node);
	vec_each (&tree->names, name)
		free(name->name);
	vec_clear(&tree->nodes);
	vec_clear(&tree->names);
}

static inline void drive_take_node(struct drive_tree *tree, const struct verb_node *from)
{
	struct drive_name *name = vec_push(&tree->names);
	struct node *node;

	*name = (struct drive_name){ from->attr.ino, from->parent,
				     strndup(from->name ? from->name : "", from->name_length) };
	if (from->again)
		return;
	node = vec_push(&tree->nodes);
	*node = (struct node){ .attr = from->attr, .parent = from->parent };
	blob_set(&node->target, from->target, from->target_length);
	blob_set(&node->zf, from->zf, from->zf_length);
	blob_set(&node->md5, from->md5, from->md5 ? MD5_LENGTH : 0);
}

/* 0 or -errno with drive.why set. */
static inline int drive_import(int fd, const struct verb_job *job, struct drive_tree *tree,
			       struct reason *why)
{
	struct drive drive;
	struct msg msg;
	bool done = false;

	memset(tree, 0, sizeof *tree);
	drive_start(&drive, "import", job, fd, -1);
	while (!done && drive_next(&drive, &msg, tree)) {
		struct node *last = tree->nodes.count ? &tree->nodes.items[tree->nodes.count - 1] : NULL;
		struct verb_node node;
		struct verb_xattr xattr;
		struct extent extent;

		if (msg.verb == VERB_NODE && get_node(&msg, &node)) {
			drive_take_node(tree, &node);
		} else if (msg.verb == VERB_XATTR && get_xattr(&msg, &xattr)) {
			char name[256] = { 0 };

			memcpy(name, xattr.name, xattr.name_length);
			xattr_set_put(&last->xattrs, name, xattr.value, xattr.value_length);
		} else if (msg.verb == VERB_EXTENT && get_extent(&msg, &extent)) {
			extent_map_set(&last->map, &extent);
		} else {
			done = get_imported(&msg, &tree->imported);
			if (!done)
				reason_set(&drive.why, EPROTO, "verb %u is malformed", msg.verb);
			break;
		}
	}
	if (drive_end(&drive) != 0)
		reason_set(&drive.why, ECHILD, "the worker crashed");
	*why = drive.why;
	return done && !drive.why.err ? 0 : -(drive.why.err ? drive.why.err : EIO);
}

static inline const struct drive_name *drive_lookup(struct drive_tree *tree, uint64_t parent,
						    const char *name)
{
	vec_each (&tree->names, at)
		if (at->parent == parent && strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

/* "a/b/c" from the root; NULL where there's none. */
static inline const struct node *drive_find(struct drive_tree *tree, const char *path)
{
	uint64_t ino = ROOT_INO;
	char word[256];

	while (*path) {
		size_t length = strcspn(path, "/");
		const struct drive_name *name;

		snprintf(word, sizeof word, "%.*s", (int)length, path);
		name = drive_lookup(tree, ino, word);
		if (!name)
			return NULL;
		ino = name->ino;
		path += length + (path[length] == '/');
	}
	return &tree->nodes.items[ino - 1];
}

/* ---- plans: a drive_tree that is sent ---- */

static inline void drive_send(struct drive *drive, struct msg *msg)
{
	if (link_send(&drive->link, msg) < 0)
		reason_set(&drive->why, EPIPE, "the worker doesn't listen");
}

static inline void drive_send_body(struct drive *drive, const struct node *node)
{
	struct xattr_view view;
	struct msg msg = { 0 };

	for (size_t at = 0; xattr_set_next(&node->xattrs, &at, &view);) {
		struct verb_xattr xattr = { view.name, view.name_length, view.value, view.value_length };

		put_xattr(&msg, &xattr);
		drive_send(drive, &msg);
	}
	for (size_t i = 0; i < node->map.count; i++) {
		put_extent(&msg, &node->map.items[i]);
		drive_send(drive, &msg);
	}
}

static inline void drive_send_plan(struct drive *drive, struct drive_tree *tree)
{
	uint8_t *sent = calloc(tree->nodes.count + 1, 1);
	struct msg msg = { 0 };

	vec_each (&tree->names, name) {
		struct node *from = &tree->nodes.items[name->ino - 1];
		struct verb_node node = { .parent = name->parent,
					  .name = name->name,
					  .name_length = strlen(name->name),
					  .attr = from->attr,
					  .target = from->target.data,
					  .target_length = from->target.length,
					  .md5 = from->md5.data,
					  .zf = from->zf.data,
					  .zf_length = from->zf.length,
					  .again = sent[name->ino] };

		put_node(&msg, &node);
		drive_send(drive, &msg);
		if (!sent[name->ino])
			drive_send_body(drive, from);
		sent[name->ino] = 1;
	}
	free(sent);
	put_empty(&msg, VERB_PLAN_END);
	drive_send(drive, &msg);
	link_flush(&drive->link);
}

struct drive_burned {
	struct verb_planned planned;
	uint8_t head[HEAD_BYTES];
	struct verb_written written;
	unsigned progress;
	int status; /* of the process */
};

/* go: burn; else hang up after PLANNED. 0 or -errno with why. */
static inline int drive_burn(int fd, int spool, const struct verb_job *job, struct drive_tree *tree, bool go,
			     struct drive_burned *ret, struct reason *why)
{
	struct drive drive;
	struct verb_progress progress;
	struct msg msg;
	bool done = false;

	memset(ret, 0, sizeof *ret);
	drive_start(&drive, "burn", job, fd, spool);
	drive_send_plan(&drive, tree);
	if (drive_next(&drive, &msg, NULL)) {
		if (!get_planned(&msg, &ret->planned))
			reason_set(&drive.why, EPROTO, "not PLANNED");
		else
			memcpy(ret->head, ret->planned.head, HEAD_BYTES);
		ret->planned.head = ret->head;
		done = !go;
		if (go) {
			struct msg word = { 0 };

			put_empty(&word, VERB_GO);
			drive_send(&drive, &word);
			link_flush(&drive.link);
		}
	}
	while (!done && drive_next(&drive, &msg, NULL)) {
		if (msg.verb == VERB_PROGRESS && get_progress(&msg, &progress))
			ret->progress++;
		else
			done = get_written(&msg, &ret->written);
	}
	ret->status = drive_end(&drive);
	*why = drive.why;
	return done ? 0 : -(drive.why.err ? drive.why.err : EIO);
}

static inline int drive_head(int fd, const struct verb_job *job, const uint8_t *head, struct reason *why)
{
	struct verb_head verb = { head, HEAD_BYTES };
	struct verb_written written;
	struct drive drive;
	struct msg msg = { 0 };
	bool done;

	drive_start(&drive, "head", job, fd, -1);
	put_head(&msg, &verb);
	drive_send(&drive, &msg);
	link_flush(&drive.link);
	done = drive_next(&drive, &msg, NULL) && get_written(&msg, &written);
	drive_end(&drive);
	*why = drive.why;
	return done ? 0 : -EIO;
}

/* ---- a plan from a directory of the host ---- */

struct drive_link {
	dev_t dev;
	ino_t ino;
	uint64_t ours;
};

struct drive_scan {
	struct drive_tree *tree;
	int spool;
	uint64_t spool_end;
	VEC(struct drive_link) links;
};

static inline void drive_scan_xattrs(const char *path, struct node *node)
{
	char names[65536], value[65536];
	ssize_t length = llistxattr(path, names, sizeof names);

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t got = lgetxattr(path, names + at, value, sizeof value);

		if (got >= 0)
			xattr_set_put(&node->xattrs, names + at, value, (size_t)got);
	}
}

static inline void drive_scan_body(struct drive_scan *scan, const char *path, struct node *node)
{
	int fd = open(path, O_RDONLY);
	char buffer[65536];
	ssize_t got;
	struct extent extent = { 0, node->attr.size, scan->spool_end, EXTENT_SPOOL };

	while ((got = read(fd, buffer, sizeof buffer)) > 0) {
		if (pwrite(scan->spool, buffer, (size_t)got, (off_t)scan->spool_end) != got)
			abort();
		scan->spool_end += (uint64_t)got;
	}
	close(fd);
	scan->spool_end = round_up(scan->spool_end, 4096);
	if (extent.length)
		extent_map_set(&node->map, &extent);
}

static inline uint64_t drive_scan_node(struct drive_scan *scan, const char *path, const struct stat *info)
{
	struct drive_link *link;
	struct node *node;
	char target[4096];
	ssize_t length;

	vec_each (&scan->links, at)
		if (at->dev == info->st_dev && at->ino == info->st_ino && !S_ISDIR(info->st_mode))
			return at->ours;
	node = vec_push(&scan->tree->nodes);
	*node =
	    (struct node){ .attr = { .ino = scan->tree->nodes.count,
				     .mode = info->st_mode,
				     .uid = info->st_uid,
				     .gid = info->st_gid,
				     .nlink = (uint32_t)info->st_nlink,
				     .size = S_ISREG(info->st_mode) ? (uint64_t)info->st_size : 0,
				     .rdev =
					 S_ISBLK(info->st_mode) || S_ISCHR(info->st_mode) ? info->st_rdev : 0,
				     .atime_ns = info->st_atime * NS_PER_SEC,
				     .mtime_ns = info->st_mtime * NS_PER_SEC,
				     .ctime_ns = info->st_ctime * NS_PER_SEC } };
	link = vec_push(&scan->links);
	*link = (struct drive_link){ info->st_dev, info->st_ino, node->attr.ino };
	drive_scan_xattrs(path, node);
	if (S_ISREG(info->st_mode))
		drive_scan_body(scan, path, node);
	if (S_ISLNK(info->st_mode)) {
		length = readlink(path, target, sizeof target);
		blob_set(&node->target, target, (size_t)length);
		node->attr.size = (uint64_t)length;
	}
	return node->attr.ino;
}

static inline void drive_scan_path(struct drive_scan *scan, const char *path, const char *name,
				   uint64_t parent)
{
	struct drive_name *at;
	struct dirent *entry;
	struct stat info;
	uint64_t ino;
	DIR *dir;

	if (lstat(path, &info) != 0)
		abort();
	ino = drive_scan_node(scan, path, &info);
	at = vec_push(&scan->tree->names);
	*at = (struct drive_name){ ino, parent, strdup(name) };
	if (!S_ISDIR(info.st_mode))
		return;
	dir = opendir(path);
	while ((entry = readdir(dir)) != NULL) {
		char child[4096];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
		drive_scan_path(scan, child, entry->d_name, ino);
	}
	closedir(dir);
}

static inline void drive_scan_dir(const char *path, int spool, struct drive_tree *tree)
{
	struct drive_scan scan = { .tree = tree, .spool = spool };

	memset(tree, 0, sizeof *tree);
	drive_scan_path(&scan, path, "", 0);
	vec_clear(&scan.links);
}
